"""Keeps pictures of items."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0004_pictures_of_colors'),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item_type', models.CharField(choices=[('PART', 'Part'), ('SET', 'Set'), ('MINIFIG', 'Minifigure'), ('GEAR', 'Gear'), ('BOOK', 'Book'), ('CATALOG', 'Catalog'), ('INSTRUCTION', 'Instructions'), ('BOX', 'Box'), ('CUSTOM', 'Custom item')], max_length=11)),
                ('item_no', models.CharField(max_length=40)),
                ('color_id', models.PositiveIntegerField(default=0)),
                ('state', models.CharField(choices=[('wanted', 'Wanted'), ('kept', 'Kept'), ('none', 'There is none'), ('trouble', 'Not answered')], max_length=7)),
                ('offered_url', models.CharField(blank=True, max_length=500)),
                ('source_url', models.CharField(blank=True, max_length=500)),
                ('is_in_color', models.BooleanField(default=False)),
                ('content_hash', models.CharField(blank=True, max_length=64)),
                ('size_bytes', models.PositiveIntegerField(default=0)),
                ('wanted_at', models.DateTimeField()),
                ('fetched_at', models.DateTimeField(null=True)),
                ('ask_again_at', models.DateTimeField()),
                ('used_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'wanted')), fields=['-wanted_at'], name='catalog_image_wanted'), models.Index(fields=['used_at'], name='catalog_image_used')],
                'constraints': [models.UniqueConstraint(fields=('item_type', 'item_no', 'color_id'), name='catalog_image'), models.CheckConstraint(condition=models.Q(('state__in', ['wanted', 'kept', 'none', 'trouble'])), name='catalog_image_state'), models.CheckConstraint(condition=models.Q(('item_type__in', ['PART', 'SET', 'MINIFIG', 'GEAR', 'BOOK', 'CATALOG', 'INSTRUCTION', 'BOX', 'CUSTOM'])), name='catalog_image_type'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'kept'), _negated=True), models.Q(('content_hash', ''), _negated=True), _connector='OR'), name='catalog_image_kept')],
            },
        ),
    ]
