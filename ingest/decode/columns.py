"""From what a phone said to pings: the checks that every app's messages go through, all columns at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from geo.pings import PING, UNKNOWN_MS, Floats, Ints, Pings, no_texts
from geo.trust.clean import Flag
from geo.trust.clock import lost_ms
from geo.trust.numbers import SINCE_2001_MS, WEEKS_LOST_MS
from ingest.decode.heard import HeardBeside
from ingest.decode.refusals import Refusal, Rejected

NUMBERS = (
    "lat", "lon", "accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery", "charging", "mock",
)  # fmt: skip
"""The order of the rows of `Columns.numbers`."""

TEXTS = ("activity", "id")
"""The order of the columns of `Columns.texts`."""

MAX_ID, MAX_ACTIVITY = 64, 32
"""Characters kept of a phone's own id for a ping and of its activity; a longer one is cut, the ping is not refused."""

AsSent: TypeAlias = Callable[[list[int]], list[Any]]
"""Gives what was sent for some pings, by their places in the message. Asked only for those that are refused."""

AHEAD_MS = 5 * 60_000
"""A phone's clock this far ahead of ours is wrong: the ping is kept, flagged and moves nothing."""

TOO_FAR_AHEAD_MS = 24 * 3_600_000

# What is outside was not measured. The floor of accuracy leaves out the 0.0 that Android sends when it does not know;
# 10 km and 1 km/s are beyond what any phone means.
MEASURED = (
    (-90.0, 90.0), (-180.0, 180.0), (1e-3, 1e7), (-1e4, 1e5), (0.0, 1e3), (0.0, 360.0),
    (0.0, 1.0), (0.0, 1.0), (0.0, 1.0),
)  # fmt: skip
"""Least and most of each of `NUMBERS`."""

UNKNOWN_ALTITUDE_M = -1.0
"""How phones say that they do not know."""

NORTH_DEG = 359.9999
"""A heading beyond is north: the next float32 below 360 is 359.99997."""

_LEAST, _MOST = (np.array(ends)[:, None] for ends in zip(*MEASURED, strict=True))
_LAT, _LON = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Whose message it is and when it came.

    Attributes:
        received_ms: our clock.
        oldest_ms: pings recorded before are refused.
        ahead_ms: how far its clock is ahead of ours, by which its times are corrected; None: it did not say it.
        doubt_ms: how far our clock may be wrong, >= 0: nothing is refused or flagged that a right one would not.
    """

    driver_id: int
    device_id: int
    received_ms: int
    oldest_ms: int
    ahead_ms: int | None = None
    doubt_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """What a phone said about n pings, unchecked.

    Attributes:
        times_ms: (n,) the phone's clock; UNKNOWN_MS where it said none.
        numbers: (9, n) a row for each of `NUMBERS`; NaN where it said none; 1 and 0 for yes and no.
        texts: (n, 2) as in `Pings`, or None when no ping has any.
        refused: (n,) `Refusal` found while reading, 0 where none was; None when none was at all.
        flags: `geo.trust.clean.Flag` of every one of them.
    """

    times_ms: Ints
    numbers: Floats
    texts: NDArray[np.object_] | None = None
    refused: NDArray[np.int8] | None = None
    flags: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """What a message held: pings to keep, what was refused of it, and what it said beside places; None: nothing."""

    pings: Pings
    rejected: list[Rejected]
    heard: HeardBeside | None = None


def check(said: Columns, arrival: Arrival, sent: AsSent) -> Decoded:
    """Refuse what is not a ping and make pings of the rest. An odd optional field is unknown, it refuses nothing."""
    if arrival.ahead_ms:
        times_ms = np.where(said.times_ms == UNKNOWN_MS, UNKNOWN_MS, said.times_ms - arrival.ahead_ms)
        said = replace(said, times_ms=times_ms, flags=said.flags | Flag.CLOCK_CORRECTED)
    said, flags = _counted_right(said, arrival)
    times_ms, numbers, texts = said.times_ms, said.numbers, said.texts
    measured = (numbers >= _LEAST) & (numbers <= _MOST)  # NaN is outside
    rejected: list[Rejected] = []
    refused = _refused(said, measured, arrival)
    if refused is not None:
        at = np.flatnonzero(refused).tolist()
        rejected = [Rejected(i, Refusal(int(refused[i])).why, item) for i, item in zip(at, sent(at), strict=True)]
        kept = refused == 0
        times_ms, numbers, measured = times_ms[kept], numbers[:, kept], measured[:, kept]
        flags = None if flags is None else flags[kept]
        texts = None if texts is None else texts[kept]
    if texts is None:
        texts = no_texts(len(times_ms))
    numbers = np.where(measured, numbers, np.nan)
    return Decoded(
        Pings(_rows(times_ms, numbers, arrival, int(said.flags) if flags is None else flags), texts), rejected
    )


def _counted_right(said: Columns, arrival: Arrival) -> tuple[Columns, Ints | None]:
    """Add what times lack that were counted from another beginning, and give the flags of each ping; None: `said`'s."""
    if not len(said.times_ms) or said.times_ms.min() >= arrival.oldest_ms:
        return said, None
    flags = np.full(len(said.times_ms), int(said.flags), np.int64)
    lost = lost_ms(said.times_ms, arrival.oldest_ms, arrival.received_ms + AHEAD_MS)
    flags |= np.where(lost == WEEKS_LOST_MS, int(Flag.GPS_WEEK_ROLLOVER), 0)
    flags |= np.where(lost == SINCE_2001_MS, int(Flag.EPOCH_2001), 0)
    return replace(said, times_ms=said.times_ms + lost), flags


def corrected(rows: NDArray[np.void], ahead_ms: int, received_ms: int) -> None:
    """Date pings of a phone whose clock is so far ahead as they were recorded; writes into `rows`."""
    rows["recorded_ms"] -= ahead_ms
    ahead = rows["recorded_ms"] > received_ms + AHEAD_MS
    flags = rows["flags"] & ~np.uint32(Flag.CLOCK_AHEAD) | np.uint32(Flag.CLOCK_CORRECTED)
    rows["flags"] = np.where(ahead, flags | np.uint32(Flag.CLOCK_AHEAD), flags)


def _rows(times_ms: Ints, numbers: Floats, arrival: Arrival, flags: Ints | int) -> NDArray[np.void]:
    lat, lon, accuracy_m, altitude_m, speed_mps, heading_deg, battery, charging, mock = numbers
    rows = np.empty(len(times_ms), PING)
    rows["driver_id"] = arrival.driver_id
    rows["device_id"] = arrival.device_id
    rows["recorded_ms"] = times_ms
    rows["received_ms"] = arrival.received_ms
    rows["lat_e6"] = np.rint(lat * 1e6)
    rows["lon_e6"] = np.rint(lon * 1e6)
    rows["accuracy_m"] = accuracy_m
    rows["altitude_m"] = np.where(altitude_m == UNKNOWN_ALTITUDE_M, np.nan, altitude_m)
    rows["speed_mps"] = speed_mps
    rows["heading_deg"] = np.where(heading_deg > NORTH_DEG, 0.0, heading_deg)
    rows["battery"] = battery
    rows["charging"] = np.where(charging >= 0, charging, -1)
    rows["mock"] = np.where(mock >= 0, mock, -1)
    ahead = times_ms > arrival.received_ms + arrival.doubt_ms + AHEAD_MS
    rows["flags"] = np.where(ahead, flags | int(Flag.CLOCK_AHEAD), flags)
    return rows


def _refused(said: Columns, measured: NDArray[np.bool_], arrival: Arrival) -> NDArray[np.int8] | None:
    """Find the first reason against each ping; None when there is none against any."""
    newest_ms = arrival.received_ms + arrival.doubt_ms + TOO_FAR_AHEAD_MS
    in_time = (said.times_ms >= arrival.oldest_ms) & (said.times_ms <= newest_ms)
    if said.refused is None and in_time.all() and measured[:2].all():
        return None
    unknown = np.isnan(said.numbers[:2])
    reasons = [
        (said.times_ms == UNKNOWN_MS, Refusal.TIME_MISSING),
        (said.times_ms < arrival.oldest_ms, Refusal.TIME_TOO_OLD),
        (said.times_ms > newest_ms, Refusal.TIME_TOO_FAR_AHEAD),
        (unknown[_LAT], Refusal.LAT_MISSING),
        (~measured[_LAT], Refusal.LAT_OUT_OF_RANGE),
        (unknown[_LON], Refusal.LON_MISSING),
        (~measured[_LON], Refusal.LON_OUT_OF_RANGE),
    ]
    found = np.select([true for true, _ in reasons], [np.int8(reason) for _, reason in reasons], np.int8(0))
    return found if said.refused is None else np.where(said.refused != 0, said.refused, found)


def texts_of(activities: Sequence[object], ids: Sequence[object]) -> NDArray[np.object_] | None:
    """Make the texts of pings from what was sent as `activity` and `id`; None when there is nothing of either."""
    if not any(activities) and not any(ids):
        return None
    texts = no_texts(len(activities))
    texts[:, 0] = [text_of(activity, MAX_ACTIVITY) for activity in activities]
    texts[:, 1] = [text_of(client_id, MAX_ID) for client_id in ids]
    return texts


def text_of(value: object, longest: int) -> str | None:
    """Give what Postgres can keep of a text: cut, without NUL and halves of surrogate pairs."""
    if type(value) is int and abs(value) < 1 << 64:
        return str(value)
    if type(value) is not str:
        return None
    text = value[:longest]
    if text.isascii() and "\0" not in text:
        return text or None
    return text.encode("utf-8", "replace").decode().replace("\0", "") or None
