"""C6: whatever is done to orders and lots, in whatever sequence: pieces add up, and each deed left a trail.

`DEEDS_EXAMPLES=2000 DEEDS_STEPS=50 bin/test tests/concurrency/test_any_order_of_deeds.py` is the long run.
"""

import io
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model, Sum
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit.context import change_set
from audit.models import ChangeSet
from audit.recording import history_of, tracked_fields
from audit.services import start_revert
from common.errors import ProblemError
from events import dispatch
from inventory import services as inventory
from inventory.models import InventoryItem
from inventory.testing import make_location, make_lot
from jobs import runner
from jobs.models import JobRun
from orders import lifecycle, services
from orders.lifecycle import Status
from orders.models import Order, OrderLine, Refund
from orders.services import files
from orders.testing import PLACED, arrive, incoming, incoming_line, make_store, pick, type_in

EXAMPLES, STEPS = int(os.environ.get("DEEDS_EXAMPLES", "6")), int(os.environ.get("DEEDS_STEPS", "25"))
# Making what fails small takes minutes.
PHASES = (Phase.generate, Phase.shrink) if "DEEDS_EXAMPLES" in os.environ else (Phase.generate,)
pytestmark = [pytest.mark.django_db, pytest.mark.timeout(400 + EXAMPLES * STEPS)]

COLORS = (1, 5, 11)
# Which of those that are there, however many they are.
WHICH = st.integers(0, 30)
FEW = st.integers(0, 4)
# Pieces of each lot, and of something that nobody knows.
PIECES = st.tuples(FEW, FEW, FEW, st.integers(0, 1))
TOLD = st.sampled_from([None, *Status])
_LATEST = 8


class Deeds(RuleBasedStateMachine):
    """A shop of three lots, at which people, a channel and files do whatever they like."""

    def __init__(self) -> None:
        super().__init__()
        self._around = transaction.atomic()
        self._around.__enter__()
        self.told: list[Any] = []
        self._hour = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._around.__exit__(None, None, None)

    @initialize(quantities=st.tuples(FEW, FEW, FEW))
    def open(self, quantities: tuple[int, int, int]) -> None:
        self.store, place = make_store(), make_location()
        self.lots = [
            make_lot(qty=qty, color_id=color, location=place if qty else None)
            for qty, color in zip(quantities, COLORS, strict=True)
        ]

    # --- Who does what ------------------------------------------------------------------------------------------------
    def _do(self, deed: Callable[..., Any], **arguments: Any) -> Any:
        """Do it as a deed of its own; what isn't possible any more is refused, and changes nothing."""
        with suppress(ProblemError), change_set("tests.deed"):
            return deed(**arguments)

    def _order(self, which: int) -> Order | None:
        orders = list(Order.objects.order_by("number"))
        return orders[which % len(orders)] if orders else None

    def _line(self, which: int) -> OrderLine | None:
        lines = list(OrderLine.objects.select_related("order").order_by("order__number", "position"))
        return lines[which % len(lines)] if lines else None

    def _lines(self, pieces: tuple[int, ...]) -> tuple[Any, ...]:
        *known, strange = pieces
        lines = [
            incoming_line(lot, qty=qty, external_line_id=str(place))
            for place, (lot, qty) in enumerate(zip(self.lots, known, strict=True))
            if qty
        ]
        if strange or not lines:
            lines.append(incoming_line(item_no="", item_name="Sticker", qty=1, external_line_id="x"))
        return tuple(lines)

    @rule(pieces=PIECES, status=TOLD, is_history=st.booleans())
    def comes_in(self, pieces: tuple[int, ...], status: Status | None, *, is_history: bool) -> None:
        self._hour += 1
        told = incoming(
            *self._lines(pieces), external_order_id=f"C{len(self.told)}", status=status,
            as_of=PLACED + timedelta(hours=self._hour), is_history=is_history and status in lifecycle.GONE,
        )  # fmt: skip
        self.told.append(told)
        self._do(arrive, store=self.store, order=told)

    @rule(which=WHICH, pieces=PIECES, status=TOLD, is_reinstated=st.booleans(), hours=st.integers(-2, 2))
    def comes_anew(
        self, which: int, pieces: tuple[int, ...], status: Status | None, hours: int, *, is_reinstated: bool
    ) -> None:
        if self.told:
            self._hour += max(0, hours)
            place = which % len(self.told)
            told = replace(
                self.told[place], lines=self._lines(pieces), status=status, is_reinstated=is_reinstated,
                as_of=PLACED + timedelta(hours=self._hour + min(0, hours)),
                flags=frozenset({"on_hold"} if hours else ()),
            )  # fmt: skip
            self._do(arrive, store=self.store, order=told)

    @rule(pieces=st.tuples(FEW, FEW), is_paid=st.booleans())
    def is_typed_in(self, pieces: tuple[int, int], *, is_paid: bool) -> None:
        wanted = [(lot, qty) for lot, qty in zip(self.lots, pieces, strict=False) if qty]
        with suppress(ProblemError), change_set("tests.deed"):
            type_in(*wanted, is_paid=is_paid)

    @rule(number=st.integers(1, 3), qty=st.integers(1, 4), status=st.sampled_from(["New", "Paid", "Shipped", ""]))
    def comes_by_file(self, number: int, qty: int, status: str) -> None:
        row = f"F{number},2026-03-11,{status if status != 'Paid' else 'Pending'},Part,3001,Red,New,{qty},0.12"
        content = f"Order,Placed,Status,Type,Item number,Color,Condition,Pieces,Price\n{row}\n".encode()
        run = files.start_file(file=io.BytesIO(content), file_name="orders.csv", now=timezone.now())
        self._run_jobs()
        with suppress(ProblemError):
            files.approve(file_id=run.pk, now=timezone.now())
        self._run_jobs()

    def _run_jobs(self) -> None:
        for job_id in JobRun.objects.filter(status="PENDING").order_by("id").values_list("id", flat=True):
            runner.run_job(job_id=job_id, with_heartbeat=False)

    @rule(which=WHICH, status=st.sampled_from(Status))
    def is_moved(self, which: int, status: Status) -> None:
        if order := self._order(which):
            self._do(services.change_status, order_id=order.pk, status=status.value, now=timezone.now())

    @rule(which=WHICH)
    def is_shipped(self, which: int) -> None:
        if order := self._order(which):
            self._do(services.ship_order, order_id=order.pk, now=timezone.now())

    @rule(which=WHICH, part=st.integers(1, 4), restock=st.booleans(), has_pieces=st.booleans())
    def is_refunded(self, which: int, part: int, *, restock: bool, has_pieces: bool) -> None:
        if (line := self._line(which)) is None:
            return
        left = line.order.grand_total - line.order.refunded_total
        amount = None if part == 4 else (left / part).quantize(Decimal("0.01"))
        pieces = [(line.pk, 1)] if has_pieces else []
        self._do(
            services.refund_order, order_id=line.order_id, amount=amount, pieces=pieces, restock=restock,
            now=timezone.now(),
        )  # fmt: skip

    @rule(which=WHICH, picked=FEW, missing=FEW)
    def is_picked(self, which: int, picked: int, missing: int) -> None:
        if line := self._line(which):
            self._do(pick, order_id=line.order_id, picks={line.pk: (picked, missing)})

    @rule(which=WHICH, lot=st.integers(0, 2), how=st.sampled_from(["take", "drop", "match", "again"]))
    def is_solved(self, which: int, lot: int, how: str) -> None:
        if (line := self._line(which)) is None:
            return
        where: dict[str, Any] = {"order_id": line.order_id, "line_id": line.pk, "now": timezone.now()}
        match how:
            case "take":
                self._do(services.take_from_lot, lot_id=self.lots[lot].pk, qty=1, **where)
            case "drop":
                self._do(services.drop_short, **where)
            case "match":
                self._do(services.match_line, lot_id=self.lots[lot].pk, **where)
            case _:
                self._do(services.reserve_again, order_id=line.order_id, now=timezone.now())

    @rule(which=WHICH, lot=st.integers(0, 2), qty=st.integers(1, 4))
    def has_its_lines_set(self, which: int, lot: int, qty: int) -> None:
        if order := self._order(which):
            kept = order.lines.filter(inventory_item__isnull=False).first()
            lines = [services.NewLine(lot_id=self.lots[lot].pk, qty=qty)]
            if kept and kept.inventory_item_id:
                lines.append(services.NewLine(line_id=kept.pk, lot_id=kept.inventory_item_id, qty=qty))
            self._do(services.set_lines, order_id=order.pk, lines=lines, now=timezone.now())

    @rule(which=WHICH, flags=st.sets(st.sampled_from(["on_hold", "problem"])))
    def is_edited(self, which: int, flags: set[str]) -> None:
        if order := self._order(which):
            changes = {"flags": sorted(flags), "notes": f"{len(flags)}"}
            self._do(services.update_order, order_id=order.pk, changes=changes, now=timezone.now())

    @rule(one=WHICH, other=WHICH)
    def go_together(self, one: int, other: int) -> None:
        keys = [order.pk for order in (self._order(one), self._order(other)) if order]
        self._do(services.ship_together, order_ids=keys, now=timezone.now())

    @rule(lot=st.integers(0, 2), qty=FEW)
    def is_counted(self, lot: int, qty: int) -> None:
        self._do(inventory.adjust_stock, lot_id=self.lots[lot].pk, qty_available=qty, now=timezone.now())

    @rule(lot=st.integers(0, 2))
    def is_deleted(self, lot: int) -> None:
        self._do(inventory.delete_lots, lot_ids=[self.lots[lot].pk], now=timezone.now())

    @rule(back=st.integers(0, _LATEST))
    def is_reverted(self, back: int) -> None:
        """Put one of the latest deeds back, reverts among them."""
        done = list(ChangeSet.objects.order_by("-created_at", "-id").values_list("pk", flat=True)[:_LATEST])
        if done:
            with suppress(ProblemError):
                start_revert(change_set_id=done[back % len(done)])
            self._run_jobs()

    @rule()
    def others_are_told(self) -> None:
        dispatch.dispatch()

    # --- Oracles ------------------------------------------------------------------------------------------------------
    @invariant()
    def stock_adds_up(self) -> None:
        assert inventory.verify_stock() == []
        held = OrderLine.objects.filter(qty_reserved__gt=0).order_by().values_list("inventory_item")
        promised = dict(held.annotate(Sum("qty_reserved")))
        for lot in InventoryItem.objects.all():
            assert lot.qty_reserved == promised.pop(lot.pk, 0), lot
            assert lot.qty_available >= 0, lot
        assert not promised
        for line in OrderLine.objects.select_related("order"):
            is_promised = line.order.status in lifecycle.PROMISED
            if is_promised and line.order.moves_stock:
                gone = line.qty_missing + line.qty_shipped
                assert line.qty_ordered == line.qty_reserved + line.qty_short + gone, line
            assert is_promised or line.qty_reserved == line.qty_short == 0, line

    @invariant()
    def every_change_left_a_trail(self) -> None:
        models: list[type[Model]] = [Order, OrderLine, InventoryItem, Refund]
        for model in models:
            # When a row was written last moves also with columns that leave no trail.
            names = [field.attname for field in tracked_fields(model) if field.name != "updated_at"]
            last: dict[Any, tuple[Any, ...]] = {}
            for row in history_of(model).objects.order_by("history_id"):
                values = tuple(getattr(row, name) for name in names)
                assert row.change_set_id, row
                assert (row.history_type == "+") is (last.get(row.id) is None), row
                assert row.history_type != "~" or values != last[row.id], f"nothing changed: {row}"
                last[row.id] = () if row.history_type == "-" else values
                if row.history_type == "-":
                    del last[row.id]
            now = {row[names.index("id")]: row for row in model._base_manager.values_list(*names)}
            assert {key: list(values) for key, values in last.items()} == {
                key: list(values) for key, values in now.items()
            }


def test_whatever_is_done_pieces_and_trail_add_up() -> None:
    run_state_machine_as_test(
        Deeds,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, phases=PHASES, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
