from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0008_lots_that_cannot_be_read'),
    ]

    operations = [
        migrations.AddField(
            model_name='ordertold',
            name='waits_at',
            field=models.CharField(blank=True, db_default='', default='', max_length=60),
        ),
    ]
