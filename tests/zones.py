"""Time zones by what time it is there now, so that no test depends on the time of day."""

from datetime import datetime


def zone_where_it_is(hour: int, now: datetime) -> str:
    """Name a zone in which that hour has begun."""
    return f"Etc/GMT{(now.hour - hour + 12) % 24 - 12:+d}"  # the sign of these is the other way round
