"""Lets PostgreSQL find text by its parts. In the public schema, so that the indexes of every shop find it there."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("common", "0001_initial")]

    operations = [
        migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public", migrations.RunSQL.noop),
    ]
