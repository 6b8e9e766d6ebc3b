"""Values of any kind as columns: what can be made of them, and a reason for each ping of which nothing can be made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import floor
from typing import Any, Literal, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.times import iso_time, ms_of
from ingest.decode.columns import NUMBERS, TEXTS, Columns, texts_of
from ingest.decode.refusals import Refusal

Column: TypeAlias = bytes | Sequence[Any]
"""A value for each ping, or packed little-endian numbers: `time` int64 milliseconds, the others float64."""

FAR_MS = 1 << 62
"""Beyond every time; what is further is moved here, where an int64 still holds it."""

_YES_OR_NO = ("charging", "mock")


def columns_of(fields: Mapping[str, Column | None], refused: NDArray[np.int8] | None = None) -> Columns:
    """Read columns of one length, whatever they hold.

    Args:
        fields: `time`, and of `NUMBERS` and `TEXTS` what there is.
        refused: (n,) reasons already found, 0 where none was.
    """
    times_ms, found = times_in(fields["time"])
    refused = found if refused is None else np.where(refused != 0, refused, found)
    numbers = np.full((len(NUMBERS), len(times_ms)), np.nan)
    for row, name in enumerate(NUMBERS):
        column = fields.get(name)
        if column is None:
            continue
        numbers[row] = numbers_in(name, column)
        if name in ("lat", "lon") and not isinstance(column, bytes):
            strange = np.array([value is not None and type(value) not in (int, float) for value in column], bool)
            reason = Refusal.LAT_NOT_A_NUMBER if name == "lat" else Refusal.LON_NOT_A_NUMBER
            refused[strange & (refused == 0)] = reason
    nothing = [None] * len(times_ms)
    texts = texts_of(*(fields.get(name) or nothing for name in TEXTS))
    return Columns(times_ms=times_ms, numbers=numbers, texts=texts, refused=refused)


def times_in(column: Column | None) -> tuple[Ints, NDArray[np.int8]]:
    """Read times as milliseconds, UNKNOWN_MS where there is none, and a `Refusal` or 0 for each."""
    if isinstance(column, bytes):
        return np.frombuffer(column, "<i8"), np.zeros(len(column) // 8, np.int8)
    read = [time_in(value) for value in column or ()]
    return np.array([ms for ms, _ in read], np.int64), np.array([reason for _, reason in read], np.int8)


def numbers_in(name: str, column: Column) -> Floats:
    """Read one of `NUMBERS`; NaN where a value is not a number. `charging` and `mock` may be true or false."""
    if isinstance(column, bytes):
        return np.frombuffer(column, "<f8")
    return np.array([number_in(value, bool_too=name in _YES_OR_NO) for value in column], np.float64)


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
