"""Puts the colors, and a small catalog for the beginning, into the tables. Dumps of the sources replace it."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import migrations

_DATA = Path(__file__).resolve().parent.parent / "data"
_SOURCE = "manual"


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_DATA / name).open(newline="") as table:
        yield from csv.DictReader(table)


def _number(text: str) -> int | None:
    return int(text) if text else None


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split()]


def _colors(model: Any) -> None:
    model.objects.bulk_create(
        model(
            id=int(row["id"]), name=row["name"], rgb=row["rgb"], color_type=row["color_type"],
            brickowl_id=_number(row["brickowl_id"]), rebrickable_id=_number(row["rebrickable_id"]),
            ldraw_id=_number(row["ldraw_id"]), lego_ids=_numbers(row["lego_ids"]),
            rebrickable_alternate_ids=_numbers(row["rebrickable_alternates"]),
            brickowl_alternate_ids=_numbers(row["brickowl_alternates"]), year_from=_number(row["year_from"]),
            year_to=_number(row["year_to"]), source=_SOURCE,
        )
        for row in _rows("colors.csv")
    )  # fmt: skip


def _items(apps: Any) -> None:
    item, external, element, colored, mapping = (
        apps.get_model("catalog", name)
        for name in ("CatalogItem", "CatalogExternalId", "CatalogElement", "CatalogItemColor", "CatalogIdMapping")
    )
    for row in _rows("items.csv"):
        no = row["item_no"]
        words = " ".join((no, re.sub(r"(\d) x (?=\d)", r"\1x", row["name"]))).lower()
        made = item.objects.create(
            item_type=row["item_type"], item_no=no, name=row["name"], year_released=_number(row["year"]),
            weight_grams=row["weight_grams"] or None, words=words, source=_SOURCE,
        )  # fmt: skip
        numbers = {"bricklink": (no, "1.00")}
        if row["rebrickable_id"]:
            numbers["rebrickable"] = (row["rebrickable_id"], "0.95")
        external.objects.bulk_create(
            external(item=made, system=system, external_id=number, source="auto", confidence=confidence)
            for system, (number, confidence) in numbers.items()
        )
        elements = {
            int(color): ids.split("/") for color, _, ids in (part.partition(":") for part in row["elements"].split())
        }
        element.objects.bulk_create(
            (
                element(source="bricklink", element_id=one, part_no=no, color_id=color)
                for color, ids in elements.items()
                for one in ids
            ),
            ignore_conflicts=True,
        )
        colored.objects.bulk_create(
            colored(item=made, color_id=color, lego_element_ids=ids, source="bricklink")
            for color, ids in elements.items()
        )
        mapping.objects.create(
            item_type=row["item_type"], canonical_item_no=no, bricklink_id=no, rebrickable_id=row["rebrickable_id"],
            lego_element_ids=sorted({one for ids in elements.values() for one in ids}), mapping_source="auto",
            confidence="0.95" if row["rebrickable_id"] else "1.00",
        )  # fmt: skip


def _contents(apps: Any) -> None:
    item, content = apps.get_model("catalog", "CatalogItem"), apps.get_model("catalog", "CatalogSetItem")
    keys = {(kind, no): key for kind, no, key in item.objects.values_list("item_type", "item_no", "pk")}
    content.objects.bulk_create(
        content(
            set_id=keys["SET", row["set_no"]], item_id=keys[row["item_type"], row["item_no"]],
            color_id=int(row["color_id"]), qty=int(row["qty"]), is_spare=row["is_spare"] == "yes", source=_SOURCE,
        )
        for row in _rows("set_items.csv")
    )  # fmt: skip


def put_in(apps: Any, _schema_editor: Any) -> None:
    """Fill the tables, which are empty."""
    _colors(apps.get_model("catalog", "CatalogColor"))
    _items(apps)
    _contents(apps)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    operations = [migrations.RunPython(put_in, migrations.RunPython.noop)]
