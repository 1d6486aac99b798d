from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("inventory", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="historicalpurchaseline",
            name="cost_before",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="historicalpurchaseline",
            name="qty_before",
            field=models.PositiveIntegerField(default=0, verbose_name="pieces before"),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="cost_before",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="purchaseline",
            name="qty_before",
            field=models.PositiveIntegerField(default=0, verbose_name="pieces before"),
        ),
    ]
