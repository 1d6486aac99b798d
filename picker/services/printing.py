"""A walk on paper, made as it is asked for. Nothing is written."""

from datetime import datetime

from common import workspace
from common.paper import SlipPaper
from orders.documents import sheet_of
from orders.services.printing import pictures_of
from picker.documents import PickList, pick_list
from picker.models import PickSession
from picker.queries.sheet import entries_of, stops_of


def draw_pick_list(session: PickSession, *, address: str, now: datetime) -> bytes:
    """Answer what is left of a session's walk as PDF. `address`: what its QR code opens."""
    shop = workspace.current()
    stops = tuple(stop for stop in stops_of(session) if stop.left)
    paper = PickList(
        shop=shop.name, number=session.number, made_at=now.astimezone(shop.zone), address=address,
        notes=session.notes, metres=None if session.route_metres is None else float(session.route_metres),
        entries=tuple(entry for entry in entries_of(session) if entry.is_in), stops=stops,
    )  # fmt: skip
    pictures = pictures_of((stop.item_type, stop.picture_no, stop.color_id or 0) for stop in stops if stop.picture_no)
    return pick_list(paper, sheet=sheet_of(shop.country, SlipPaper.SHEET), pictures=pictures)
