"""A binary COPY stream built from columns: about half a microsecond a row, where a tuple a row costs ten times that.

Every field is laid out at its full width in one matrix of bytes, a row of the matrix a row of the table; the bytes of
what is null or shorter are then left out by a mask. Source of the format: PostgreSQL manual, COPY, Binary Format.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.pings import Bools

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_PG_EPOCH_MS = 946_684_800_000  # 2000-01-01 in Unix milliseconds

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of n fields, ready for the stream.

    Attributes:
        fields: (n, width) bytes of each value in network order.
        lengths: (n,) bytes that count; -1 where the value is null.
    """

    fields: Bytes
    lengths: NDArray[np.int32]


def _fixed(values: NDArray[Any], null: Bools | None) -> Column:
    fields = np.ascontiguousarray(values).view(np.uint8).reshape(len(values), -1)
    width = np.int32(fields.shape[1])
    return Column(fields, np.full(len(values), width) if null is None else np.where(null, np.int32(-1), width))


def whole(values: NDArray[Any], size: int, null: Bools | None = None) -> Column:
    """Lay out smallint, integer or bigint (`size` 2, 4 or 8 bytes)."""
    return _fixed(values.astype(f">i{size}"), null)


def real(values: NDArray[Any], size: int) -> Column:
    """Lay out real or double precision (`size` 4 or 8 bytes); NaN becomes null."""
    return _fixed(values.astype(f">f{size}"), np.isnan(values))


def boolean(values: NDArray[Any], null: Bools | None = None) -> Column:
    """Lay out boolean."""
    return _fixed(values.astype(np.uint8), null)


def timestamp(epoch_ms: NDArray[np.int64]) -> Column:
    """Lay out timestamptz from Unix milliseconds."""
    return _fixed(((epoch_ms - _PG_EPOCH_MS) * 1000).astype(">i8"), None)


def text(values: Sequence[str | None]) -> Column:
    """Lay out text; None becomes null."""
    encoded = [b"" if value is None else value.encode() for value in values]
    lengths = np.array([-1 if value is None else len(code) for value, code in zip(values, encoded, strict=True)], "i4")
    width = max(map(len, encoded), default=0)
    joined = b"".join(code.ljust(width, b"\0") for code in encoded)
    return Column(np.frombuffer(joined, np.uint8).reshape(len(values), width), lengths)


def stream(columns: Sequence[Column]) -> bytes:
    """Join columns of one length into the whole stream."""
    widths = [column.fields.shape[1] for column in columns]
    lengths = np.array([column.lengths for column in columns])
    is_short: Bools = np.any(lengths < np.array(widths)[:, None], axis=1)
    rows = np.empty((lengths.shape[1], 2 + 4 * len(columns) + sum(widths)), np.uint8)
    keep = np.ones(rows.shape, np.bool_)
    rows[:, :2] = np.array([len(columns)], ">i2").view(np.uint8)
    packed = lengths.astype(">i4").view(np.uint8).reshape(*lengths.shape, 4)
    at = 2
    for i, (column, width) in enumerate(zip(columns, widths, strict=True)):
        field = slice(at + 4, at + 4 + width)
        rows[:, at : at + 4], rows[:, field] = packed[i], column.fields
        if is_short[i]:
            keep[:, field] = np.arange(width) < lengths[i][:, None]
        at += 4 + width
    return b"".join((_HEADER, rows[keep].tobytes(), _TRAILER))


async def chunks(data: bytes, size: int = 1 << 18) -> AsyncIterator[bytes]:
    """Hand a stream over in pieces, as asyncpg writes straight to the socket (a file would go through threads)."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
