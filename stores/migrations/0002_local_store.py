"""Every shop has a counter of its own from its first day: orders typed in belong to it."""

from django.db import migrations
from django.utils import timezone

from common.ids import new_id


def open_counter(apps, schema_editor):
    store, state = apps.get_model("stores", "Store"), apps.get_model("stores", "StoreSyncState")
    if store.objects.filter(channel="local").exists():
        return
    now = timezone.now()
    made = store.objects.create(id=new_id(), channel="local", name="Own counter", created_at=now, updated_at=now)
    state.objects.create(id=new_id(), store=made, created_at=now, updated_at=now)


class Migration(migrations.Migration):
    dependencies = [("stores", "0001_initial")]

    operations = [migrations.RunPython(open_counter, migrations.RunPython.noop)]
