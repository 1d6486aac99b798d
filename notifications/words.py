"""Times and spans as mails and notifications write them (ui.md, section 5)."""

from datetime import datetime, timedelta

from common import workspace

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def duration(span: timedelta) -> str:
    """Answer a span in its largest whole unit: `15 minutes`, `1 hour`, `7 days`."""
    seconds = int(span.total_seconds())
    for unit_s, name in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= unit_s and seconds % unit_s == 0:
            count = seconds // unit_s
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return f"{max(1, seconds // _MINUTE_S)} minutes"


def day(at: datetime) -> str:
    """Answer the day in the shop's time zone: `12 Mar 2026`."""
    local = at.astimezone(workspace.current().zone)
    return f"{local.day} {local:%b %Y}"


def moment(at: datetime) -> str:
    """Answer the minute in the shop's time zone, which it names: `12 Mar 2026 14:02 Europe/Lisbon`."""
    shop = workspace.current()
    return f"{day(at)} {at.astimezone(shop.zone):%H:%M} {shop.timezone}"
