import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import common.ids

_TYPES = [('order_new', 'New orders'), ('order_status', 'Order changes'), ('sync_completed', 'Sync runs completed'), ('sync_failed', 'Sync runs failed'), ('low_stock', 'Low stock'), ('oversold', 'Oversold'), ('job_done', 'Jobs done'), ('system_alert', 'Alerts'), ('feature_announcement', "What's new"), ('billing', 'Billing')]


class Migration(migrations.Migration):

    dependencies = [
        ('notifications', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='NotificationPreference',
            fields=[
                ('id', models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(choices=_TYPES, max_length=20)),
                ('in_app', models.BooleanField(default=True)),
                ('email', models.BooleanField(default=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('user', 'type'), name='notification_preference_once'),
                    models.CheckConstraint(condition=models.Q(('type__in', [value for value, _label in _TYPES])), name='notification_preference_type'),
                ],
            },
        ),
    ]
