"""Counts the lines of dumps that were read and mean nothing, since they name what the catalog doesn't know."""

from collections.abc import Collection, Mapping

from django.db import connection

_NO_PART = "NOT EXISTS (SELECT 1 FROM rebrickable_part p WHERE p.part_num = s.{column})"
_NO_ITEM = (
    "NOT EXISTS (SELECT 1 FROM catalog_catalogexternalid x JOIN catalog_catalogitem i ON i.id = x.item_id WHERE"
    " x.system = 'rebrickable' AND x.external_id = s.{column} AND i.item_type = ANY('{{{kinds}}}'))"
)
# What makes a line of a table one of these, while what was made for the merge is still there.
_UNKNOWN: Mapping[str, str] = {
    "rebrickable/part_relationships": (
        f"{_NO_PART.format(column='child_part_num')} OR {_NO_PART.format(column='parent_part_num')}"
    ),
    "rebrickable/inventory_parts": _NO_PART.format(column="part_num"),
    "rebrickable/inventory_minifigs": _NO_ITEM.format(column="fig_num", kinds="MINIFIG"),
    "rebrickable/inventory_sets": _NO_ITEM.format(column="set_num", kinds="SET,GEAR,BOOK"),
    "bricklink/contents": (
        "NOT EXISTS (SELECT 1 FROM catalog_catalogitem i WHERE i.item_no = s.subject AND i.item_type IN ('SET',"
        " 'MINIFIG', 'GEAR')) OR NOT EXISTS (SELECT 1 FROM catalog_catalogitem i WHERE i.item_no = s.item_no AND"
        " i.item_type = s.item_type) OR coalesce(s.color_id, 0) <> 0 AND NOT EXISTS (SELECT 1 FROM"
        " catalog_catalogcolor c WHERE c.id = s.color_id)"
    ),
}


def unknown_lines(codes: Collection[str]) -> dict[str, int]:
    """Answer how many lines of each staged table name what the catalog doesn't know. Inside the merge's transaction."""
    found = {}
    with connection.cursor() as cursor:
        for code, condition in _UNKNOWN.items():
            if code in codes:
                staged = f"staged_{code.replace('/', '_')}"
                cursor.execute(f"SELECT count(*) FROM {staged} s WHERE {condition}")  # noqa: S608  # statements of ours
                [(count,)] = cursor.fetchall()
                if count:
                    found[code] = count
    return found
