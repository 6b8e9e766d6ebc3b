"""One value of any kind: the time or the number that can be made of it."""

from datetime import datetime
from math import floor
from typing import Any, Literal

import msgspec

from geo.pings import UNKNOWN_MS
from geo.times import iso_time, ms_of
from ingest.decode.refusals import Refusal

FAR_MS = 1 << 62
"""Beyond every time; what is further is moved here, where an int64 still holds it."""


def time_in(value: Any) -> tuple[int, Refusal | Literal[0]]:
    """Read a time as milliseconds, UNKNOWN_MS where there is none, and a reason to refuse it or 0."""
    if value is None or value != value:
        return UNKNOWN_MS, 0
    if type(value) is int or type(value) is float:
        return (_whole(value) if abs(value) < FAR_MS else FAR_MS if value > 0 else -FAR_MS), 0
    if isinstance(value, str):
        value = _datetime(value)
    if not isinstance(value, datetime):
        return UNKNOWN_MS, Refusal.TIME_UNREADABLE
    if value.tzinfo is None:
        return UNKNOWN_MS, Refusal.TIME_WITHOUT_ZONE
    return ms_of(value), 0


def _whole(ms: float) -> int:
    """Cut to a whole millisecond. A float is often a little less than what it says, so microseconds are rounded."""
    return floor(round(ms, 3))


def _datetime(text: str) -> datetime | None:
    try:
        return msgspec.convert(text, datetime)  # first, so that a time means the same as in a typed batch
    except ValueError:
        pass
    return iso_time(text)


def number_in(value: Any, *, bool_too: bool = False) -> float:
    """Read one number; NaN where it is none, infinity where it is too large. `bool_too`: true is 1, false 0."""
    if type(value) is float or (bool_too and type(value) is bool):
        return float(value)
    if type(value) is not int:
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf")
