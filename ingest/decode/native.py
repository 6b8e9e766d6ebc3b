"""Reparto's own format: JSON rows, MessagePack rows, and columns, in MessagePack as packed numbers too.

Rows that are all of the expected types take a fast path through typed decoding. One odd row sends the batch through
the loose path, which finds a reason for each bad ping and gives the same result for the good ones.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS, Pings
from geo.times import as_ms
from ingest.decode.columns import NUMBERS, TEXTS, Arrival, Columns, Decoded, check, texts_of
from ingest.decode.few import FEW, Row, pings_of
from ingest.decode.loose import Column, columns_of, numbers_in, times_in
from ingest.decode.refusals import Refusal, TooMuch, Unreadable
from ingest.decode.values import FAR_MS

FIELDS = ("time", *NUMBERS, *TEXTS)

_Zoned = Annotated[datetime, msgspec.Meta(tz=True)]
_Whole = Annotated[int, msgspec.Meta(ge=-FAR_MS, le=FAR_MS)]


class Ping(msgspec.Struct, omit_defaults=True, gc=False):
    """One ping; null or -1 where the phone does not know. `time` is RFC 3339 with a zone, or epoch milliseconds."""

    time: _Zoned | _Whole
    lat: float
    lon: float
    accuracy_m: float | None = None
    altitude_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery: float | None = None
    charging: bool | None = None
    mock: bool | None = None
    activity: str | None = None
    id: str | None = None


class PingBatch(msgspec.Struct):
    """Pings as rows in `pings` or as `columns`: a list for each field, or packed numbers. `n` numbers a frame.

    `sent_at` is the phone's clock when it sends this: what is told by a wrong clock is corrected.
    """

    pings: list[Ping] | None = None
    columns: dict[str, Any] | None = None
    n: _Whole | None = None
    sent_at: _Zoned | _Whole | None = None


_JSON = msgspec.json.Decoder(PingBatch | list[Ping])
_MSGPACK = msgspec.msgpack.Decoder(PingBatch | list[Ping])


@dataclass(frozen=True, slots=True)
class PingsBody:
    """A request's or frame's body as it was read.

    Attributes:
        n: the number the phone gave to a WebSocket frame; None where it gave none.
        sent_ms: when it was sent, by the phone's clock; None where it does not say.
        typed: `pings`, if any, is a list of `Ping`.
        pings: what stands for the rows; None where there are none.
        columns: what stands for the columns; None where there are none.
    """

    n: int | None
    typed: bool
    pings: Any
    columns: Any
    sent_ms: int | None = None


def read(body: bytes, *, packed: bool) -> PingsBody:
    """Read a body, MessagePack if `packed`, else JSON.

    Raises:
        Unreadable: it is not that at all, or neither an object nor a list.
    """
    try:
        said = (_MSGPACK if packed else _JSON).decode(body)
    except (ValueError, RecursionError) as error:
        return _read_loosely(body, packed=packed, why=error)
    if isinstance(said, list):
        return PingsBody(None, True, said, None)
    if said.pings is None and said.columns is None:
        return _read_loosely(body, packed=packed)
    sent_ms = None if said.sent_at is None else as_ms(said.sent_at)
    return PingsBody(said.n, True, said.pings, said.columns, sent_ms)


def decode(message: PingsBody, arrival: Arrival, *, max_batch: int) -> Decoded:
    """Make pings of a message.

    Raises:
        Unreadable: there are neither rows nor columns, or the columns do not go together.
        TooMuch: there are more than `max_batch` pings.
    """
    if message.pings is None and message.columns is None:
        raise _invalid("/pings", "send a list of pings here, or `columns`")
    if message.pings is None:
        columns = _together(message.columns, max_batch)
        return check(columns_of(columns), arrival, partial(_sent_in_columns, columns))
    rows = message.pings
    if not isinstance(rows, list):
        raise _invalid("/pings", "must be a list")
    _limit(len(rows), max_batch)
    if message.typed:
        return _decode_typed(rows, arrival)
    refused = np.array([0 if isinstance(row, dict) else Refusal.NOT_AN_OBJECT for row in rows], np.int8)
    objects = [row if isinstance(row, dict) else {} for row in rows]
    fields = {name: [row.get(name) for row in objects] for name in FIELDS}
    return check(columns_of(fields, refused), arrival, lambda at: [rows[i] for i in at])


def _decode_typed(pings: list[Ping], arrival: Arrival) -> Decoded:
    if not pings:
        return Decoded(Pings.empty(), [])
    rows = [msgspec.structs.astuple(ping) for ping in pings]
    if len(rows) <= FEW and (few := pings_of(rows, arrival)) is not None:
        return Decoded(few, [])
    return check(_columns_of(rows), arrival, lambda at: [msgspec.to_builtins(pings[i]) for i in at])


def _columns_of(rows: Sequence[Row]) -> Columns:
    times, *numbers, activities, ids = zip(*rows, strict=True)
    return Columns(
        times_ms=np.array([as_ms(time) for time in times], np.int64),
        numbers=np.array(numbers, np.float64),  # None becomes NaN
        texts=texts_of(activities, ids),
    )


def _together(columns: Any, max_batch: int) -> dict[str, Column]:
    """Check that columns go together.

    Raises:
        Unreadable: one is missing, of another length, or neither a list nor packed numbers.
        TooMuch: they are longer than `max_batch`.
    """
    if not isinstance(columns, dict):
        raise _invalid("/columns", "must be an object of columns")
    known = {name: columns[name] for name in FIELDS if columns.get(name) is not None}
    lengths: dict[str, int] = {}
    for name, column in known.items():
        if isinstance(column, bytes) and name not in TEXTS:
            if len(column) % 8:
                raise _invalid(f"/columns/{name}", "packed numbers have 8 bytes each")
            lengths[name] = len(column) // 8
        elif isinstance(column, list):
            lengths[name] = len(column)
        else:
            raise _invalid(f"/columns/{name}", "must be a list or, in MessagePack, packed numbers")
    for name in ("time", "lat", "lon"):
        if name not in known:
            raise _invalid(f"/columns/{name}", "is missing")
    _limit(lengths["time"], max_batch)
    for name, length in lengths.items():
        if length != lengths["time"]:
            raise _invalid(f"/columns/{name}", f"has {length} entries, `time` has {lengths['time']}")
    return known


def _limit(n: int, max_batch: int) -> None:
    if n > max_batch:
        raise TooMuch(f"{n} pings at once are too many; send at most {max_batch} in a request.")


def _sent_in_columns(columns: dict[str, Column], at: list[int]) -> list[Any]:
    """Give some pings as objects of plain values, though they came as columns."""
    values = [_values(name, column, at) for name, column in columns.items()]
    return [dict(zip(columns, of_one, strict=True)) for of_one in zip(*values, strict=True)]


def _values(name: str, column: Column, at: list[int]) -> list[Any]:
    if not isinstance(column, bytes):
        return [column[i] for i in at]
    packed: NDArray[Any] = times_in(column)[0] if name == "time" else numbers_in(name, column)
    values: list[Any] = packed[at].tolist()
    return values


def _read_loosely(body: bytes, *, packed: bool, why: Exception | None = None) -> PingsBody:
    try:
        # Python's own reader takes NaN and 1e400, so that one such ping is refused and not the batch around it.
        said = msgspec.msgpack.decode(body) if packed else json.loads(body.decode())
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body cannot be read as {'MessagePack' if packed else 'JSON'}: {why}") from error
    if isinstance(said, list):
        return PingsBody(None, False, said, None)
    if not isinstance(said, dict):
        raise _invalid("", 'must be a list of pings, {"pings": […]} or {"columns": {…}}')
    n = said.get("n")
    n = n if type(n) is int and abs(n) < FAR_MS else None
    sent_ms = int(times_in([said.get("sent_at")])[0][0])
    return PingsBody(n, False, _rows_of(said), said.get("columns"), None if sent_ms == UNKNOWN_MS else sent_ms)


def _rows_of(said: dict[str, Any]) -> Any:
    """Give what stands for the rows; one ping, where a list of it was meant, is a list of one."""
    if "pings" not in said and "columns" not in said and said.keys() & {"time", "lat", "lon"}:
        return [said]
    rows = said.get("pings")
    return [rows] if isinstance(rows, dict) else rows


def _invalid(at: str, why: str) -> Unreadable:
    return Unreadable("These are not pings in a form that is read here.", at=at, why=why)
