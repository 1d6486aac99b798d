"""Users, roles, sessions, refresh tokens and invitations. In the public schema: our own staff."""

from typing import ClassVar
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts import roles as catalogue
from accounts.choices import Theme
from audit.tracking import history
from common.ids import new_id
from common.models import BaseModel

# A row's key as callers have it: typed, or as text out of an address or an actor.
Key = UUID | str


class UserManager(BaseUserManager["User"]):
    """Finds users by their address, however it is written."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, BaseModel):
    """A person of one shop (or of our staff, in the public schema). Addresses are stored in lower case."""

    email = models.EmailField(max_length=254, unique=True)
    display_name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)
    # Only in the public schema: may use the staff's site. In a shop it means nothing.
    is_staff = models.BooleanField(default=False)
    is_superuser = models.BooleanField(default=False)
    locale = models.CharField(max_length=10, default="en")
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.LIGHT)
    preferences = models.JSONField(default=dict, blank=True)
    # What the trail and the lists show of allauth's authenticators, by name; written together with them.
    second_factors = ArrayField(models.CharField(max_length=120), default=list, blank=True, editable=False)
    # Whatever was issued before this moment (access tokens) is refused: password, roles or activity have changed.
    credentials_changed_at = models.DateTimeField("signed out everywhere", null=True, editable=False)
    roles: "models.ManyToManyField[Role, UserRole]" = models.ManyToManyField(
        "accounts.Role", through="accounts.UserRole", related_name="users"
    )

    objects: ClassVar[UserManager] = UserManager()
    history = history(exclude=["password", "last_login", "updated_at"])

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["display_name"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=Q(theme__in=Theme.values), name="user_theme"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.email

    # Django's admin asks these; only superusers of the public schema get in (tenants.admin).
    def has_perm(self, _permission: str, _obj: object = None) -> bool:
        return self.is_active and self.is_staff

    def has_perms(self, permissions: list[str], obj: object = None) -> bool:
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, _app_label: str) -> bool:
        return self.is_active and self.is_staff


class Role(BaseModel):
    """A named set of permissions. System roles are the same in every shop and can't be edited."""

    # System roles: the code of definitions.md (`readonly`); others: what people call them.
    name = models.CharField(max_length=60)
    permissions = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_system = models.BooleanField(default=False, editable=False)

    history = history(exclude=["updated_at"])

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"), name="role_name_any_case", violation_error_message="There is a role of that name."
            ),
            models.CheckConstraint(condition=~Q(name=""), name="role_has_a_name"),
            models.CheckConstraint(
                condition=Q(permissions__contained_by=list(catalogue.PERMISSIONS)), name="role_permissions_known"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Answer the name as people read it."""
        return catalogue.SYSTEM_LABELS.get(self.name, self.name) if self.is_system else self.name


class UserRole(models.Model):
    """A role that a user has."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="user_roles")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="user_roles")
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "role"], name="user_role_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role_id}"


class Session(models.Model):
    """A browser that is signed in. The key is stored hashed: a copy of the table opens no door."""

    session_key = models.CharField(max_length=64, primary_key=True)
    # What lists and URLs name a session by; says nothing of its key.
    public_id = models.UUIDField(unique=True, default=new_id, editable=False)
    session_data = models.TextField()
    expire_date = models.DateTimeField(db_index=True)
    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    user_agent = models.CharField(max_length=400, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "-last_seen_at"], name="session_user")]

    def __str__(self) -> str:
        return str(self.public_id)


class RefreshToken(models.Model):
    """A token that buys a new pair once. Shown again after it was spent, it ends its whole family."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    jti = models.UUIDField(unique=True)
    family_id = models.UUIDField(db_index=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="refresh_tokens")
    device_name = models.CharField(max_length=200, blank=True)
    ip_address = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    spent_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    # Rotation prolongs the chain only up to here (reliability.md, check 14).
    family_expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "-created_at"], name="refresh_token_user")]

    def __str__(self) -> str:
        return f"{self.family_id}/{self.jti}"


class Invitation(BaseModel):
    """An open door for one address, with the roles that the newcomer will have."""

    email = models.EmailField(max_length=254)
    roles: "models.ManyToManyField[Role, InvitationRole]" = models.ManyToManyField(
        Role, through="accounts.InvitationRole", related_name="invitations"
    )
    # Users are deactivated, never deleted. None: the system, as when a shop is founded for somebody.
    invited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="invitations")
    # Counts how often it was mailed, so that each time is one mail.
    sent_count = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    history = history(exclude=["updated_at"])

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower_case"),
            models.UniqueConstraint(
                fields=["email"],
                condition=Q(accepted_at__isnull=True, revoked_at__isnull=True),
                name="invitation_one_open_per_address",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class InvitationRole(models.Model):
    """A role that the newcomer will have."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="invitation_roles")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="invitation_roles")
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invitation", "role"], name="invitation_role_once")]

    def __str__(self) -> str:
        return f"{self.invitation_id}: {self.role_id}"


class RecoveryCode(models.Model):
    """A way in for one who lost the second factor; works once. 120 random bits, so a plain hash keeps it safe."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {'used' if self.used_at else 'unused'}"
