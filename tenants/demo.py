"""The demo's shop: made once, found again afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from tenants import routing
from tenants.services import Founder, found_tenant

SLUG = "demo"


@contextmanager
def shop(*, name: str, founder_email: str, founder_name: str, password: str) -> Iterator[None]:
    """See the demo's shop inside the block; it is founded if there is none."""
    host = routing.host_of(SLUG)
    found = routing.tenant_for_host(host)
    if found is None:
        found_tenant(
            slug=SLUG,
            name=name,
            founder=Founder(email=founder_email, display_name=founder_name, password=password),
            time_zone="Europe/Lisbon",
            country="PT",
            now=timezone.now(),
        )
        found = routing.tenant_for_host(host)
    assert found is not None  # noqa: S101  # it was just made
    with routing.within(found):
        yield
