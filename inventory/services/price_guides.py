"""Has the price guide asked for many lots: those that are worth the most first, as far as the day's budget goes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from django.db import connection
from django.utils import timezone

from catalog import services as catalog
from catalog.choices import ItemType, PriceKind
from catalog.models import CatalogItem
from catalog.queries.pricing import FRESH_FOR, PriceKey
from common.errors import Invalid, ProviderError, ProviderRejected, ProviderUnavailable, RateLimited
from common.steps import step
from inventory.models import RepricingRule
from inventory.queries.pricing import guides_of, market
from inventory.services.bulk_edit import Selection
from inventory.services.bulk_sql import Sql
from inventory.services.repricing.covering import GUIDE, LOTS, covered
from jobs import services as jobs
from jobs.errors import TryAgain
from jobs.models import JobRun
from jobs.runner import Run

FETCH = "price_guide"
_AT_ONCE = 50
# So much is waited for a call; what wants more is over for today.
_PATIENCE_S = 120
# A source that is away is asked again so often, each time later.
_TRIES = 5
_PAUSE = timedelta(minutes=1)
# After so long others get the worker for a moment: hours of calls aren't worth keeping an import waiting.
_TURN_S = 120
# What the source refuses is left out; so many, and something else is wrong.
_REFUSED_AT_MOST = 50
_ITEMS = CatalogItem._meta.db_table

# Things of which a kind of figures is missing or old, the dearest stock first. Numbers that only Rebrickable has
# aren't asked for: BrickLink doesn't know them.
_MISSING = f"""
FROM (
    SELECT item_type, item_no, color_id, condition, sum(qty_available * unit_price) AS worth FROM {LOTS}
    WHERE ({{where}}) AND item_type <> '{ItemType.CUSTOM.value}' GROUP BY 1, 2, 3, 4
) l
WHERE (
    SELECT count(*) FROM {GUIDE} g WHERE g.item_no = l.item_no AND g.item_type = l.item_type
    AND g.color_id = coalesce(l.color_id, 0) AND g.condition = l.condition AND g.currency = %s AND g.region = %s
    AND g.fetched_at > %s
) < {len(PriceKind)}
AND NOT EXISTS (
    SELECT 1 FROM {_ITEMS} i WHERE i.item_type = l.item_type AND i.item_no = l.item_no AND i.is_provisional
)
"""  # noqa: S608  # names come from the models


@dataclass(frozen=True, slots=True)
class Fetched:
    """How far the fetching went: things asked for, things left, and what it stopped for, if it did."""

    asked: int
    left: int
    stopped: str = ""
    refused: int = 0

    @property
    def message(self) -> str:
        """Answer it in words."""
        words = f"{_things(self.asked)} asked for"
        if self.refused:
            words += f", {self.refused:,} refused"
        if self.left:
            words += f", {self.left:,} left"
        return f"{words}. {self.stopped}".strip()


def _things(count: int) -> str:
    return f"{count:,} item{'' if count == 1 else 's'}"


Missing = Callable[[int], Sequence[PriceKey]]
Count = Callable[[], int]


def count_missing(where: Sql, *, now: datetime) -> int:
    """Answer of how many things that lots are of figures are missing, or older than two weeks."""
    rows = _rows("SELECT count(*)", where, "", (), now=now)
    return int(rows[0][0])


def missing_keys(where: Sql, *, limit: int, now: datetime) -> list[PriceKey]:
    """Answer those things, the dearest stock first."""
    rows = _rows(
        "SELECT item_type, item_no, color_id, condition", where,
        "ORDER BY worth DESC, item_no, item_type, color_id, condition LIMIT %s", (limit,), now=now,
    )  # fmt: skip
    return [PriceKey(*row) for row in rows]


def _rows(head: str, where: Sql, tail: str, more: tuple[Any, ...], *, now: datetime) -> list[tuple[Any, ...]]:
    here = market()
    with connection.cursor() as cursor:
        cursor.execute(
            f"{head} {_MISSING.format(where=where.text)} {tail}",
            (*where.params, here.currency, here.region, now - FRESH_FOR, *more),
        )
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def missing_of(keys: Iterable[PriceKey], *, now: datetime) -> list[PriceKey]:
    """Answer those of the things of which figures are missing, or older than two weeks. One query."""
    wanted = [key for key in dict.fromkeys(keys) if key.is_askable]
    kept = guides_of(wanted)
    return [key for key in wanted if key not in kept or kept[key].missing(now=now)]


def start_fetching(*, selection: Selection, key: str, above: Sequence[str] = (), label: str = "") -> JobRun:
    """Have the price guide asked for lots by a job; the same key answers the same job. Raises Invalid."""
    covered(selection, above)
    args = {"selection": selection.as_json(), "above": list(above)}
    return jobs.start(FETCH, key=key, args=args, label=label[:200])


def start_fetching_of(*, keys: Sequence[PriceKey], key: str, label: str) -> JobRun:
    """Have the price guide asked for things that needn't be in stock, such as what a set is made of."""
    args = {"keys": [[each.item_type, each.item_no, each.color_id, each.condition] for each in keys]}
    return jobs.start(FETCH, key=key, args=args, label=label[:200])


def where_of_rules() -> Sql | None:
    """Answer the condition that an active rule covers a lot; None where none does. What nobody understands is none."""
    found = []
    for query in (
        RepricingRule.objects.filter(is_active=True).order_by("position", "pk").values_list("query", flat=True)
    ):
        with suppress(Invalid):
            found.append(Selection(query=query).where)
    if not found:
        return None
    text = " OR ".join(f"coalesce(({each.text}), false)" for each in found)
    return Sql(text, tuple(param for each in found for param in each.params))


def fetch(job: Run, *, missing: Missing, count: Count) -> Fetched:
    """Ask for one thing after another, from the job's checkpoint on, until all is there or the budget is used up.

    What is fetched is missing no more, so only the counts are to be remembered, and what the source refused.
    Raises TryAgain where it is to go on in a while; what stops it for today is told and not raised.
    """
    place = job.checkpoint
    asked, tries = place.get("asked", 0), place.get("tries", 0)
    refused = [PriceKey(*each) for each in place.get("refused", [])]
    if not catalog.can_fetch_prices():
        return Fetched(asked, count(), "No source of prices is connected.")

    def save() -> None:
        kept = [[each.item_type, each.item_no, each.color_id, each.condition] for each in refused]
        job.save_checkpoint(**{**job.checkpoint, "asked": asked, "tries": tries, "refused": kept})

    here, began = market(), monotonic()
    while keys := [key for key in missing(_AT_ONCE + len(refused)) if key not in refused]:
        total = asked + count() - len(refused)
        for key in keys:
            job.progress(asked, max(total, asked), unit="items")
            try:
                catalog.fetch_guide(key=key, currency=here.currency, region=here.region, now=timezone.now())
            except ProviderRejected:
                refused.append(key)
                save()
                if len(refused) > _REFUSED_AT_MOST:
                    return Fetched(asked, count() - len(refused), "Too many were refused.", len(refused))
                continue
            except (RateLimited, ProviderError) as error:
                tries = tries + 1 if isinstance(error, ProviderUnavailable) else tries
                save()
                _wait_for(error, tries)
                return Fetched(asked, count() - len(refused), _why(error), len(refused))
            asked, tries = asked + 1, 0
            step("inventory.prices_fetched")
            if monotonic() - began > _TURN_S:
                save()
                raise TryAgain("Lets others go first", after=timedelta(seconds=1))
        save()
    return Fetched(asked, 0, "", len(refused))


def _wait_for(error: RateLimited | ProviderError, tries: int) -> None:
    """Raise TryAgain where it is worth waiting."""
    wait_s = error.extra.get("retry_after")
    if isinstance(error, RateLimited):
        if wait_s is not None and wait_s <= _PATIENCE_S:
            raise TryAgain("Waiting for the next call", after=timedelta(seconds=wait_s))
        return
    if isinstance(error, ProviderUnavailable) and tries < _TRIES and (wait_s or 0) <= _PATIENCE_S * _TRIES:
        pause = max(timedelta(seconds=wait_s or 0), _PAUSE * tries)
        raise TryAgain(f"{error.detail} It is asked again in a while.", after=pause)


def _why(error: RateLimited | ProviderError) -> str:
    if isinstance(error, RateLimited):
        return f"{error.detail} The rest can be asked for tomorrow; what a rule needs is asked for each night."
    return error.detail
