"""Apache Parquet, for whoever reckons with it; with places it is GeoParquet 1.1.

What writes it wants to ask for rows, and writes when it likes. So it has a thread, to which rows go as a stream of
Arrow's own (IPC), piece by piece; there is never more than a piece or two of them.
"""

import io
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import IO, Any, cast

import arro3.core as arrow
import arro3.io as arrow_io
import msgspec

from api.exports.columns import Kind, Table, places_of
from api.exports.sink import Sink
from api.exports.text import FileWriter
from api.history.tables import plain
from geo.times import ms_of

_ROWS_A_GROUP = 20_000
_LOOK_EVERY_S = 0.1  # whether the thread lives
_GEOMETRY = "geometry"
_GEO: dict[str, Any] = {"version": "1.1.0", "primary_column": _GEOMETRY}
_GEO |= {"columns": {_GEOMETRY: {"encoding": "WKB", "geometry_types": ["Point"]}}}

_DAY_0 = date(1970, 1, 1).toordinal()

_TEXT, _TIME, _BYTES = arrow.DataType.utf8(), arrow.DataType.timestamp("ms", tz="UTC"), arrow.DataType.binary()
_TYPES: Mapping[Kind, tuple[arrow.DataType, arrow.DataType, Callable[[Any], Any]]] = {
    "text": (_TEXT, _TEXT, lambda value: str(plain(value))),
    "json": (_TEXT, _TEXT, lambda value: str(plain(value))),
    "int": (arrow.DataType.int64(), arrow.DataType.int64(), int),
    "float": (arrow.DataType.float64(), arrow.DataType.float64(), float),
    "bool": (arrow.DataType.bool(), arrow.DataType.bool(), bool),
    "time": (_TIME, arrow.DataType.int64(), ms_of),
    "day": (arrow.DataType.date32(), arrow.DataType.int32(), lambda day: day.toordinal() - _DAY_0),
}
"""Of a kind of column: its type, the type that it is made from, and how a value becomes one of that."""


class Parquet(FileWriter):
    """A table; what of it is written comes with the rows that are written next, or with the end."""

    def __init__(self, _title: str, table: Table) -> None:
        self._table, self._places = table, places_of(table)
        fields = [arrow.Field(column.name, _TYPES[column.kind][0], nullable=True) for column in table]
        if self._places:
            fields.append(arrow.Field(_GEOMETRY, _BYTES, nullable=True))
        self._schema = arrow.Schema(fields)
        nothing = _stream_of(arrow.Table.from_batches([], schema=self._schema))
        self._head, self._tail = nothing[: -len(_END)], nothing[-len(_END) :]
        self._source, self._sink = _Source(), Sink()
        self._thread = Thread(target=self._write, name="parquet", daemon=True)
        self._broken: Exception | None = None

    def begin(self) -> bytes:
        """Begin; nothing is written before there are rows."""
        self._thread.start()
        self._push(self._head)
        return self._sink.taken()

    def rows(self, rows: Sequence[Sequence[Any]]) -> bytes:
        """Write some rows."""
        if rows:
            self._push(_stream_of(self._batch(rows))[len(self._head) : -len(_END)])
        return self._sink.taken()

    def end(self) -> bytes:
        """Write what comes after the last row."""
        self._push(self._tail)
        self._push(b"")
        self._thread.join()
        if self._broken is not None:
            raise self._broken
        return self._sink.taken()

    def close(self) -> None:
        """End the thread."""
        self._source.torn.set()

    def _push(self, data: bytes) -> None:
        while self._thread.is_alive():
            with suppress(Full):
                self._source.pieces.put(data, timeout=_LOOK_EVERY_S)
                return
        if self._broken is not None:
            raise self._broken

    def _batch(self, rows: Sequence[Sequence[Any]]) -> arrow.RecordBatch:
        made = []
        for place, column in enumerate(self._table):
            kept, made_from, write = _TYPES[column.kind]
            values = [None if (value := row[place]) is None else write(value) for row in rows]
            array = arrow.Array(values, type=made_from)
            made.append(array if kept is made_from else array.cast(kept))
        if self._places:
            lat, lon = self._places
            made.append(arrow.Array([_point(row[lon], row[lat]) for row in rows], type=_BYTES))
        return arrow.RecordBatch.from_arrays(made, schema=self._schema)

    def _write(self) -> None:
        try:
            arrow_io.write_parquet(
                arrow_io.read_ipc_stream(cast(IO[bytes], self._source)),
                cast(IO[bytes], self._sink),
                compression="zstd(3)",
                max_row_group_size=_ROWS_A_GROUP,
                key_value_metadata={"geo": msgspec.json.encode(_GEO).decode()} if self._places else None,
            )
        except Exception as error:
            self._broken = error


_END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What ends a stream of Arrow's."""


def _stream_of(rows: Any) -> bytes:
    into = io.BytesIO()
    arrow_io.write_ipc_stream(rows, into)
    return into.getvalue()


def _point(lon: float | None, lat: float | None) -> bytes | None:
    return None if lon is None or lat is None else struct.pack("<BIdd", 1, 1, lon, lat)


class _Source(io.RawIOBase):
    """What the thread reads: waits for the next piece; an empty one is the end."""

    def __init__(self) -> None:
        self.pieces: Queue[bytes] = Queue(maxsize=1)
        self.torn = Event()
        self._piece = b""
        self._is_over = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._piece and not self._is_over:
            if self.torn.is_set():
                raise ConnectionAbortedError("nobody writes any more")
            with suppress(Empty):
                self._piece = self.pieces.get(timeout=_LOOK_EVERY_S)
                self._is_over = not self._piece
        taken, self._piece = self._piece[:size], self._piece[size:]
        return taken
