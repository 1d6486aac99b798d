"""How many queries each list and page makes: as committed, and no more when the rows grow tenfold."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Role, User
from audit.context import change_set
from common.testing.people import make_user
from common.testing.query_counts import QueryCounts, counted
from inventory import services as inventory
from inventory.questions import Question
from inventory.services import repricing
from inventory.testing import make_location, make_lot
from jobs.models import JobRun
from notifications.models import Notification
from orders import services as orders
from orders.models import Order
from orders.testing import type_in
from picker import services
from picker.choices import EventType
from picker.models import PickSession
from picker.testing import make_session, needs_of, record, say
from stores import services as stores
from sync.testing import make_conflict, make_run

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/audit/", "/jobs/", "/jobs/tray/", "/notifications/", "/notifications/bell/", "/settings/users/",
    "/settings/invitations/", "/settings/roles/", "/settings/sessions/", "/settings/general/", "/search/palette/?q=ann",
    "/inventory/", "/inventory/?q=brick", "/inventory/?q=300121", "/search/?q=300", "/catalog/items/PART/3001/",
    "/catalog/items/SET/21200-1/", "/catalog/images/96/PART/5/3001", "/inventory/add/items/?q=300",
    "/api/v1/search?q=300",
    "/api/v1/catalog/items/PART/3001", "/api/v1/catalog/items/PART/3001/colors", "/api/v1/catalog/sets/21200-1/parts",
    "/inventory/?sort=margin", "/inventory/?columns=item,sold_for", "/inventory/totals/", "/inventory/views/counts/",
    "/inventory/filters/", "/inventory/locations/", "/inventory/locations/put-away/", "/inventory/purchases/",
    "/catalog/unmapped/", "/catalog/unmapped/all/", "/catalog/unmapped/all/?show=left", "/catalog/mappings/",
    "/inventory/repricing/", "/catalog/items/PART/3001/price-guide/",
    "/settings/inventory/", "/settings/orders/", "/orders/?tab=todo", "/orders/?q=ann", "/orders/?q=zzz",
    "/orders/filters/", "/orders/buyers/", "/orders/new/", "/orders/of-item/?type=PART&no=3001", "/api/v1/orders",
    "/picking/", "/picking/new/?tab=to_pick", "/picking/figures/", "/settings/picking/", "/orders/work/",
    "/stores/", "/stores/summary/", "/api/v1/stores", "/sync/", "/sync/new/", "/sync/work/", "/sync/conflicts/",
    "/api/v1/inventory", "/api/v1/inventory?q=brick", "/api/v1/locations",
    "/api/v1/users", "/api/v1/users/invitations", "/api/v1/roles", "/api/v1/jobs",
    "/api/v1/audit", "/api/v1/notifications", "/api/v1/auth/me", "/api/v1/auth/sessions", "/api/v1/settings",
]  # fmt: skip


def _make_rule(number: int) -> None:
    """Make a rule of repricing, and a run of it."""
    values = {"basis": "sold_avg", "factor": Decimal(1), "rounding": "0.01", "fallback": "", "query": f"q={number}"}
    rule = repricing.create_rule(values={"name": f"Rule {number}", **values})
    repricing.run_rule(rule_id=rule.pk, key=f"run-{number}", now=timezone.now())


def _make_sessions(number: int) -> None:
    """Make a session of each kind: one that is under way, one that waits, one that is over."""
    now = timezone.now()
    with change_set(f"test.sessions_{number}"):
        lot = make_lot(qty=9, item_no=f"50{number}", location=make_location(f"E-{number}", zone="E", aisle=str(number)))
        make_session(type_in((lot, 1)), starts=False)
        for ends in (False, True):
            session = make_session(type_in((lot, 2)))
            services.join(session_id=session.pk, user_id=make_user(role="picker").pk, now=now)
            record(session, say(needs_of(session)[0], 1))
            if ends:
                services.complete_session(session_id=session.pk, now=now)


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
            make_lot(item_no=f"zz{number}", item_name="Brick 2 x 4")
            owl = {"system": "brickowl", "item_type": "PART", "item_no": "3001", "decided_by_id": person.pk}
            inventory.set_item_mapping(external_id=f"90{number}", now=now, **owl)
            inventory.leave_unmapped(question=Question("brickowl", f"91{number}"), decided_by_id=person.pk)
            values = {"name": "Box", "purchase_date": now.date(), "total_cost": Decimal(number)}
            purchase = inventory.create_purchase(values=values)
            inventory.add_lots(purchase_id=purchase.pk, quantities={lot.pk: 3}, now=now)
            _make_rule(number)
        store = stores.create_store(
            channel="brickowl",
            name=f"Owl {number}",
            credentials={"key": f"key-{number:08}"},
            set_by_id=owner.pk,
            now=now,
        )
        with change_set("test.sync"):
            make_run(store, update=number + 1)
            make_conflict(store)
        Client().force_login(person)
        Client().force_login(owner)
        JobRun.objects.create(
            job_type="tenant_export", label="Export", idempotency_key=f"job-{number}", created_by=owner
        )
        make_lot(qty=number + 1, item_no=f"300{number}", location=make_location(f"B-{number}"))
        type_in((lot, 1), buyer_name=f"Ann {number}", buyer_email=f"ann{number}@example.com")
        _make_sessions(number)
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


# Filling the shop takes most of the time, so it is filled once for all pages.
@pytest.mark.timeout(400)
def test_ask_as_often_as_committed_and_no_more_for_more_rows(
    owner_client: tuple[User, Client], query_counts: QueryCounts
) -> None:
    owner, client = owner_client
    _fill(owner, 0, 2)
    for path in PAGES:
        client.get(path)  # what is looked up once and kept (hosts, content types) is not the page's cost
    few = {path: _cost(client, path) for path in PAGES}
    _fill(owner, 2, 18)
    many = {path: _cost(client, path) for path in PAGES}
    growing = [
        f"{path} asks {len(few[path])} times for a few rows and {len(many[path])} times for many:\n"
        + "\n".join(many[path])
        for path in PAGES
        if len(many[path]) > len(few[path])
    ]
    assert not growing, "\n\n".join(growing)
    others = [said for path in PAGES if (said := query_counts.difference(path, many[path]))]
    assert not others, "\n\n".join(others)


def _order_with_all(lines: int) -> Order:
    """Answer an order of so many lines, each short, paid back in part, in a parcel with others of its buyer."""
    now = timezone.now()
    ann: dict[str, Any] = {"buyer_name": "Ann", "buyer_email": "ann@example.com"}
    with change_set(f"test.order_of_{lines}"):
        lots = []
        for number in range(lines):
            lots.append(make_lot(item_no=f"7{lines}{number}", qty=2, location=make_location(f"C-{lines}-{number}")))
            make_lot(item_no=f"7{lines}{number}", qty=9, location=make_location(f"D-{lines}-{number}"))
        order = type_in(*((lot, 5) for lot in lots), **ann)
        others = [type_in((make_lot(item_no="3005"), 1), **ann) for _ in range(lines)]
        orders.ship_together(order_ids=[order.pk, *(other.pk for other in others)], now=now)
        for _ in range(lines):
            orders.refund_order(order_id=order.pk, amount=Decimal("0.01"), now=now)
    return order


@pytest.mark.parametrize("tab", ["lines", "timeline", "documents", "notes"])
def test_an_order_asks_as_often_as_committed_however_much_belongs_to_it(
    tab: str, owner_client: tuple[User, Client], query_counts: QueryCounts
) -> None:
    _owner, client = owner_client
    small, large = _order_with_all(2), _order_with_all(12)
    client.get(f"/orders/{small.pk}/?tab={tab}")
    few, many = (_cost(client, f"/orders/{order.pk}/?tab={tab}") for order in (small, large))
    assert len(many) <= len(few), f"{len(few)} and {len(many)} times:\n" + "\n".join(many)
    assert len(many) <= 10, "the specification allows ten"
    said = query_counts.difference(f"/orders/…/?tab={tab}", many)
    assert not said, said


def test_a_plan_asks_as_often_as_committed_however_long_it_is(
    owner_client: tuple[User, Client], query_counts: QueryCounts
) -> None:
    _owner, client = owner_client
    with change_set("test.sync"):
        store = make_conflict(stores.create_store(
            channel="brickowl", name="Owl", credentials={"key": "key-00000000"}, now=timezone.now()
        )).store  # fmt: skip
        small, large = make_run(store, update=2), make_run(store, update=120)
    paths = [f"/sync/runs/{run.pk}/?tab=update&q=Brick&color=5" for run in (small, large)]
    client.get(paths[0])
    few, many = (_cost(client, path) for path in paths)
    assert len(many) <= len(few), f"{len(few)} and {len(many)} times:\n" + "\n".join(many)
    said = query_counts.difference("/sync/runs/…/", many)
    assert not said, said


def _session_of(orders_in_it: int, state: str) -> PickSession:
    """Answer a session of so many orders with three lots each; of each order some pieces are missing."""
    with change_set(f"test.session_{state}_{orders_in_it}"):
        orders_of = []
        for number in range(orders_in_it):
            name = f"{state}-{orders_in_it}-{number}"
            lots = [
                make_lot(
                    qty=9, item_no=f"8{place}", weight_grams=Decimal(1), location=make_location(f"G-{name}-{place}")
                )
                for place in range(3)
            ]
            orders_of.append(type_in(*((lot, 3) for lot in lots)))
        session = make_session(*orders_of, starts=state != "draft")
        if state != "draft":
            for need in needs_of(session):
                record(session, say(need, 2))
                record(session, say(need, 1, EventType.MISSING))
        if state == "ended":
            services.complete_session(session_id=session.pk, now=timezone.now())
    return session


@pytest.mark.parametrize("state", ["draft", "active", "ended"])
def test_a_pick_session_asks_as_often_as_committed_however_many_orders_it_has(
    state: str, owner_client: tuple[User, Client], query_counts: QueryCounts
) -> None:
    _owner, client = owner_client
    small, large = _session_of(2, state), _session_of(8, state)
    client.get(f"/picking/{small.pk}/")
    few, many = (_cost(client, f"/picking/{session.pk}/") for session in (small, large))
    assert len(many) <= len(few), f"{len(few)} and {len(many)} times:\n" + "\n".join(many)
    said = query_counts.difference(f"/picking/…/ {state}", many)
    assert not said, said
