"""Values of any kind as columns: what can be made of them, and a reason for each ping of which nothing can be made."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints
from ingest.decode.columns import NUMBERS, TEXTS, Columns, texts_of
from ingest.decode.refusals import Refusal
from ingest.decode.values import number_in, time_in

Column: TypeAlias = bytes | Sequence[Any]
"""A value for each ping, or packed little-endian numbers: `time` int64 milliseconds, the others float64."""

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
