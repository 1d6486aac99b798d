"""Merges Rebrickable's dumps: names and categories of parts, sets and figures, and what these are made of.

Its parts become BrickLink's items where the dictionary says so; the others stand under Rebrickable's own number until
it does (`is_provisional`).
"""

from catalog.importing import dictionary
from catalog.importing.sql import SET_ITEM, Counts, have, merge, run

_THEMES = """
SELECT DISTINCT ON (id) 'theme' AS kind, id AS number, name, 'rebrickable' AS source FROM staged_rebrickable_themes
ORDER BY id
"""
# A theme that is its own ancestor has no path to end: it is left without a parent.
_THEME_PARENTS = """
WITH RECURSIVE up AS (
    SELECT id, parent_id AS ancestor, ARRAY[id] AS path FROM staged_rebrickable_themes WHERE parent_id IS NOT NULL
    UNION ALL
    SELECT up.id, s.parent_id, up.path || s.id FROM up JOIN staged_rebrickable_themes s ON s.id = up.ancestor
    WHERE NOT s.id = ANY(up.path) AND s.parent_id IS NOT NULL
), turning AS (SELECT DISTINCT id FROM up WHERE ancestor = id)
UPDATE catalog_catalogcategory t SET parent_id = p.id
FROM staged_rebrickable_themes s
LEFT JOIN catalog_catalogcategory p ON p.kind = 'theme' AND p.number = s.parent_id
    AND s.id NOT IN (SELECT id FROM turning)
WHERE t.kind = 'theme' AND t.number = s.id AND t.parent_id IS DISTINCT FROM p.id
"""
_PART_CATEGORIES = """
SELECT DISTINCT ON (id) 'part_category' AS kind, id AS number, name, 'rebrickable' AS source
FROM staged_rebrickable_part_categories ORDER BY id
"""
# Rebrickable's color as BrickLink's: its own number first, then the alternates; pseudo colors are none.
_COLORS = """
SELECT DISTINCT ON (rebrickable_id) rebrickable_id, id AS color_id FROM (
    SELECT rebrickable_id, id, 0 AS rank FROM catalog_catalogcolor WHERE rebrickable_id IS NOT NULL AND id <> 0
    UNION ALL SELECT unnest(rebrickable_alternate_ids), id, 1 FROM catalog_catalogcolor WHERE id <> 0
) c ORDER BY rebrickable_id, rank, id
"""
_ELEMENTS = """
SELECT DISTINCT ON (s.element_id, s.part_num) 'rebrickable' AS source, s.element_id, s.part_num AS part_no, c.color_id
FROM staged_rebrickable_elements s LEFT JOIN rebrickable_color c ON c.rebrickable_id = s.color_id
ORDER BY s.element_id, s.part_num
"""
_DESIGNS = """
SELECT DISTINCT p.item_id, 'lego_design' AS system, s.design_id AS external_id, 'rebrickable' AS source,
    0.90 AS confidence
FROM staged_rebrickable_elements s JOIN rebrickable_part p ON p.part_num = s.part_num WHERE s.design_id <> ''
"""
_NEW_PARTS = """
SELECT DISTINCT ON (s.part_num) 'PART' AS item_type, s.part_num AS item_no, s.name, c.id AS category_id,
    true AS is_provisional, ARRAY[]::varchar[] AS alternate_nos, 'rebrickable' AS source, '' AS dimensions,
    '' AS image_url, '' AS thumbnail_url, '' AS words, 0 AS popularity
FROM staged_rebrickable_parts s
LEFT JOIN catalog_catalogcategory c ON c.kind = 'part_category' AND c.number = s.part_cat_id
WHERE NOT EXISTS (SELECT 1 FROM catalog_catalogexternalid x JOIN catalog_catalogitem i ON i.id = x.item_id
                  WHERE x.system = 'rebrickable' AND x.external_id = s.part_num AND x.confidence >= 0.5
                    AND i.item_type = 'PART')
ORDER BY s.part_num
"""
# Of the same number: its own item, or one of BrickLink's, of which that is a hint.
_OWN_NUMBERS = """
SELECT i.id AS item_id, 'rebrickable' AS system, s.part_num AS external_id,
    CASE WHEN i.is_provisional THEN 'rebrickable' ELSE 'auto' END AS source,
    CASE WHEN i.is_provisional THEN 1.00 ELSE 0.40 END AS confidence
FROM (SELECT DISTINCT part_num FROM staged_rebrickable_parts) s
JOIN catalog_catalogitem i ON i.item_type = 'PART' AND i.item_no = s.part_num
"""
_PARTS = """
SELECT DISTINCT ON (x.external_id) x.external_id AS part_num, x.item_id, x.confidence
FROM catalog_catalogexternalid x JOIN catalog_catalogitem i ON i.id = x.item_id
WHERE x.system = 'rebrickable' AND i.item_type = 'PART'
ORDER BY x.external_id, array_position(ARRAY['manual', 'rebrickable', 'brickowl', 'auto'], x.source::text),
    x.confidence DESC, i.is_provisional, (i.item_no = x.external_id) DESC, i.id
"""
# BrickLink's own name of a part is never overwritten; one that its lists don't name gets Rebrickable's. The items that
# come with the application keep their names, and get the categories that it doesn't bring.
_NAMES = """
UPDATE catalog_catalogitem t SET name = n.name, category_id = n.category_id
FROM (SELECT t.id, CASE WHEN t.source = 'manual' THEN t.name ELSE s.name END AS name,
        coalesce(t.category_id, s.category_id) AS category_id
    FROM (SELECT DISTINCT ON (p.item_id) p.item_id, s.name, c.id AS category_id
          FROM staged_rebrickable_parts s
          JOIN rebrickable_part p ON p.part_num = s.part_num AND p.confidence >= 0.5
          LEFT JOIN catalog_catalogcategory c ON c.kind = 'part_category' AND c.number = s.part_cat_id
          ORDER BY p.item_id, p.confidence DESC, s.part_num) s
    JOIN catalog_catalogitem t ON t.id = s.item_id
    WHERE t.name = '' OR t.source IN ('rebrickable', 'manual') OR NOT EXISTS (
        SELECT 1 FROM catalog_catalogdump d WHERE d.name = 'bricklink/part')) n
WHERE t.id = n.id AND (t.name, t.category_id) IS DISTINCT FROM (n.name, n.category_id)
"""
_RELATIONS = """
SELECT DISTINCT s.rel_type AS kind, child.item_id AS child_id, parent.item_id AS parent_id, 'rebrickable' AS source
FROM staged_rebrickable_part_relationships s
JOIN rebrickable_part child ON child.part_num = s.child_part_num
JOIN rebrickable_part parent ON parent.part_num = s.parent_part_num
WHERE child.item_id <> parent.item_id
"""
# A set of the same number is the same set; some are gear or a book on the other side, without the `-1`.
_SET_TARGETS = """
SELECT DISTINCT ON (s.set_num) s.set_num, i.id AS item_id FROM staged_rebrickable_sets s
JOIN catalog_catalogitem i ON NOT i.is_provisional AND (
    (i.item_type = 'SET' AND i.item_no = s.set_num)
    OR (i.item_type IN ('GEAR', 'BOOK') AND i.item_no = regexp_replace(s.set_num, '-1$', '')))
ORDER BY s.set_num, array_position(ARRAY['SET', 'GEAR', 'BOOK'], i.item_type::text)
"""
_NEW_SETS = """
SELECT DISTINCT ON (s.set_num) 'SET' AS item_type, s.set_num AS item_no, s.name, c.id AS category_id,
    s.year AS year_released, true AS is_provisional, ARRAY[]::varchar[] AS alternate_nos, 'rebrickable' AS source,
    '' AS dimensions, coalesce(s.img_url, '') AS image_url, '' AS thumbnail_url, '' AS words, 0 AS popularity
FROM staged_rebrickable_sets s
LEFT JOIN catalog_catalogcategory c ON c.kind = 'theme' AND c.number = s.theme_id
WHERE NOT EXISTS (SELECT 1 FROM rebrickable_set t WHERE t.set_num = s.set_num)
ORDER BY s.set_num
"""
_OWN_SETS = """
INSERT INTO rebrickable_set (set_num, item_id) SELECT s.set_num, i.id FROM staged_rebrickable_sets s
JOIN catalog_catalogitem i ON i.item_type = 'SET' AND i.item_no = s.set_num
WHERE NOT EXISTS (SELECT 1 FROM rebrickable_set t WHERE t.set_num = s.set_num)
"""
_SET_NUMBERS = """
SELECT t.item_id, 'rebrickable' AS system, t.set_num AS external_id,
    CASE WHEN i.is_provisional THEN 'rebrickable' ELSE 'auto' END AS source,
    CASE WHEN i.is_provisional THEN 1.00 ELSE 0.90 END AS confidence
FROM rebrickable_set t JOIN catalog_catalogitem i ON i.id = t.item_id
"""
_PICTURES = """
UPDATE catalog_catalogitem t SET image_url = s.img_url
FROM rebrickable_set r JOIN staged_rebrickable_sets s ON s.set_num = r.set_num
WHERE t.id = r.item_id AND s.img_url <> '' AND t.image_url <> s.img_url
"""
# Of a part in a color; older dumps have none. The worked out part may have taken the place of a provisional one.
_COLOR_PICTURES = """
UPDATE catalog_catalogitemcolor t SET image_url = q.img_url
FROM (SELECT DISTINCT ON (p.item_id, c.color_id) p.item_id, c.color_id, s.img_url
      FROM (SELECT DISTINCT part_num, color_id, img_url FROM staged_rebrickable_inventory_parts WHERE img_url <> '') s
      JOIN rebrickable_part p ON p.part_num = s.part_num AND p.confidence >= 0.5
      JOIN rebrickable_color c ON c.rebrickable_id = s.color_id
      ORDER BY p.item_id, c.color_id, p.confidence DESC, s.img_url DESC) q
WHERE t.item_id = q.item_id AND t.color_id = q.color_id AND t.image_url <> q.img_url
"""
_FIGURES = """
SELECT DISTINCT ON (fig_num) 'MINIFIG' AS item_type, fig_num AS item_no, name, true AS is_provisional,
    ARRAY[]::varchar[] AS alternate_nos, 'rebrickable' AS source, '' AS dimensions, coalesce(img_url, '') AS image_url,
    '' AS thumbnail_url, '' AS words, 0 AS popularity
FROM staged_rebrickable_minifigs ORDER BY fig_num
"""
_FIGURE_NUMBERS = """
SELECT i.id AS item_id, 'rebrickable' AS system, s.fig_num AS external_id, 'rebrickable' AS source, 1.00 AS confidence
FROM staged_rebrickable_minifigs s JOIN catalog_catalogitem i ON i.item_type = 'MINIFIG' AND i.item_no = s.fig_num
"""
# Only the newest version of a set is what is sold as it today.
_OWNERS = """
SELECT DISTINCT ON (inventory_id) inventory_id, set_id FROM (
SELECT DISTINCT ON (v.set_num) v.id AS inventory_id, coalesce(s.item_id, i.id) AS set_id
FROM staged_rebrickable_inventories v
LEFT JOIN (SELECT x.external_id, x.item_id FROM catalog_catalogexternalid x JOIN catalog_catalogitem i
           ON i.id = x.item_id AND i.item_type IN ('SET', 'GEAR', 'BOOK')
           WHERE x.system = 'rebrickable' AND x.confidence >= 0.5) s ON s.external_id = v.set_num
LEFT JOIN catalog_catalogitem i ON i.item_type = 'MINIFIG' AND i.item_no = v.set_num
WHERE coalesce(s.item_id, i.id) IS NOT NULL ORDER BY v.set_num, v.version DESC, v.id
) o ORDER BY inventory_id, set_id
"""
_PART_CONTENTS = """
SELECT o.set_id, p.item_id, c.color_id, sum(s.quantity)::int AS qty, s.is_spare
FROM staged_rebrickable_inventory_parts s JOIN rebrickable_owner o ON o.inventory_id = s.inventory_id
JOIN rebrickable_part p ON p.part_num = s.part_num
LEFT JOIN rebrickable_color c ON c.rebrickable_id = s.color_id
GROUP BY o.set_id, p.item_id, c.color_id, s.is_spare
"""
_FIGURE_CONTENTS = """
SELECT o.set_id, i.id AS item_id, NULL::int AS color_id, sum(s.quantity)::int AS qty, false AS is_spare
FROM staged_rebrickable_inventory_minifigs s JOIN rebrickable_owner o ON o.inventory_id = s.inventory_id
JOIN catalog_catalogitem i ON i.item_type = 'MINIFIG' AND i.item_no = s.fig_num GROUP BY o.set_id, i.id
"""
_SET_CONTENTS = """
SELECT o.set_id, x.item_id, NULL::int AS color_id, sum(s.quantity)::int AS qty, false AS is_spare
FROM staged_rebrickable_inventory_sets s JOIN rebrickable_owner o ON o.inventory_id = s.inventory_id
JOIN catalog_catalogexternalid x ON x.system = 'rebrickable' AND x.external_id = s.set_num AND x.confidence >= 0.5
JOIN catalog_catalogitem i ON i.id = x.item_id AND i.item_type IN ('SET', 'GEAR', 'BOOK') GROUP BY o.set_id, x.item_id
"""
_CONTENTS = {
    "rebrickable/inventory_parts": (_PART_CONTENTS, "PART"),
    "rebrickable/inventory_minifigs": (_FIGURE_CONTENTS, "MINIFIG"),
    "rebrickable/inventory_sets": (_SET_CONTENTS, "SET"),
}
_FULL = (
    "SELECT set_id, item_id, color_id, qty, is_spare, false AS is_alternate, false AS is_counterpart,"
    " NULL::int AS match_id, 'rebrickable' AS source FROM rebrickable_contents q"
    # A set whose contents BrickLink told has them from there alone.
    " WHERE NOT EXISTS (SELECT 1 FROM catalog_catalogsetitem b WHERE b.set_id = q.set_id AND b.source = 'bricklink')"
)
_GONE = """
DELETE FROM catalog_catalogsetitem t USING catalog_catalogitem i
WHERE i.id = t.item_id AND t.source = 'rebrickable' AND i.item_type = ANY('{{{types}}}')
  AND t.set_id IN (SELECT set_id FROM rebrickable_owner)
  AND NOT EXISTS (SELECT 1 FROM rebrickable_contents q WHERE q.set_id = t.set_id AND q.item_id = t.item_id
                  AND q.color_id IS NOT DISTINCT FROM t.color_id AND q.is_spare = t.is_spare)
"""
_ITEM = "item_type, item_no"


def merge_rebrickable(codes: frozenset[str], counts: Counts) -> None:
    """Merge what of Rebrickable was staged (`codes` of tables), in the order in which one needs another."""
    have("rebrickable_color", _COLORS, key="rebrickable_id")
    if "rebrickable/themes" in codes:
        counts.add("categories", merge("catalog_catalogcategory", _THEMES, key="kind, number"))
        run(_THEME_PARENTS)
    if "rebrickable/part_categories" in codes:
        counts.add("categories", merge("catalog_catalogcategory", _PART_CATEGORIES, key="kind, number"))
    if "rebrickable/elements" in codes:
        counts.add("elements", merge("catalog_catalogelement", _ELEMENTS, key="element_id, source, part_no"))
        dictionary.map_by_elements()
    _merge_parts(codes, counts)
    _merge_sets(codes, counts)
    _merge_contents(codes, counts)


def merge_color_pictures(codes: frozenset[str], counts: Counts) -> None:
    """Note where parts have pictures in their colors, once it is worked out in which colors they exist."""
    if "rebrickable/inventory_parts" in codes:
        have("rebrickable_part", _PARTS, key="part_num")
        counts.add("colors of items", run(_COLOR_PICTURES))


def _merge_parts(codes: frozenset[str], counts: Counts) -> None:
    external = ("catalog_catalogexternalid", "system, external_id, item_id")
    if "rebrickable/parts" in codes:
        counts.add("items", merge("catalog_catalogitem", _NEW_PARTS, key=_ITEM, is_new_only=True))
        merge(external[0], _OWN_NUMBERS, key=external[1], is_new_only=True)
    have("rebrickable_part", _PARTS, key="part_num")
    if "rebrickable/parts" in codes:
        counts.add("items", run(_NAMES))
    if "rebrickable/elements" in codes:
        merge(external[0], _DESIGNS, key=external[1], is_new_only=True)
    if "rebrickable/part_relationships" in codes:
        counts.add("relations", merge("catalog_catalogrelation", _RELATIONS, key="child_id, parent_id, kind"))


def _merge_sets(codes: frozenset[str], counts: Counts) -> None:
    external = ("catalog_catalogexternalid", "system, external_id, item_id")
    kept, fills = ("words", "popularity", "thumbnail_url"), ("image_url",)
    if "rebrickable/sets" in codes:
        have("rebrickable_set", _SET_TARGETS)
        counts.add("items", merge("catalog_catalogitem", _NEW_SETS, key=_ITEM, keeps=kept, fills=fills))
        run(_OWN_SETS)
        merge(external[0], _SET_NUMBERS, key=external[1], is_new_only=True)
        run(_PICTURES)
    if "rebrickable/minifigs" in codes:
        counts.add("items", merge("catalog_catalogitem", _FIGURES, key=_ITEM, keeps=kept, fills=fills))
        merge(external[0], _FIGURE_NUMBERS, key=external[1], is_new_only=True)


def _merge_contents(codes: frozenset[str], counts: Counts) -> None:
    given = [code for code in _CONTENTS if code in codes]
    if not given:
        return
    have("rebrickable_owner", _OWNERS, key="inventory_id")
    have("rebrickable_contents", " UNION ALL ".join(f"({_CONTENTS[code][0]})" for code in given))
    run("CREATE INDEX ON rebrickable_contents (set_id, item_id)")
    types = {"SET": "SET,GEAR,BOOK"}
    gone = ",".join(types.get(_CONTENTS[code][1], _CONTENTS[code][1]) for code in given)
    counts.add("set contents", run(_GONE.format(types=gone)))
    counts.add("set contents", merge("catalog_catalogsetitem", _FULL, key=SET_ITEM))
