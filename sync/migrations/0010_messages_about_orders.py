import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0004_flags_of_channels'),
        ('sync', '0009_orders_that_cannot_be_told_yet'),
    ]

    operations = [
        migrations.CreateModel(
            name='OrderMessage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('position', models.PositiveSmallIntegerField()),
                ('is_ours', models.BooleanField()),
                ('sender', models.CharField(blank=True, max_length=120)),
                ('subject', models.CharField(blank=True, max_length=300)),
                ('body', models.TextField(blank=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('read_at', models.DateTimeField()),
                ('order', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='orders.order')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('order', 'position'), name='order_message_position')],
            },
        ),
    ]
