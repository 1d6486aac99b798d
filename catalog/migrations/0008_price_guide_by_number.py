"""Has the price guide's figures found by BrickLink's number. Nothing had been kept there before."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0007_mapping_offers'),
    ]

    operations = [
        migrations.DeleteModel(name='PriceGuide'),
        migrations.CreateModel(
            name='PriceGuide',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item_type', models.CharField(max_length=11)),
                ('item_no', models.CharField(max_length=60)),
                ('color_id', models.PositiveIntegerField()),
                ('condition', models.CharField(max_length=4)),
                ('region', models.CharField(blank=True, max_length=20)),
                ('currency', models.CharField(max_length=3)),
                ('kind', models.CharField(choices=[('sold', 'Sold in six months'), ('stock', 'Offered now')], max_length=5)),
                ('is_known', models.BooleanField(default=True)),
                ('price_min', models.DecimalField(decimal_places=4, max_digits=12, null=True)),
                ('price_avg', models.DecimalField(decimal_places=4, max_digits=12, null=True)),
                ('price_qty_avg', models.DecimalField(decimal_places=4, max_digits=12, null=True)),
                ('price_max', models.DecimalField(decimal_places=4, max_digits=12, null=True)),
                ('lots_count', models.PositiveIntegerField(default=0)),
                ('qty', models.PositiveIntegerField(default=0)),
                ('fetched_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item_no', 'item_type', 'color_id', 'condition', 'currency', 'region', 'kind'), name='catalog_price_guide'), models.CheckConstraint(condition=models.Q(('kind__in', ['sold', 'stock'])), name='catalog_price_guide_kind')],
            },
        ),
    ]
