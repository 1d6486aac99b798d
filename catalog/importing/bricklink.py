"""Merges BrickLink's dumps: the canonical items, their categories, colors, and LEGO's element ids."""

from catalog.importing.sql import SET_ITEM, Counts, have, merge, run
from catalog.importing.tables import BRICKLINK_ITEMS

_CATEGORIES = """
SELECT DISTINCT ON (id) 'bricklink' AS kind, id AS number, name, 'bricklink' AS source
FROM staged_bricklink_categories ORDER BY id
"""
_COLORS = """
SELECT DISTINCT ON (id) id, name, rgb, color_type, year_from, year_to, 'bricklink' AS source,
    ARRAY[]::int[] AS lego_ids, ARRAY[]::int[] AS rebrickable_alternate_ids, ARRAY[]::int[] AS brickowl_alternate_ids
FROM staged_bricklink_colors ORDER BY id
"""
# Items say the number of a category and a path that begins with it: `Town / City / Fire` stands in Town.
_PATHS = """
SELECT DISTINCT ON (category_id) 'bricklink' AS kind, category_id AS number,
    split_part(category_name, ' / ', 1) AS name, 'bricklink' AS source
FROM {staged} WHERE category_name <> '' ORDER BY category_id, name
"""
_ITEMS = """
SELECT DISTINCT ON (s.item_no) '{kind}' AS item_type, s.item_no, s.name, c.id AS category_id, s.weight_grams,
    coalesce(s.dimensions, '') AS dimensions, s.year AS year_released,
    CASE WHEN coalesce(s.alternates, '') = '' THEN ARRAY[]::varchar[]
         ELSE string_to_array(s.alternates, ',')::varchar[] END AS alternate_nos,
    false AS is_provisional, 'bricklink' AS source, NULL::timestamptz AS retired_at, '' AS image_url,
    '' AS thumbnail_url, '' AS words, 0 AS popularity
FROM {staged} s LEFT JOIN catalog_catalogcategory c ON c.kind = 'bricklink' AND c.number = s.category_id
ORDER BY s.item_no
"""
# A part that is only known by its colors' codes gets its name from elsewhere.
_CODED = """
SELECT DISTINCT item_no, 'PART' AS item_type, '' AS name, ARRAY[]::varchar[] AS alternate_nos, false AS is_provisional,
    '' AS dimensions, 'bricklink' AS source, '' AS image_url, '' AS thumbnail_url, '' AS words, 0 AS popularity
FROM staged_bricklink_codes s
WHERE NOT EXISTS (SELECT 1 FROM catalog_catalogitem i WHERE i.item_no = s.item_no AND NOT i.is_provisional
                  AND i.item_type IN ('PART', 'GEAR', 'MINIFIG', 'SET'))
"""
_ELEMENTS = """
SELECT DISTINCT ON (s.element_id, s.item_no) 'bricklink' AS source, s.element_id, s.item_no AS part_no,
    c.id AS color_id
FROM staged_bricklink_codes s LEFT JOIN catalog_catalogcolor c ON c.name = s.color_name AND c.id <> 0
ORDER BY s.element_id, s.item_no, c.id
"""
# An item that the whole list of its kind no longer has.
_RETIRED = """
UPDATE catalog_catalogitem t SET retired_at = now() WHERE t.item_type = '{kind}' AND t.source = 'bricklink'
  AND t.retired_at IS NULL AND NOT EXISTS (SELECT 1 FROM {staged} s WHERE s.item_no = t.item_no)
"""
# A number that Rebrickable had alone is BrickLink's by now: the same text, which is a hint and no proof.
_CLAIMED = """
UPDATE catalog_catalogexternalid x SET confidence = 0.40, source = 'auto' FROM catalog_catalogitem i, {staged} s
WHERE i.id = x.item_id AND i.item_type = '{kind}' AND i.is_provisional AND i.item_type = 'PART'
  AND s.item_no = i.item_no AND x.system = 'rebrickable' AND x.source = 'rebrickable'
"""
_NUMBERS = """
SELECT id AS item_id, 'bricklink' AS system, item_no AS external_id, 'bricklink' AS source, 1.00 AS confidence
FROM catalog_catalogitem WHERE NOT is_provisional AND source = 'bricklink'
"""
_CONTENTS = """
SELECT owner.id AS set_id, i.id AS item_id, nullif(s.color_id, 0) AS color_id, sum(s.qty) AS qty, s.is_spare,
    s.is_alternate, s.is_counterpart, nullif(s.match_id, 0) AS match_id, 'bricklink' AS source
FROM staged_bricklink_contents s
JOIN catalog_catalogitem owner ON owner.item_no = s.subject AND owner.item_type IN ('SET', 'MINIFIG', 'GEAR')
JOIN catalog_catalogitem i ON i.item_no = s.item_no AND i.item_type = s.item_type
LEFT JOIN catalog_catalogcolor c ON c.id = s.color_id
WHERE s.color_id IS NULL OR s.color_id = 0 OR c.id IS NOT NULL
GROUP BY owner.id, i.id, nullif(s.color_id, 0), s.is_spare, s.is_alternate, s.is_counterpart, nullif(s.match_id, 0)
"""
# What the sets that were staged are no longer made of, whoever said so.
_GONE = """
DELETE FROM catalog_catalogsetitem t USING catalog_catalogitem o
WHERE o.id = t.set_id AND o.item_type IN ('SET', 'MINIFIG', 'GEAR')
  AND o.item_no IN (SELECT subject FROM staged_bricklink_contents)
  AND NOT EXISTS (SELECT 1 FROM bricklink_content q WHERE q.set_id = t.set_id AND q.item_id = t.item_id
                  AND (q.color_id, q.is_spare, q.is_alternate, q.is_counterpart, q.match_id)
                      IS NOT DISTINCT FROM (t.color_id, t.is_spare, t.is_alternate, t.is_counterpart, t.match_id))
"""


def merge_bricklink(codes: frozenset[str], counts: Counts) -> None:
    """Merge what of BrickLink was staged (`codes` of tables), in the order in which one needs another."""
    if "bricklink/categories" in codes:
        counts.add("categories", merge("catalog_catalogcategory", _CATEGORIES, key="kind, number"))
    if "bricklink/colors" in codes:
        kept = ("lego_ids", "rebrickable_alternate_ids", "brickowl_alternate_ids", "source")
        counts.add("colors", merge("catalog_catalogcolor", _COLORS, key="id", keeps=kept))
    for kind, table in BRICKLINK_ITEMS.items():
        if table.code not in codes:
            continue
        staged = table.staging
        # The list of all categories has the names; without it the beginnings of the paths must do.
        paths = _PATHS.format(staged=staged)
        counts.add("categories", merge("catalog_catalogcategory", paths, key="kind, number", is_new_only=True))
        kept = ("image_url", "thumbnail_url", "words", "popularity")
        items = _ITEMS.format(kind=kind, staged=staged)
        run(_CLAIMED.format(kind=kind, staged=staged))
        # Which columns a download has is the choice of whoever fetches it.
        fills = ("weight_grams", "dimensions", "year_released", "alternate_nos")
        counts.add("items", merge("catalog_catalogitem", items, key="item_type, item_no", keeps=kept, fills=fills))
        counts.add("retired", run(_RETIRED.format(kind=kind, staged=staged)))
    if "bricklink/codes" in codes:
        counts.add("items", merge("catalog_catalogitem", _CODED, key="item_type, item_no", is_new_only=True))
        counts.add("elements", merge("catalog_catalogelement", _ELEMENTS, key="element_id, source, part_no"))
    merge("catalog_catalogexternalid", _NUMBERS, key="system, external_id, item_id", is_new_only=True)
    if "bricklink/contents" in codes:
        _replace_contents(counts)


def _replace_contents(counts: Counts) -> None:
    """Have the sets that were staged made of just what was staged."""
    have("bricklink_content", _CONTENTS)
    counts.add("set contents", run(_GONE))
    counts.add("set contents", merge("catalog_catalogsetitem", "SELECT * FROM bricklink_content q", key=SET_ITEM))
