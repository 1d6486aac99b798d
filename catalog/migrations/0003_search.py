"""Gives the search the words of the items' names, and the built-in items their popularity."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models
from django.db.models import F

_POPULARITY = """
UPDATE catalog_catalogitem t SET popularity = coalesce(m.sets, 0) + coalesce(e.elements, 0)
FROM catalog_catalogitem i
LEFT JOIN (SELECT item_id, count(DISTINCT set_id)::int AS sets FROM catalog_catalogsetitem GROUP BY item_id) m
    ON m.item_id = i.id
LEFT JOIN (SELECT item_id, sum(cardinality(lego_element_ids))::int AS elements FROM catalog_catalogitemcolor
    GROUP BY item_id) e ON e.item_id = i.id
WHERE i.id = t.id
"""
_WORDS = """
INSERT INTO catalog_catalogword (word, items_count)
SELECT word, ndoc FROM ts_stat('SELECT to_tsvector(''simple'', words) FROM catalog_catalogitem')
WHERE word ~ '^[[:alpha:]]{3,40}$'
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_built_in")]

    operations = [
        migrations.CreateModel(
            name="CatalogWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("items_count", models.PositiveIntegerField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(F("word"), name="gin_trgm_ops"),
                        name="catalog_word_alike",
                    )
                ],
            },
        ),
        # Wrong spellings are recognized by their words, not by whole names.
        migrations.RemoveIndex(model_name="catalogitem", name="catalog_item_alike"),
        migrations.AddIndex(
            model_name="catalogitem",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.search.SearchVector("words", config="simple"),
                condition=models.Q(("popularity__gte", 5)),
                name="catalog_item_popular",
            ),
        ),
        migrations.RunSQL(_POPULARITY, migrations.RunSQL.noop),
        migrations.RunSQL(_WORDS, migrations.RunSQL.noop),
    ]
