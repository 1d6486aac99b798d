"""Papers of many orders at once: a job, whose file is the print."""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import IO
from uuid import UUID

from PIL import Image

from catalog.queries.images import IN_LISTS, kept_images
from catalog.services.images import read_image
from common import workspace
from common.errors import Invalid
from jobs import services as jobs
from orders.documents import invoices, packing_slips, sheet_of
from orders.queries.printing import Paper, PictureKey, papers_of

JOB = "print_orders"
KINDS = {"packing_slips": "Packing slips", "invoices": "Invoices"}
# More would be one file that nobody prints.
MOST = 300
_QUALITY = 82


def start_printing(*, order_ids: Sequence[UUID], kind: str, now: datetime) -> UUID:
    """Have the papers of the orders made as one file; answer the job. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(errors={"/kind": ["Packing slips or invoices."]})
    if not 0 < len(order_ids) <= MOST:
        text = f"At most {MOST} orders are printed as one file. Choose fewer."
        raise Invalid(text, errors={"/order_ids": [text]})
    count = len(order_ids)
    label = f"{KINDS[kind]} of {count:,} order{'' if count == 1 else 's'}"
    return jobs.start(JOB, args={"order_ids": [str(key) for key in order_ids], "kind": kind}, label=label).pk


def write_papers(*, order_ids: Sequence[UUID], kind: str, stream: IO[bytes]) -> int:
    """Write the file; answer how many orders it has."""
    papers = papers_of(order_ids)
    if papers:
        stream.write(draw(papers, kind=kind))
    return len(papers)


def draw(papers: list[Paper], *, kind: str, paper: str = "") -> bytes:
    """Answer the papers as one PDF. `paper`: what slips are printed on, else what the shop has chosen."""
    shop = workspace.current()
    if kind == "invoices":
        return invoices(papers, sheet=sheet_of(shop.country))
    pictures = None
    if shop.has_slip_pictures:
        pictures = pictures_of(line.picture_key for paper in papers for line in paper.lines)
    return packing_slips(papers, sheet=sheet_of(shop.country, paper or shop.slip_paper), pictures=pictures)


def pictures_of(keys: Iterable[PictureKey]) -> dict[PictureKey, bytes]:
    """Answer the small pictures that are kept of things, as JPEG. Nobody is asked for others."""
    kept = kept_images(keys)
    found = {}
    for key, image in kept.items():
        data = read_image(image=image, side=IN_LISTS)
        if data is not None and (jpeg := _as_jpeg(data)):
            found[key] = jpeg
    return found


def _as_jpeg(data: bytes) -> bytes:
    """Answer a picture as PDF has it, which takes a JPEG as it is; nothing for one that can't be read any more."""
    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data), formats=["WEBP"]) as image:
            image.convert("RGB").save(made, "JPEG", quality=_QUALITY)
    except (OSError, ValueError):
        return b""
    return made.getvalue()
