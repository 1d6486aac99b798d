"""Demo people and stock to try things with, and the guard that keeps them out of production: all know a password."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts import queries, services
from accounts import roles as catalogue
from accounts.models import User
from audit import context
from brikonnect import demo_stores
from brikonnect.environ import Environment
from inventory.demo import stock_up
from stores import queries as stores
from stores.services import create_store

NAME = "Demo Bricks"
DOMAIN = "demo.example"
PASSWORD = "brikonnect-demo"  # noqa: S105  # that is what the guard is for
_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
PEOPLE = (
    (catalogue.OWNER, "Marta Reis"),
    (catalogue.ADMIN, "Ana Silva"),
    (catalogue.STAFF, "Tunde Okafor"),
    (catalogue.PICKER, "Pia Lind"),
    (catalogue.READONLY, "Rui Costa"),
)


def email_of(role: str) -> str:
    """Answer the address of the demo user with that role."""
    return f"{role}@{DOMAIN}"


@contextmanager
def only_shop(**_founder: str) -> Iterator[None]:
    """Where there is one shop, it is the demo's."""
    yield


def fill() -> list[str]:
    """Make the demo's shop, people and stock, whatever of them isn't there; answer the addresses of all.

    Raises ImproperlyConfigured in production.
    """
    if settings.ENVIRONMENT is Environment.PRODUCTION:
        raise ImproperlyConfigured("Demo accounts have a password that everybody knows: not in production.")
    enter: Any = import_string(settings.DEMO_SHOP)
    founder = {"founder_email": email_of(catalogue.OWNER), "founder_name": PEOPLE[0][1], "password": PASSWORD}
    with enter(name=NAME, **founder), context.for_command("brikonnect.demo"):
        present = {user.email for user in queries.users_matching(text=f"@{DOMAIN}")}
        for role, name in PEOPLE:
            if email_of(role) not in present:
                services.create_user(
                    email=email_of(role), display_name=name, roles=[role], password=PASSWORD, is_verified=True
                )
        stock_up(now=timezone.now())
        _connect_stores()
    return [email_of(role) for role, _name in PEOPLE]


def _connect_stores() -> None:
    """Connect the demo's two stores where the marketplaces are imitated on this machine, unless there are some."""
    present = set(stores.stores().values_list("channel", flat=True))
    for channel, name, credentials in (
        ("bricklink", "Demo Bricks on BrickLink", demo_stores.BRICKLINK),
        ("brickowl", "Demo Bricks on Brick Owl", demo_stores.BRICKOWL),
    ):
        is_imitated = urlsplit(settings.CHANNEL_URLS[channel]).hostname in _THIS_MACHINE
        if is_imitated and channel not in present and stores.spec_for(channel) is not None:
            create_store(
                channel=channel, name=name, credentials=credentials, is_primary=channel == "bricklink",
                settings={"currency": "EUR"}, now=timezone.now(),
            )  # fmt: skip


def where_present() -> list[str]:
    """Answer the schemas in which a demo account can sign in."""
    table = User._meta.db_table
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = %s AND c.relkind = 'r' ORDER BY 1",
            [table],
        )
        schemas = [name for (name,) in cursor.fetchall()]
        found = []
        for schema in schemas:
            cursor.execute(
                f"SELECT EXISTS (SELECT 1 FROM {quote(schema)}.{quote(table)} WHERE is_active AND email LIKE %s)",  # noqa: S608  # names from the catalog, quoted
                [f"%@{DOMAIN}"],
            )
            if cursor.fetchone()[0]:
                found.append(schema)
    return found


def refuse_in_production() -> None:
    """Pass, or raise ImproperlyConfigured where this is production and somebody can sign in with the demo's password.

    A database that is away is no reason: it is asked again at the next start.
    """
    if settings.ENVIRONMENT is not Environment.PRODUCTION:
        return
    try:
        found = where_present()
    except DatabaseError:
        return
    finally:
        connection.close()
    if found:
        raise ImproperlyConfigured(
            f"Production doesn't start with demo accounts: deactivate everybody @{DOMAIN} in {', '.join(found)}."
        )


def check_demo_accounts(**_kwargs: Any) -> list[CheckMessage]:
    """`manage.py check --deploy`: no demo account in production."""
    try:
        refuse_in_production()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="brikonnect.E001")]
    return []


def register_check() -> None:
    """Have `check --deploy` ask."""
    checks.register(check_demo_accounts, Tags.security, deploy=True)
