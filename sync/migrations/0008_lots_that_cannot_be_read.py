from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0007_pieces_that_nobody_can_tell'),
    ]

    operations = [
        migrations.AddField(
            model_name='listingstate',
            name='read_again_at',
            field=models.DateTimeField(null=True),
        ),
    ]
