"""Works out the dictionary from what is known: which numbers mean the same item, and what text finds it.

Two sources mean the same part where they give the same LEGO element ids to it. `confidence` is the share of BrickLink's
elements of a part that the other one gives to its own (catalog-sources.md, 4.3); below one half it is a hint alone.
"""

from collections.abc import Iterable

from catalog.importing.sql import Counts, have, merge, run

_BY_ELEMENTS = """
WITH pair AS (
    SELECT b.part_no AS bricklink_no, r.part_no AS part_num, count(*) AS shared
    FROM catalog_catalogelement b JOIN catalog_catalogelement r
        ON r.element_id = b.element_id AND r.source = 'rebrickable'
    WHERE b.source = 'bricklink' GROUP BY 1, 2
), shared AS (
    SELECT bricklink_no, part_num, round(shared / sum(shared) OVER (PARTITION BY bricklink_no), 2) AS share FROM pair
), rated AS (
    -- Of several that fit none is as sure as an only one.
    SELECT bricklink_no, part_num,
        CASE WHEN count(*) OVER (PARTITION BY part_num) > 1 THEN least(share, 0.90) ELSE share END AS confidence
    FROM shared
)
SELECT i.id AS item_id, 'rebrickable' AS system, r.part_num AS external_id, 'auto' AS source, r.confidence
FROM rated r JOIN catalog_catalogitem i ON i.item_type = 'PART' AND i.item_no = r.bricklink_no AND NOT i.is_provisional
"""
# Provisional items of which the dictionary has come to know what they are.
_KNOWN_BY_NOW = """
SELECT DISTINCT ON (p.id) p.id AS old_id, i.id AS new_id
FROM catalog_catalogitem p
JOIN catalog_catalogexternalid x ON x.system = 'rebrickable' AND x.external_id = p.item_no AND x.confidence >= 0.5
JOIN catalog_catalogitem i ON i.id = x.item_id AND NOT i.is_provisional AND i.item_type = p.item_type
WHERE p.is_provisional AND p.item_type = 'PART' AND p.source = 'rebrickable'
ORDER BY p.id, array_position(ARRAY['manual', 'rebrickable', 'brickowl', 'auto'], x.source::text), x.confidence DESC,
    (i.item_no = p.item_no) DESC, i.id
"""
_TAKE_OVER = (
    "INSERT INTO catalog_catalogsetitem AS t (set_id, item_id, color_id, qty, is_spare, is_alternate, is_counterpart,"
    " match_id, source) SELECT s.set_id, k.new_id, s.color_id, sum(s.qty), s.is_spare, s.is_alternate,"
    " s.is_counterpart, s.match_id, min(s.source) FROM catalog_catalogsetitem s JOIN known_by_now k ON k.old_id ="
    " s.item_id GROUP BY 1, 2, 3, 5, 6, 7, 8 ON CONFLICT (set_id, item_id, color_id, is_spare, is_alternate,"
    " is_counterpart, match_id) DO UPDATE SET qty = t.qty + excluded.qty",
    "DELETE FROM catalog_catalogsetitem t USING known_by_now k WHERE t.item_id = k.old_id",
    "INSERT INTO catalog_catalogrelation (kind, child_id, parent_id, source) SELECT DISTINCT r.kind,"
    " coalesce(c.new_id, r.child_id), coalesce(p.new_id, r.parent_id), r.source FROM catalog_catalogrelation r"
    " LEFT JOIN known_by_now c ON c.old_id = r.child_id LEFT JOIN known_by_now p ON p.old_id = r.parent_id"
    " WHERE (c.new_id IS NOT NULL OR p.new_id IS NOT NULL) AND coalesce(c.new_id, r.child_id) <>"
    " coalesce(p.new_id, r.parent_id) ON CONFLICT DO NOTHING",
    "DELETE FROM catalog_catalogrelation t USING known_by_now k WHERE k.old_id IN (t.child_id, t.parent_id)",
    "INSERT INTO catalog_catalogexternalid (item_id, system, external_id, source, confidence) SELECT DISTINCT ON"
    " (k.new_id, x.system, x.external_id) k.new_id, x.system, x.external_id, x.source, x.confidence FROM"
    " catalog_catalogexternalid x JOIN known_by_now k ON k.old_id = x.item_id WHERE x.system <> 'rebrickable'"
    " ON CONFLICT DO NOTHING",
    "DELETE FROM catalog_catalogexternalid t USING known_by_now k WHERE t.item_id = k.old_id",
    "DELETE FROM catalog_catalogitemcolor t USING known_by_now k WHERE t.item_id = k.old_id",
    "UPDATE catalog_imageidentification t SET matched_item_id = k.new_id FROM known_by_now k WHERE t.matched_item_id ="
    " k.old_id",
    "UPDATE catalog_catalogitem t SET name = p.name, category_id = coalesce(t.category_id, p.category_id)"
    " FROM known_by_now k JOIN catalog_catalogitem p ON p.id = k.old_id WHERE t.id = k.new_id AND t.name = ''",
    "DELETE FROM catalog_catalogidmapping t USING known_by_now k, catalog_catalogitem p WHERE p.id = k.old_id AND"
    " t.item_type = p.item_type AND t.canonical_item_no = p.item_no",
    "DELETE FROM catalog_catalogitem t USING known_by_now k WHERE t.id = k.old_id",
)
# In which colors an item exists: by element ids, and by the sets that it is in.
_ITEM_COLORS = """
WITH element AS (
    SELECT i.id AS item_id, e.color_id, e.element_id, e.source FROM catalog_catalogelement e
    JOIN catalog_catalogitem i ON e.source = 'bricklink' AND i.item_type = 'PART' AND i.item_no = e.part_no
        AND NOT i.is_provisional
    WHERE e.color_id IS NOT NULL
    UNION ALL
    SELECT x.item_id, e.color_id, e.element_id, e.source FROM catalog_catalogelement e
    JOIN catalog_catalogexternalid x ON e.source = 'rebrickable' AND x.system = 'rebrickable'
        AND x.external_id = e.part_no AND x.confidence >= 0.5
    JOIN catalog_catalogitem i ON i.id = x.item_id AND i.item_type = 'PART'
    WHERE e.color_id IS NOT NULL
), elements AS (
    SELECT item_id, color_id, array_agg(DISTINCT element_id::varchar ORDER BY element_id::varchar) AS ids,
        min(source) AS source FROM element GROUP BY item_id, color_id
), met AS (
    SELECT item_id, color_id, count(DISTINCT set_id) AS sets, min(source) AS source FROM catalog_catalogsetitem
    WHERE color_id IS NOT NULL GROUP BY item_id, color_id
)
SELECT coalesce(e.item_id, m.item_id) AS item_id, coalesce(e.color_id, m.color_id) AS color_id,
    coalesce(e.ids, ARRAY[]::varchar[]) AS lego_element_ids, m.sets::int AS qty_known,
    coalesce(e.source, m.source) AS source
FROM elements e FULL JOIN met m ON m.item_id = e.item_id AND m.color_id = e.color_id
"""
# The one rule of which number a platform prefers: what a person or BrickLink itself said goes before what others did.
_MAPPINGS = """
WITH best AS (
    SELECT DISTINCT ON (x.item_id, x.system) x.item_id, x.system, x.external_id, x.source, x.confidence
    FROM catalog_catalogexternalid x JOIN catalog_catalogitem i ON i.id = x.item_id
    WHERE x.confidence >= 0.5 {of_these}
    ORDER BY x.item_id, x.system, array_position(ARRAY['manual', 'bricklink', 'rebrickable', 'brickowl', 'auto'],
        x.source::text), x.confidence DESC, (x.external_id = i.item_no) DESC, x.external_id
), wide AS (
    SELECT item_id,
        max(external_id) FILTER (WHERE system = 'bricklink') AS bricklink_id,
        max(external_id) FILTER (WHERE system = 'brickowl') AS brickowl_id,
        max(external_id) FILTER (WHERE system = 'brikick') AS brikick_id,
        max(external_id) FILTER (WHERE system = 'rebrickable') AS rebrickable_id,
        max(external_id) FILTER (WHERE system = 'ldraw') AS ldraw_id,
        min(confidence) AS confidence, max(source) FILTER (WHERE system <> 'bricklink') AS source
    FROM best GROUP BY item_id
), element AS (
    SELECT x.item_id, array_agg(DISTINCT e ORDER BY e) AS ids
    FROM catalog_catalogitemcolor x, unnest(x.lego_element_ids) e WHERE true {of_these} GROUP BY x.item_id
)
SELECT i.item_type, i.item_no AS canonical_item_no, coalesce(w.bricklink_id, '') AS bricklink_id,
    coalesce(w.brickowl_id, '') AS brickowl_id, coalesce(w.brikick_id, '') AS brikick_id,
    coalesce(w.rebrickable_id, '') AS rebrickable_id, coalesce(w.ldraw_id, '') AS ldraw_id,
    coalesce(e.ids, ARRAY[]::varchar[]) AS lego_element_ids, coalesce(w.source, i.source) AS mapping_source,
    coalesce(w.confidence, 0) AS confidence
FROM catalog_catalogitem i LEFT JOIN wide w ON w.item_id = i.id LEFT JOIN element e ON e.item_id = i.id
{these}
"""
_MAPPING = "item_type, canonical_item_no"
# `2 x 4` is one word, as people type it. Popular is what many sets have, and what LEGO has made again and again.
_TEXT = """trim(lower(concat_ws(' ', i.item_no, regexp_replace(i.name, '(\\d) x (?=\\d)', '\\1x', 'g'),
        array_to_string(i.alternate_nos, ' '))))"""
_WORDS = f"""
UPDATE catalog_catalogitem t SET words = q.words, popularity = q.popularity FROM (
    SELECT i.id, {_TEXT} AS words,
        coalesce(m.sets, 0) + coalesce(e.elements, 0) AS popularity
    FROM catalog_catalogitem i
    LEFT JOIN (SELECT item_id, count(DISTINCT set_id)::int AS sets FROM catalog_catalogsetitem GROUP BY item_id) m
        ON m.item_id = i.id
    LEFT JOIN (SELECT item_id, sum(cardinality(lego_element_ids))::int AS elements FROM catalog_catalogitemcolor
        GROUP BY item_id) e ON e.item_id = i.id
) q WHERE q.id = t.id AND (t.words, t.popularity) IS DISTINCT FROM (q.words, q.popularity)
"""  # noqa: S608  # the expression above
# The words by which wrong spellings are recognized: those that are letters alone.
_NAME_WORDS = """
SELECT word, ndoc AS items_count FROM ts_stat('SELECT to_tsvector(''simple'', words) FROM catalog_catalogitem')
WHERE word ~ '^[[:alpha:]]{3,40}$'
"""


def map_by_elements() -> None:
    """Note which numbers of Rebrickable share LEGO's element ids with which of BrickLink, and how surely."""
    merge("catalog_catalogexternalid", f"{_BY_ELEMENTS} WHERE true", key="system, external_id, item_id",
          only_where="t.source = 'auto'")  # fmt: skip


def refresh(item_ids: Iterable[int]) -> None:
    """Have these items be found by their present numbers and names, and each platform's preferred number known."""
    if not (these := ", ".join(f"{item_id:d}" for item_id in sorted(item_ids))):
        return
    run(f"UPDATE catalog_catalogitem i SET words = {_TEXT} WHERE i.id IN ({these})")  # noqa: S608  # as above
    mappings = _MAPPINGS.format(of_these=f"AND x.item_id IN ({these})", these=f"WHERE i.id IN ({these})")
    merge("catalog_catalogidmapping", mappings, key=_MAPPING)


def build(counts: Counts) -> None:
    """Bring everything up to date that is worked out: mappings, provisional items, colors of items, words."""
    map_by_elements()
    have("known_by_now", _KNOWN_BY_NOW, key="old_id")
    for statement in _TAKE_OVER:
        run(statement)
    counts.add("colors of items", merge("catalog_catalogitemcolor", _ITEM_COLORS, key="item_id, color_id"))
    mappings = _MAPPINGS.format(of_these="", these="WHERE true")
    counts.add("mappings", merge("catalog_catalogidmapping", mappings, key=_MAPPING))
    counts.add("words", run(_WORDS))
    run("DELETE FROM catalog_catalogword")
    merge("catalog_catalogword", _NAME_WORDS, key="")
