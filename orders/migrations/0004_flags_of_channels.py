import django.contrib.postgres.fields
from django.db import migrations, models

# Whatever was up so far was lowered by the channel's next word: it goes on to be.
_OF_CHANNELS = """
UPDATE orders_order SET channel_flags = ARRAY(
    SELECT flag FROM unnest(flags) flag WHERE flag IN (
        'on_hold', 'cancel_requested', 'payment_problem', 'partially_shipped', 'partially_refunded'
    ) ORDER BY flag
)
WHERE flags && ARRAY[
    'on_hold', 'cancel_requested', 'payment_problem', 'partially_shipped', 'partially_refunded'
]::varchar[]
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_files'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='channel_flags',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('on_hold', 'On hold'), ('cancel_requested', 'Buyer asks to cancel'), ('payment_problem', 'Payment problem'), ('dispute', 'Dispute'), ('items_changed', 'Items changed'), ('partially_shipped', 'Shipped in part'), ('partially_refunded', 'Refunded in part'), ('problem', 'Problem')], max_length=20), blank=True, db_default=[], default=list, editable=False, size=None),
        ),
        migrations.RunSQL(_OF_CHANNELS, migrations.RunSQL.noop),
    ]
