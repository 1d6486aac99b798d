"""The one table of steps: as the definitions have it, and whatever is done in whatever order, stock moves once."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from orders import lifecycle
from orders.lifecycle import By, Effect, LineStatus, Status, Verdict

# definitions.md, 6.2, as it stands there.
HEADS = ["NEW", "PENDING", "PICKING", "PACKING", "READY", "SHIPPED", "DELIVERED", "COMPLETED", "CANCELLED", "REFUNDED"]
TABLE = """
NEW | – | U S C | S | – | C | C | C | C | U C | C
PENDING | U | – | S U | U | C | U C | C | C | U C | U C
PICKING | – | S U | – | S U | C | C | C | C | U C | U C
PACKING | – | U | U | – | U S C | U S C | C | C | U C | U C
READY | – | U | – | U | – | U S C | C | C | U C | U C
SHIPPED | – | – | – | – | R | – | U S C | U S C | – | U C
DELIVERED | – | – | – | – | – | R | – | U S C | – | U C
COMPLETED | – | – | – | – | – | – | – | – | – | U C
CANCELLED | R | R C | – | – | – | – | – | – | – | U C
REFUNDED | – | – | – | – | – | – | – | – | – | –
"""


def test_the_table_is_that_of_the_definitions():
    read = {}
    for row in TABLE.strip().splitlines():
        start, *cells = [cell.strip() for cell in row.split("|")]
        for end, cell in zip(HEADS, cells, strict=True):
            if letters := cell.replace("–", "").split():
                read[Status(start), Status(end)] = {By(letter) for letter in letters}
    assert dict(lifecycle.TABLE) == read


def test_standing_still_is_open_to_everybody_and_does_nothing():
    for status, by in product(Status, By):
        assert lifecycle.is_allowed(status, status, by)
        assert lifecycle.effects(status, status) == ()


class _Stock:
    """Ten pieces that one order wants: what of them is promised, and what has gone."""

    def __init__(self, status: Status) -> None:
        self.status, self.free, self.promised, self.gone = status, 10, 0, 0
        for effect in lifecycle.birth(status):
            self.do(effect)

    def do(self, effect: Effect) -> None:
        match effect:
            case Effect.RESERVE:
                assert (self.free, self.promised) == (10, 0)
                self.free, self.promised = 0, 10
            case Effect.RELEASE:
                assert self.promised == 10
                self.free, self.promised = 10, 0
            case Effect.CONSUME:
                assert self.promised == 10
                self.promised, self.gone = 0, 10
            case Effect.TAKE_BACK:
                assert self.gone == 10
                self.promised, self.gone = 10, 0

    def check(self) -> None:
        assert self.free + self.promised + self.gone == 10
        if self.status in lifecycle.PROMISED:
            assert self.promised == 10
        elif self.status in lifecycle.GONE:
            assert self.gone == 10
        else:
            assert self.promised == 0


steps = st.lists(st.tuples(st.sampled_from(Status), st.sampled_from(By)), max_size=40)


@given(st.sampled_from(Status), steps)
def test_any_sequence_of_allowed_steps_moves_each_piece_once(start, wanted):
    stock = _Stock(start)
    stock.check()
    for end, by in wanted:
        if not lifecycle.is_allowed(stock.status, end, by):
            continue
        for effect in lifecycle.effects(stock.status, end):
            stock.do(effect)
        stock.status = end
        stock.check()


@given(st.sampled_from(Status), st.lists(st.tuples(st.sampled_from(Status), st.booleans()), max_size=40))
def test_a_channel_never_moves_an_order_backwards(start, told):
    status = start
    for each, reinstated in told:
        if lifecycle.verdict(status, each, is_reinstated=reinstated) is not Verdict.MOVE:
            continue
        assert lifecycle.is_allowed(status, each, By.CHANNEL)
        if status in lifecycle.RANK and each in lifecycle.RANK:
            assert lifecycle.RANK[each] > lifecycle.RANK[status]
        status = each


def test_what_ended_on_the_channel_after_it_had_left_is_for_a_person():
    for start, end in product(lifecycle.GONE, lifecycle.ENDS):
        assert lifecycle.verdict(start, end) is Verdict.DISPUTE


def test_only_the_channel_itself_reinstates_what_it_cancelled():
    assert lifecycle.verdict(Status.CANCELLED, Status.PENDING) is Verdict.KEEP
    assert lifecycle.verdict(Status.CANCELLED, Status.PENDING, is_reinstated=True) is Verdict.MOVE


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_the_status_of_a_line_follows_from_its_counts(ordered, picked, missing):
    found = lifecycle.line_status(qty_ordered=ordered, qty_picked=picked, qty_missing=missing)
    if picked == missing == 0:
        assert found is LineStatus.PENDING
    elif picked >= ordered:
        assert found is LineStatus.PICKED
    elif missing >= ordered:
        assert found is LineStatus.MISSING
    else:
        assert found is LineStatus.PARTIAL
