"""A few pings against which nothing is to be said, made one by one: what `columns.check` makes, at less cost.

Columns cost almost as much for one ping as for ten, and most phones send one at a time.
"""

import struct
from collections.abc import Sequence
from datetime import datetime
from math import nan
from typing import TypeAlias

import numpy as np

from geo.pings import PING, Pings, no_texts
from geo.times import as_ms
from ingest.decode.columns import (
    AHEAD_MS,
    MAX_ACTIVITY,
    MAX_ID,
    MEASURED,
    NORTH_DEG,
    UNKNOWN_ALTITUDE_M,
    Arrival,
    text_of,
)

FEW = 32
"""From about so many on columns cost less."""

Known: TypeAlias = float | bool | None
Row: TypeAlias = tuple[
    datetime | int, float, float, Known, Known, Known, Known, Known, bool | None, bool | None, str | None, str | None
]
"""The time, or its epoch milliseconds, `columns.NUMBERS` and `columns.TEXTS` of one ping; None: nothing was said."""

_PING = struct.Struct("<qqqqiifffffbbI")  # as `PING` lies in memory
_LAT, _LON, _ACCURACY, _ALTITUDE, _SPEED, _HEADING, _BATTERY, _, _ = MEASURED
(_SOUTH, _NORTH), (_WEST, _EAST) = _LAT, _LON


def pings_of(rows: Sequence[Row], arrival: Arrival) -> Pings | None:
    """Make pings of at most `FEW` rows; None: one is to be refused, corrected or flagged, which `check` does."""
    if arrival.ahead_ms:
        return None
    oldest_ms, received_ms = arrival.oldest_ms, arrival.received_ms
    newest_ms = received_ms + arrival.doubt_ms + AHEAD_MS
    packed = bytearray()
    texts = no_texts(len(rows))
    for i, (at, lat, lon, acc, alt, speed, heading, battery, charging, mock, activity, own_id) in enumerate(rows):
        at_ms = as_ms(at)
        if not (oldest_ms <= at_ms <= newest_ms and _SOUTH <= lat <= _NORTH and _WEST <= lon <= _EAST):
            return None
        altitude_m = nan if alt == UNKNOWN_ALTITUDE_M else _measured(alt, *_ALTITUDE)
        heading_deg = _measured(heading, *_HEADING)
        packed += _PING.pack(
            arrival.driver_id,
            arrival.device_id,
            at_ms,
            received_ms,
            round(lat * 1e6),
            round(lon * 1e6),
            _measured(acc, *_ACCURACY),
            altitude_m,
            _measured(speed, *_SPEED),
            0.0 if heading_deg > NORTH_DEG else heading_deg,
            _measured(battery, *_BATTERY),
            -1 if charging is None else charging,
            -1 if mock is None else mock,
            0,
        )
        if activity or own_id:
            texts[i] = text_of(activity, MAX_ACTIVITY), text_of(own_id, MAX_ID)
    return Pings(np.frombuffer(packed, PING), texts)


def _measured(value: Known, least: float, most: float) -> float:
    return value if value is not None and least <= value <= most else nan
