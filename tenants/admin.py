"""The site of our own staff on the public host: looks at shops, suspends them, takes them up again. Shows no secret."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model, QuerySet
from django.forms import CharField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts import queries as people
from accounts import services as accounts
from accounts.models import User
from catalog import services as catalog
from catalog.models import CatalogDump
from common.errors import ProblemError
from tenants import services
from tenants.models import DeletedTenant, Domain, SignUp, Tenant


class StaffSite(admin.AdminSite):
    """Lets in who is our staff, signed in on this host, and has a second factor."""

    site_header = site_title = "Brikonnect staff"
    index_title = "Shops and people"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and _is_staff(user) and people.second_factors(user_id=user.pk).is_on

    def login(self, request: HttpRequest, _context: dict[str, Any] | None = None) -> HttpResponse:
        """Lead to the staff's own door, or from behind it to where the second factor is set up."""
        if self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        if isinstance(request.user, User) and _is_staff(request.user):
            messages.warning(request, "Set up a second factor; then the staff's site is open to you.")
            return HttpResponseRedirect(reverse("accounts:security"))
        wanted = request.GET.get("next") or reverse("admin:index", current_app=self.name)
        return redirect_to_login(wanted, reverse("account_login"))

    def password_change(self, _request: HttpRequest, _context: dict[str, Any] | None = None) -> Any:
        """Lead to where the password is asked for once more before it is changed."""
        return HttpResponseRedirect(reverse("account_change_password"))


def _is_staff(user: User) -> bool:
    return user.is_active and user.is_staff


site = StaffSite()

# Generic for the type checker alone.
if TYPE_CHECKING:
    _Base = admin.ModelAdmin[Model]
    _Inline = admin.TabularInline[Domain, Tenant]
else:
    _Base, _Inline = admin.ModelAdmin, admin.TabularInline


class LookingAdmin(_Base):
    """Shows rows and changes none; what may be done to them is an action that calls a service."""

    actions_on_bottom = False
    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who gets in may act."""
        return site.has_permission(request)

    def each(self, request: HttpRequest, rows: QuerySet[Any], done: str, work: Any) -> None:
        """Do the work for each row, and say what came of it."""
        count = 0
        for row in rows:
            try:
                work(row)
                count += 1
            except ProblemError as error:
                texts = [text for found in error.extra.get("errors", {}).values() for text in found]
                messages.error(request, f"{row}: {' '.join(texts) or error}")
        if count:
            messages.success(request, f"{done}: {count}")


class WithReason(ActionForm):
    """An action that says why."""

    reason = CharField(required=False, max_length=300, label="Reason, which the shop's people read")


class DomainInline(_Inline):
    """The hosts of a shop."""

    model = Domain
    fields = readonly_fields = ("domain", "is_primary", "created_at")
    extra = 0
    can_delete = False

    def has_add_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False


@admin.register(Tenant, site=site)
class TenantAdmin(LookingAdmin):
    """Shops."""

    list_display = ("name", "slug", "current_version", "suspended_at", "deletion_requested_at", "created_at")
    list_filter = ("current_version", "is_suspended", ("deletion_requested_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug", "domains__domain")
    ordering = ("-created_at",)
    inlines = (DomainInline,)
    fields = (
        "name", "slug", "schema_name", "currency", "timezone", "country", "current_version", "has_brikick_store",
        "billing_currency", "is_suspended", "suspended_at", "suspension_reason", "deletion_requested_at", "ready_at",
        "created_at", "updated_at", "version",
    )  # fmt: skip
    action_form = WithReason
    actions = ("suspend", "reactivate", "cancel_deletion")

    @admin.action(description="Suspend shop", permissions=["act"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Tenant]) -> None:
        reason, now = request.POST.get("reason", ""), timezone.now()
        self.each(request, rows, "Suspended", lambda row: services.suspend(tenant_id=row.pk, reason=reason, now=now))

    @admin.action(description="Reactivate shop", permissions=["act"])
    def reactivate(self, request: HttpRequest, rows: QuerySet[Tenant]) -> None:
        self.each(request, rows, "Reactivated", lambda row: services.reactivate(tenant_id=row.pk))

    @admin.action(description="Cancel deletion", permissions=["act"])
    def cancel_deletion(self, request: HttpRequest, rows: QuerySet[Tenant]) -> None:
        self.each(request, rows, "Kept", lambda row: services.cancel_deletion_of(tenant_id=row.pk))


@admin.register(Domain, site=site)
class DomainAdmin(LookingAdmin):
    """Hosts."""

    list_display = ("domain", "tenant", "is_primary", "created_at")
    list_select_related = ("tenant",)
    list_filter = ("is_primary",)
    search_fields = ("domain", "tenant__name")
    ordering = ("domain",)
    fields = ("domain", "tenant", "is_primary", "created_at")


@admin.register(SignUp, site=site)
class SignUpAdmin(LookingAdmin):
    """Sign-ups of the last day: who waits for a code, who gave up. Neither codes nor passwords, not even hashed."""

    list_display = ("slug", "name", "email", "code_count", "attempts", "expires_at", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("slug", "email")
    ordering = ("-created_at",)
    fields = (
        "name", "slug", "display_name", "email", "currency", "timezone", "country", "code_count", "attempts",
        "expires_at", "tenant", "created_at",
    )  # fmt: skip


@admin.register(DeletedTenant, site=site)
class DeletedTenantAdmin(LookingAdmin):
    """Shops that are gone, and until when their addresses rest."""

    list_display = ("slug", "deleted_at", "reusable_at", "files_removed_at")
    search_fields = ("slug",)
    ordering = ("-deleted_at",)
    fields = ("slug", "schema_name", "hosts", "deleted_at", "reusable_at", "files_removed_at")


@admin.register(CatalogDump, site=site)
class CatalogDumpAdmin(LookingAdmin):
    """What of the sources' catalogs was read last, and when."""

    list_display = ("name", "rows_count", "problems_count", "imported_at")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "rows_count", "problems_count", "sha256", "imported_at")
    actions = ("import_now",)

    @admin.action(description="Import what lies in the folder now", permissions=["act"])
    def import_now(self, request: HttpRequest, _rows: QuerySet[CatalogDump]) -> None:
        job = catalog.start_import(now=timezone.now())
        if job is None:
            messages.warning(request, "CATALOG_DUMPS names no folder with dumps in it.")
        else:
            messages.success(request, f"The import is under way (job {job.pk}).")


@admin.register(User, site=site)
class StaffAdmin(LookingAdmin):
    """Our own people. They are made by `manage.py create_staff`."""

    list_display = ("email", "display_name", "is_active", "has_second_factor", "last_login")
    search_fields = ("email", "display_name")
    ordering = ("email",)
    fields = ("email", "display_name", "is_active", "is_staff", "has_second_factor", "last_login", "created_at")
    readonly_fields = ("has_second_factor",)
    actions = ("deactivate", "reactivate")

    @admin.display(boolean=True, description="Second factor")
    def has_second_factor(self, row: User) -> bool:
        """Tell whether the second factor is on."""
        return people.second_factors(user_id=row.pk).is_on

    @admin.action(description="Deactivate", permissions=["act"])
    def deactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        now = timezone.now()
        others = rows.exclude(pk=str(request.user.pk))
        self.each(request, others, "Deactivated", lambda row: accounts.deactivate_user(user_id=row.pk, now=now))

    @admin.action(description="Reactivate", permissions=["act"])
    def reactivate(self, request: HttpRequest, rows: QuerySet[User]) -> None:
        self.each(request, rows, "Reactivated", lambda row: accounts.reactivate_user(user_id=row.pk))
