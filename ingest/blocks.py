"""Blocks: pings as one `bytea` of the inbox, made once by a receiver and read once by a tracker.

A block is a header, the rows of dtype `PING` as they lie in memory, and the texts of those pings that have any.
"""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
import numpy as np

from geo.pings import PING, Pings, no_texts

VERSION = 1
"""Raised when `PING` or the layout changes. A tracker reads every version that an inbox can still hold."""

MAX_BODY_BYTES = 8_000
"""A longer body would be moved out of the row (toast_tuple_target is 8160, the row's other columns take 56)."""

_HEADER = struct.Struct("<BxHI")  # version, number of pings, CRC-32 of what follows
MAX_PINGS = (MAX_BODY_BYTES - _HEADER.size) // PING.itemsize  # 121

_TEXTS = msgspec.msgpack.Decoder(list[tuple[int, str | None, str | None]])
_EncodedTexts: TypeAlias = list[tuple[int, Any, Any]]
_Unpacked: TypeAlias = tuple[bytes, _EncodedTexts]  # the rows, and the texts of those that have any


@dataclass(frozen=True, slots=True)
class PackedBlock:
    """One row of the inbox."""

    lane: int
    pings: int
    body: bytes


def encode(pings: Pings) -> bytes:
    """Pack at most `MAX_PINGS` pings.

    Raises:
        ValueError: there are more.
    """
    if len(pings) > MAX_PINGS:
        raise ValueError(f"a block holds at most {MAX_PINGS} pings, not {len(pings)}")
    return _packed(pings.rows.tobytes(), _texts_of(pings))


def decode(body: bytes) -> Pings:
    """Unpack `encode`.

    Raises:
        ValueError: the body is damaged, or of a version that this release does not read.
    """
    return _joined([_unpacked(body)])


def decode_all(bodies: Iterable[bytes]) -> tuple[Pings, list[int], dict[int, ValueError]]:
    """Unpack many, and join them.

    Returns:
        Their pings; how many each had; and by place what is wrong with those that `decode` refuses, which had none.
    """
    parts: list[_Unpacked] = []
    wrong: dict[int, ValueError] = {}
    for place, body in enumerate(bodies):
        try:
            parts.append(_unpacked(body))
        except ValueError as error:
            parts.append((b"", []))
            wrong[place] = error
    return _joined(parts), [len(rows) // PING.itemsize for rows, _ in parts], wrong


def devices_in(body: bytes) -> list[tuple[int, int]]:
    """Give driver and device of each that has pings in a block, without reading the pings; [] when it is damaged."""
    try:
        rows = np.frombuffer(_unpacked(body)[0], PING)
    except ValueError:
        return []
    return sorted(set(zip(rows["driver_id"].tolist(), rows["device_id"].tolist(), strict=True)))


def cut(body: bytes, lane: int) -> list[PackedBlock]:
    """Cut a block into one for each device; their order is that of `devices_in`."""
    pings = decode(body)
    ids = pings.rows["device_id"]
    parts = [pings.rows_at(ids == device_id) for _, device_id in devices_in(body)]
    return [block for part in parts for block in split([(lane, part)])]


def _unpacked(body: bytes) -> _Unpacked:
    if len(body) < _HEADER.size:
        raise ValueError("the block is shorter than its header")
    version, n, crc = _HEADER.unpack_from(body)
    if version != VERSION:
        raise ValueError(f"the block is of version {version}, this release reads {VERSION}")
    rows_end = _HEADER.size + n * PING.itemsize
    if zlib.crc32(memoryview(body)[_HEADER.size :]) != crc or len(body) < rows_end:
        raise ValueError("the block is damaged")
    return body[_HEADER.size : rows_end], _texts_from(body[rows_end:], n) if len(body) > rows_end else []


def _joined(parts: Sequence[_Unpacked]) -> Pings:
    rows = np.frombuffer(bytearray(b"".join([part for part, _ in parts])), PING)
    texts, start = no_texts(len(rows)), 0
    for part, said in parts:
        for index, activity, client_id in said:
            texts[start + index] = activity, client_id
        start += len(part) // PING.itemsize
    return Pings(rows, texts)


def split(parts: Iterable[tuple[int, Pings]]) -> list[PackedBlock]:
    """Join what came for each lane, in the order it came, and cut it into blocks.

    Args:
        parts: lane and pings, as many as wanted of each lane.
    """
    of_lane: dict[int, list[Pings]] = {}
    for lane, pings in parts:
        of_lane.setdefault(lane, []).append(pings)
    return [PackedBlock(lane, n, body) for lane, pings in of_lane.items() for n, body in _bodies(pings)]


def _bodies(parts: list[Pings]) -> Iterator[tuple[int, bytes]]:
    # Joining bytes takes a hundredth of the time that concatenating small structured arrays does.
    rows = b"".join([part.rows.tobytes() for part in parts])
    texts: _EncodedTexts = []
    start = 0
    for part in parts:
        texts += _texts_of(part, start)
        start += len(part)
    yield from _cut(rows, texts, 0, start)


def _cut(rows: bytes, texts: _EncodedTexts, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Cut pings from `start` to `end` into bodies of at most `MAX_BODY_BYTES`."""
    for first in range(start, end, MAX_PINGS):
        last = min(first + MAX_PINGS, end)
        within = texts[bisect_left(texts, (first,)) : bisect_left(texts, (last,))]
        own = [(index - first, activity, client_id) for index, activity, client_id in within]
        body = _packed(rows[first * PING.itemsize : last * PING.itemsize], own)
        if len(body) <= MAX_BODY_BYTES or last - first == 1:
            yield last - first, body
        else:  # long texts
            middle = (first + last) // 2
            yield from _cut(rows, texts, first, middle)
            yield from _cut(rows, texts, middle, last)


def _packed(rows: bytes, texts: _EncodedTexts) -> bytes:
    content = rows + msgspec.msgpack.encode(texts) if texts else rows
    return _HEADER.pack(VERSION, len(rows) // PING.itemsize, zlib.crc32(content)) + content


def _texts_of(pings: Pings, start: int = 0) -> _EncodedTexts:
    return [
        (index, activity, client_id)
        for index, (activity, client_id) in enumerate(pings.texts.tolist(), start)
        if activity is not None or client_id is not None
    ]


def _texts_from(packed: bytes, n: int) -> _EncodedTexts:
    try:
        texts = _TEXTS.decode(packed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError("the texts of the block cannot be read") from error
    if any(not 0 <= index < n for index, _, _ in texts):
        raise ValueError("the block has a text for a ping that it does not hold")
    return texts
