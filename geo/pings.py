"""Pings as columns: the shape in which they travel from the phone's request to the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Rows: TypeAlias = NDArray[np.void]
"""A structured array; each field is a column."""

UNKNOWN_MS = np.iinfo(np.int64).min
"""A time that is not known, in a column of milliseconds."""

PING = np.dtype(
    [
        ("driver_id", "<i8"),
        ("device_id", "<i8"),
        ("recorded_ms", "<i8"),  # the phone's clock, epoch milliseconds
        ("received_ms", "<i8"),  # ours
        ("lat_e6", "<i4"),  # WGS 84 degrees times a million
        ("lon_e6", "<i4"),
        ("accuracy_m", "<f4"),  # here and below NaN means unknown
        ("altitude_m", "<f4"),
        ("speed_mps", "<f4"),
        ("heading_deg", "<f4"),  # clockwise from north, [0, 360)
        ("battery", "<f4"),  # 0 to 1
        ("charging", "i1"),  # 1 yes, 0 no, -1 unknown
        ("mock", "i1"),  # 1 yes, 0 no, -1 unknown
        ("flags", "<u4"),  # geo.trust.clean.Flag: what the decoder repaired or noticed
    ]
)


def picked(rows: Rows, which: Any) -> Rows:
    """Pick rows as `rows[which]` does, whole: numpy copies records field by field, which takes ten times as long."""
    found: Rows = rows.view(_whole(rows.dtype))[which].view(rows.dtype)
    return found


def copied(rows: Rows) -> Rows:
    """Copy rows as `rows.copy()` does, whole."""
    return rows.view(_whole(rows.dtype)).copy().view(rows.dtype)


@cache
def _whole(dtype: np.dtype[np.void]) -> np.dtype[np.void]:
    return np.dtype((np.void, dtype.itemsize))


def no_texts(n: int) -> NDArray[np.object_]:
    """Make the texts of n pings that have none: numpy fills new arrays of objects with None, and `full` takes ten
    times as long."""
    return np.empty((n, 2), np.object_)


@dataclass(frozen=True, slots=True, eq=False)
class Pings:
    """N pings of any number of drivers.

    Attributes:
        rows: (n,) of dtype `PING`.
        texts: (n, 2) object: the phone's `activity` and its own `id` for the ping; str, or None where it sent none.
    """

    rows: Rows
    texts: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.rows)

    def rows_at(self, which: Any) -> Self:
        """Pick pings by index array, slice or mask."""
        return type(self)(picked(self.rows, which), self.texts[which])

    @classmethod
    def empty(cls, n: int = 0) -> Self:
        """Make n pings of which nothing is known: zeros in whole numbers, NaN in floats, -1 in the yes-or-noes."""
        rows = np.zeros(n, PING)
        for name in ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery"):
            rows[name] = np.nan
        for name in ("charging", "mock"):
            rows[name] = -1
        return cls(rows, no_texts(n))

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Join in the given order."""
        if not parts:
            return cls.empty()
        # numpy would look for a common dtype of each two: of a block of one ping that takes longer than all the rest
        rows = np.frombuffer(bytearray(b"".join([part.rows.tobytes() for part in parts])), PING)
        return cls(rows, np.concatenate([part.texts for part in parts]))

    def merge(self, into: int, copy: int) -> None:
        """Put into one ping what a copy of it tells. In place; the end is the same in whatever order copies come.

        Where they differ the greater counts, true before false, anything before nothing; all flags that either was
        given, and the earlier receipt.
        """
        mine, other = self.rows[into], self.rows[copy]
        mine["received_ms"] = min(mine["received_ms"], other["received_ms"])
        mine["flags"] |= other["flags"]
        for name in ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery"):
            mine[name] = np.fmax(mine[name], other[name])
        for name in ("charging", "mock"):
            mine[name] = max(mine[name], other[name])
        for column, texts in enumerate(zip(self.texts[into], self.texts[copy], strict=True)):
            self.texts[into, column] = max((text for text in texts if text is not None), default=None)


def in_order(rows: Rows) -> Ints:
    """Sort pings driver by driver, each driver's in the order in which history folds them.

    Returns:
        (n,) indices: by driver, then (recorded_ms, lat_e6, lon_e6, device_id), the total order of inputs.
    """
    return np.lexsort((rows["device_id"], rows["lon_e6"], rows["lat_e6"], rows["recorded_ms"], rows["driver_id"]))
