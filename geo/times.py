"""Times between Postgres (aware datetimes) and columns (epoch milliseconds).

A time finer than a millisecond is cut, never rounded: by `ms_of` here, `to_ms` in Postgres, `date_trunc` and clocks.
So no time is later than the moment it names, and a moment is the same however it was written.
"""

from datetime import UTC, datetime, timedelta

from geo.pings import UNKNOWN_MS

SINCE_EVER = datetime.min.replace(tzinfo=UTC)
"""-infinity, as asyncpg takes it."""

_AS_GIVEN = SINCE_EVER.replace(tzinfo=None)  # asyncpg leaves out the zone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def ms_of(at: datetime) -> int:
    """Give the epoch millisecond in which an aware time lies; -infinity is UNKNOWN_MS."""
    return UNKNOWN_MS if at in (SINCE_EVER, _AS_GIVEN) else (at - _EPOCH) // _MS


def as_ms(time: datetime | int) -> int:
    """Give a time that was said as one, or as epoch milliseconds already."""
    return ms_of(time) if isinstance(time, datetime) else time


def time_of(ms: int) -> datetime:
    """Give epoch milliseconds as a time; UNKNOWN_MS is -infinity."""
    return SINCE_EVER if ms == UNKNOWN_MS else _EPOCH + ms * _MS


def iso_time(text: str) -> datetime | None:
    """Read a time in any form of ISO 8601 that Python knows; None: it is none. It may lack a zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
