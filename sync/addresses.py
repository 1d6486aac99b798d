"""Where channels tell what happens: addresses at the shop's own host, each with a secret of one store in it."""

from django.urls import reverse

from common import workspace
from sync.models import NotifyAddress


def url_of(address: NotifyAddress) -> str:
    """Answer the whole address that a channel is given."""
    path = reverse("sync:notify", args=[address.store.channel, address.token])
    return f"{workspace.current().url}{path}"
