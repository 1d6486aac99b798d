"""How many queries each list and page makes: as committed, and no more when the rows grow tenfold."""

from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Role, User
from audit.context import change_set
from common.testing.people import make_user
from common.testing.query_counts import QueryCounts, counted
from inventory import services as inventory
from inventory.testing import make_location, make_lot
from jobs.models import JobRun
from notifications.models import Notification

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/audit/", "/jobs/", "/jobs/tray/", "/notifications/", "/notifications/bell/", "/settings/users/",
    "/settings/invitations/", "/settings/roles/", "/settings/sessions/", "/settings/general/", "/search/palette/?q=ann",
    "/inventory/", "/inventory/?q=brick", "/inventory/?q=300121", "/search/?q=300", "/catalog/items/PART/3001/",
    "/catalog/items/SET/21200-1/", "/inventory/add/items/?q=300", "/api/v1/search?q=300",
    "/api/v1/catalog/items/PART/3001", "/api/v1/catalog/items/PART/3001/colors", "/api/v1/catalog/sets/21200-1/parts",
    "/inventory/?sort=margin", "/inventory/totals/", "/inventory/views/counts/",
    "/inventory/filters/", "/inventory/locations/", "/inventory/locations/put-away/", "/inventory/purchases/",
    "/settings/inventory/", "/api/v1/inventory", "/api/v1/inventory?q=brick", "/api/v1/locations",
    "/api/v1/users", "/api/v1/users/invitations", "/api/v1/roles", "/api/v1/jobs",
    "/api/v1/audit", "/api/v1/notifications", "/api/v1/auth/me", "/api/v1/auth/sessions", "/api/v1/settings",
]  # fmt: skip


def _fill(owner: User, start: int, count: int) -> None:
    """Make `count` of everything that the lists show."""
    now = timezone.now()
    for number in range(start, start + count):
        with change_set(f"test.fill_{number}"):
            person = make_user(role="picker", email=f"ann{number}@shop.example")
            Role.objects.create(name=f"Role {number}", permissions=["orders:read"])
            Invitation.objects.create(email=f"guest{number}@shop.example", invited_by=owner, expires_at=now)
            place = make_location(f"A-{number}")
            lot = make_lot(item_no=str(3000 + number), location=place)
            make_lot(item_no=str(4000 + number))
            values = {"name": "Box", "purchase_date": now.date(), "total_cost": Decimal(number)}
            purchase = inventory.create_purchase(values=values)
            inventory.add_lots(purchase_id=purchase.pk, quantities={lot.pk: 3}, now=now)
        Client().force_login(person)
        Client().force_login(owner)
        JobRun.objects.create(
            job_type="tenant_export", label="Export", idempotency_key=f"job-{number}", created_by=owner
        )
        make_lot(qty=number + 1, item_no=f"300{number}", location=make_location(f"B-{number}"))
        Notification.objects.create(type="job_done", title=f"Done {number}", idempotency_key=f"note-{number}")


@pytest.fixture
def owner_client(client: Client) -> tuple[User, Client]:
    """Answer the owner with a browser that is signed in."""
    owner = make_user(role="owner")
    client.force_login(owner)
    return owner, client


@pytest.fixture(scope="session")
def query_counts(request: pytest.FixtureRequest) -> QueryCounts:
    """Answer the committed counts."""
    return QueryCounts(Path(__file__).parent / "query_counts.json", update=request.config.getoption("--update-counts"))


def _cost(client: Client, path: str) -> list[str]:
    with counted() as statements:
        response = client.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}"
    return statements


@pytest.mark.parametrize("path", PAGES)
def test_ask_as_often_as_committed_and_no_more_for_more_rows(
    path: str, owner_client: tuple[User, Client], query_counts: QueryCounts
) -> None:
    owner, client = owner_client
    _fill(owner, 0, 2)
    client.get(path)  # what is looked up once and kept (hosts, content types) is not the page's cost
    few = _cost(client, path)
    _fill(owner, 2, 18)
    many = _cost(client, path)
    assert len(many) <= len(few), (
        f"{path} asks {len(few)} times for a few rows and {len(many)} times for many:\n" + "\n".join(many)
    )
    query_counts.check(path, many)
