"""The site of our own staff on the public host: looks at shops, suspends them, takes them up again. Shows no secret."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.auth.views import redirect_to_login
from django.db.models import Count, Model, QuerySet
from django.forms import CharField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts import queries as people
from accounts import services as accounts
from accounts.models import User
from catalog import services as catalog
from catalog.models import CatalogDump, CurrencyRate, MappingOffer, SourceBudget
from common.errors import ProblemError
from jobs.models import JobRun
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


class WithAddress(ActionForm):
    """An action that may be told where from."""

    address = CharField(required=False, max_length=500, label="Address, empty for the places of CATALOG_DUMPS")


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
    action_form = WithAddress
    actions = ("import_now",)

    @admin.action(description="Import dumps now", permissions=["act"])
    def import_now(self, request: HttpRequest, _rows: QuerySet[CatalogDump]) -> None:
        address = request.POST.get("address", "").strip()
        try:
            job = catalog.start_import(places=[address] if address else (), now=timezone.now())
        except ProblemError as error:
            messages.error(request, str(error.detail))
            return
        if job is None:
            messages.warning(request, "CATALOG_DUMPS names no address, and no folder with dumps in it.")
        else:
            url = reverse("admin:jobs_jobrun_change", args=[job.pk], current_app=self.admin_site.name)
            words = "The import is under way. <a href='{}'>Its job</a> says how far it is, and how it ended."
            messages.success(request, format_html(words, url))


@admin.register(JobRun, site=site)
class JobRunAdmin(LookingAdmin):
    """What was to be done for no shop: how far it is, and how it ended."""

    list_display = ("label", "status", "progress_percent", "outcome", "created_at", "completed_at")
    list_filter = ("status", "job_type")
    ordering = ("-created_at", "-id")
    fields = (
        "label", "job_type", "status", "progress_percent", "progress_message", "outcome", "attempt", "actor_name",
        "created_at", "started_at", "completed_at",
    )  # fmt: skip

    @admin.display(description="What came of it")
    def outcome(self, job: JobRun) -> str:
        return job.error_message or (job.result or {}).get("message", "")


@admin.register(SourceBudget, site=site)
class SourceBudgetAdmin(LookingAdmin):
    """How many calls of each source a day has used."""

    list_display = ("source", "day", "used", "limit")
    list_filter = ("source",)
    ordering = ("-day", "source")
    fields = ("source", "day", "used", "limit")


@admin.register(CurrencyRate, site=site)
class CurrencyRateAdmin(LookingAdmin):
    """What currencies are worth in each other, by the European Central Bank."""

    list_display = ("from_currency", "to_currency", "day", "rate", "fetched_at")
    list_filter = ("from_currency", "to_currency")
    ordering = ("-day", "from_currency", "to_currency")
    fields = ("from_currency", "to_currency", "day", "rate", "fetched_at")


@admin.register(MappingOffer, site=site)
class MappingOfferAdmin(LookingAdmin):
    """What shops say that platforms' numbers mean, for everybody's dictionary. Here alone they are accepted.

    Which shops say so is nobody's business; how many do is.
    """

    list_display = ("system", "external_id", "external_color", "item_type", "item_no", "color_id", "shops", "status",
                    "first_at", "last_at")  # fmt: skip
    list_filter = ("status", "system")
    search_fields = ("external_id", "item_no")
    ordering = ("-last_at", "-pk")
    fields = (
        "system", "external_id", "external_color", "item_type", "item_no", "color_id", "shops", "status", "first_at",
        "last_at", "decided_at", "decided_by",
    )  # fmt: skip
    readonly_fields = ("shops",)
    actions = ("accept", "reject")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).annotate(shops_count=Count("voices"))
        return rows

    @admin.display(ordering="shops_count", description="Shops")
    def shops(self, row: Any) -> int:
        """Answer how many shops say so now."""
        count: int = row.shops_count
        return count

    @admin.action(description="Accept into the catalog, for every shop", permissions=["act"])
    def accept(self, request: HttpRequest, rows: QuerySet[MappingOffer]) -> None:
        now, who = timezone.now(), str(request.user)
        self.each(request, rows, "Accepted", lambda row: catalog.accept_offer(offer_id=row.pk, decided_by=who, now=now))

    @admin.action(description="Reject, and take out what was accepted", permissions=["act"])
    def reject(self, request: HttpRequest, rows: QuerySet[MappingOffer]) -> None:
        now, who = timezone.now(), str(request.user)
        self.each(request, rows, "Rejected", lambda row: catalog.reject_offer(offer_id=row.pk, decided_by=who, now=now))


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
