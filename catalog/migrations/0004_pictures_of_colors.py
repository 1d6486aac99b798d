"""Remembers where an item has its picture in a color."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_search'),
    ]

    operations = [
        migrations.AddField(
            model_name='catalogitemcolor',
            name='image_url',
            field=models.CharField(blank=True, db_default='', default='', max_length=500),
        ),
    ]
