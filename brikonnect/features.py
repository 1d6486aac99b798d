"""What an installation is made of: flags turn into app lists, URL confs and beat entries here and nowhere else."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Features:
    """The flags of `BRIKONNECT_FEATURES`, which are on unless they are switched off."""

    multi_tenant: bool = True
    billing: bool = True
    sync: bool = True
    webhooks: bool = True
    public_api: bool = True

    @classmethod
    def of(cls, flags: dict[str, bool]) -> "Features":
        """Answer the flags with their consequences: without tenants there is nobody to bill."""
        chosen = {**cls().enabled(), **flags}
        chosen["billing"] = chosen["billing"] and chosen["multi_tenant"]
        return cls(**chosen)

    def enabled(self) -> dict[str, bool]:
        """Answer the flags by name, as `/auth/me` shows them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


# Apps whose tables exist in both kinds of schema: the public schema has our staff, and the jobs and mail of no tenant.
_BOTH = (
    "common",
    "events",
    "audit",
    "jobs",
    "accounts",
    "notifications",
    "allauth.account",
    "allauth.mfa",
)
# Apps whose tables all shops share.
_COMMON = ("catalog",)
# Apps whose tables only a shop has.
_SHOP = ("stores", "inventory", "orders", "picker")
# Those that talk to the channels; stores and orders by hand go on without them.
_SYNC = ("sync",)
_LIBRARIES = (
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",  # its widgets' templates, for the pages' own form renderer
    "simple_history",
    "allauth",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "django_countries",
)


# Without discovery: our staff's site shows what it names itself, and nothing that a library brings along.
_STAFF = ("django.contrib.admin.apps.SimpleAdminConfig",)


def shared_apps(features: Features) -> list[str]:
    """Answer the apps of the public schema; with one tenant only, all there are."""
    if not features.multi_tenant:
        return [*_LIBRARIES, *_BOTH, *_COMMON, *_shop(features), "brikonnect"]
    # What comes first wins: tenants replaces commands of django_tenants, which replaces Django's migrate; but its
    # templates of the admin, with styles inline, must not replace Django's.
    return ["tenants", *_STAFF, "django_tenants", *_LIBRARIES, "tenants.trail", *_BOTH, *_COMMON, "brikonnect"]


def tenant_apps(features: Features) -> list[str]:
    """Answer the apps whose tables every tenant's schema has."""
    return [*_BOTH, *_shop(features), "tenants.trail"] if features.multi_tenant else []


def _shop(features: Features) -> tuple[str, ...]:
    return (*_SHOP, *(_SYNC if features.sync else ()))


def installed_apps(features: Features) -> list[str]:
    """Answer INSTALLED_APPS: each app once, the public schema's order first."""
    return list(dict.fromkeys([*shared_apps(features), *tenant_apps(features)]))


def demo_shop(features: Features) -> str:
    """Answer what the demo's people are made in: a context manager, by its path."""
    return "tenants.demo.shop" if features.multi_tenant else "brikonnect.demo.only_shop"


# Without channels there is nothing to see of stores: the counter, to which orders by hand belong, has no page.
_CHANNEL_PAGES = ("stores.urls", "sync.urls")
_CHANNEL_API = ("stores.api", "sync.api")


def page_urls(features: Features) -> tuple[str, ...]:
    """Answer the URL modules of a shop's host that depend on a flag."""
    return (*(_CHANNEL_PAGES if features.sync else ()), *(("tenants.urls",) if features.multi_tenant else ()))


def api_urls(features: Features) -> tuple[str, ...]:
    """Answer the modules whose `api_urlpatterns` depend on a flag."""
    return (*(_CHANNEL_API if features.sync else ()), *(("tenants.api",) if features.multi_tenant else ()))


def details_facts(features: Features) -> tuple[str, ...]:
    """Answer the query that tells whether the shop's details were confirmed, where there are any to confirm."""
    return ("tenants.queries.details_confirmed",) if features.multi_tenant else ()
