"""Times between Postgres (aware datetimes) and columns (epoch milliseconds)."""

from datetime import UTC, datetime, timedelta

from geo.pings import UNKNOWN_MS

SINCE_EVER = datetime.min.replace(tzinfo=UTC)
"""-infinity: as asyncpg gives and takes it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def ms_of(at: datetime) -> int:
    """Give a time as epoch milliseconds; -infinity is UNKNOWN_MS."""
    return UNKNOWN_MS if at.year == 1 else (at - _EPOCH) // _MS


def time_of(ms: int) -> datetime:
    """Give epoch milliseconds as a time; UNKNOWN_MS is -infinity."""
    return SINCE_EVER if ms == UNKNOWN_MS else _EPOCH + ms * _MS
