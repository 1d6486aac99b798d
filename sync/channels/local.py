"""The shop's own counter: stock and orders that nobody else's server knows."""

from stores.channels import ChannelSpec, LotField, Reach
from sync.channels.base import Channel, register


@register
class Local(Channel):
    """Has nobody to ask."""

    spec = ChannelSpec(
        code="local",
        label="Own counter",
        docs="data-model.md, Stores",
        reach=Reach.MANUAL,
        lot_fields=frozenset(LotField),
    )
