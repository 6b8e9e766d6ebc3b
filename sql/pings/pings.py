"""Stored pings: new ones by COPY, late ones past the referee, and what the fold judged of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import numpy as np
from numpy.typing import NDArray

from geo.fold.fold import JUDGED
from geo.pings import PING, Ints, Pings, Rows
from geo.trust.clean import GIVEN, Flag
from sql import copy
from sql.pool import Connection, Db
from sql.queries import load

_SQL = load(__name__)

STORED = np.dtype([("ping", PING), ("lane", "<i2"), ("was_judged", "?"), ("judged", JUDGED)])
"""A stored ping with what it was last judged to be."""

_CLOCK_AHEAD = int(Flag.CLOCK_AHEAD)

_RAW = ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery")
_KEY = ("device_id", "recorded_ms", "lat_e6", "lon_e6")
_COLUMNS = [
    *("lane", "device_id", "recorded_at", "lat_e6", "lon_e6", "driver_id", "received_at"),
    *_RAW,
    *("charging", "mock", "activity", "client_id", "flags"),
]
_JUDGED_COLUMNS = [
    *("believed", "on_route", "route_id", "route_version", "along_m", "offset_m", "snapped_lat_e6", "snapped_lon_e6"),
]


async def copy_pings(db: Connection, lanes: Ints, pings: Pings, judged: Rows | None) -> None:
    """Store pings that cannot be there yet.

    Args:
        lanes: (n,) the lane of each ping's driver.
        pings: (n,) none of them stored.
        judged: (n,) of dtype `JUDGED`, or None where the fold has not come to them.

    Raises:
        asyncpg.UniqueViolationError: one was there after all; nothing is stored.
    """
    rows = pings.rows
    columns = [
        copy.whole(lanes, 2),
        copy.whole(rows["device_id"], 8),
        copy.timestamp(rows["recorded_ms"]),
        copy.whole(rows["lat_e6"], 4),
        copy.whole(rows["lon_e6"], 4),
        copy.whole(rows["driver_id"], 8),
        copy.timestamp(rows["received_ms"]),
        *(copy.real(rows[name], 4) for name in _RAW),
        *(copy.boolean(rows[name], rows[name] < 0) for name in ("charging", "mock")),
        *(copy.text(pings.texts[:, column].tolist()) for column in (0, 1)),
        copy.whole(rows["flags"] if judged is None else judged["flags"], 4),
    ]
    names = list(_COLUMNS)
    if judged is not None:
        no_route, no_snap = judged["route_id"] == 0, np.isnan(judged["along_m"])
        columns += [
            copy.boolean(judged["believed"]),
            copy.boolean(judged["on_route"], no_route),
            copy.whole(judged["route_id"], 8, no_route),
            copy.whole(judged["route_version"], 4, no_route),
            copy.real(judged["along_m"], 8),
            copy.real(judged["offset_m"], 4),
            copy.whole(judged["snapped_lat_e6"], 4, no_snap),
            copy.whole(judged["snapped_lon_e6"], 4, no_snap),
        ]
        names += _JUDGED_COLUMNS
    await db.copy_to_table("ping", source=copy.chunks(copy.stream(columns)), columns=names, format="binary")


async def add_late_pings(db: Db, lanes: Ints, pings: Pings) -> list[asyncpg.Record]:
    """Store pings that may be there already, unjudged.

    Returns:
        Those that were new: rows of driver_id, recorded_ms and flags.
    """
    rows = pings.rows
    keys = (rows[name].tolist() for name in (*_KEY, "driver_id", "received_ms"))
    added: list[asyncpg.Record] = await db.fetch(
        _SQL["add_late_pings"], lanes.tolist(), *keys, *_told(pings), rows["flags"].tolist(), _CLOCK_AHEAD
    )
    return added


async def merge_pings(db: Db, lanes: Ints, pings: Pings) -> list[asyncpg.Record]:
    """Put what copies tell into stored pings, as `Pings.merge` does. One whose clock turns out to be ahead is unjudged.

    Args:
        lanes: (n,) of their drivers, n at least 1.
        pings: (n,) no fix twice.

    Returns:
        Those that history may judge otherwise now: rows of driver_id and recorded_ms.
    """
    rows = pings.rows
    keys = (rows[name].tolist() for name in _KEY)
    span = int(rows["recorded_ms"].min()), int(rows["recorded_ms"].max())
    merged: list[asyncpg.Record] = await db.fetch(
        _SQL["merge_pings"],
        lanes.tolist(),
        *keys,
        *_told(pings),
        rows["received_ms"].tolist(),
        rows["flags"].tolist(),
        *span,
        _CLOCK_AHEAD,
        int(GIVEN),
    )
    return [row for row in merged if row["matters"]]


def _told(pings: Pings) -> list[list[Any]]:
    """Give what a phone may leave out, as columns with None for unknown."""
    rows = pings.rows
    return [
        *(_real_or_none(rows[name]) for name in _RAW),
        *([None if one < 0 else bool(one) for one in rows[name].tolist()] for name in ("charging", "mock")),
        *(pings.texts[:, column].tolist() for column in (0, 1)),
    ]


async def pings_after(db: Db, lanes: Ints, tracks: Rows, *, at_most: int) -> tuple[Pings, Rows]:
    """Read each track's next stored pings.

    Args:
        lanes: (m,) the lane of each track.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        at_most: pings of each.

    Returns:
        The pings, and (n,) of dtype `STORED` with what they were judged to be.
    """
    if not len(tracks):  # most takes: and only to open every day of `ping` takes half a millisecond
        return Pings.empty(), np.zeros(0, STORED)
    fields = ("driver_id", "at_ms", "at_lat_e6", "at_lon_e6", "at_device_id")
    found = await db.fetch(
        _SQL["pings_after"], lanes.tolist(), *(tracks[name].tolist() for name in fields), at_most, _CLOCK_AHEAD
    )
    pings, stored = pings_of(found), np.zeros(len(found), STORED)
    lane_of: Mapping[int, int] = dict(zip(tracks["driver_id"].tolist(), lanes.tolist(), strict=True))
    judged = stored["judged"]
    for name in ("along_m", "offset_m"):
        judged[name] = np.nan
    for i, row in enumerate(found):
        stored["lane"][i] = lane_of[row["driver_id"]]
        stored["was_judged"][i] = row["believed"] is not None
        for name in JUDGED.names or ():
            if row[name] is not None:
                judged[name][i] = row[name]
    stored["ping"] = pings.rows
    return pings, stored


def pings_of(found: Sequence[asyncpg.Record]) -> Pings:
    """Make columns of rows of `ping` that have every field of `PING`, activity and client_id."""
    pings = Pings.empty(len(found))
    for i, row in enumerate(found):
        for name in PING.names or ():
            if row[name] is not None:
                pings.rows[name][i] = row[name]
        pings.texts[i] = row["activity"], row["client_id"]
    return pings


async def judge_pings(db: Db, lanes: Sequence[int], keys: Rows, judged: Rows) -> None:
    """Write what stored pings were judged to be.

    Args:
        lanes: (n,) of their drivers, n at least 1.
        keys: (n,) with the fields device_id, recorded_ms, lat_e6 and lon_e6.
        judged: (n,) of dtype `JUDGED`.
    """
    no_route, no_snap = judged["route_id"] == 0, np.isnan(judged["along_m"])
    await db.execute(
        _SQL["judge_pings"],
        list(lanes),
        *(keys[name].tolist() for name in _KEY),
        judged["flags"].tolist(),
        judged["believed"].tolist(),
        _where(judged["on_route"], no_route),
        _where(judged["route_id"], no_route),
        _where(judged["route_version"], no_route),
        _real_or_none(judged["along_m"]),
        _real_or_none(judged["offset_m"]),
        _where(judged["snapped_lat_e6"], no_snap),
        _where(judged["snapped_lon_e6"], no_snap),
        int(keys["recorded_ms"].min()),
        int(keys["recorded_ms"].max()),
    )


async def remove_ping(db: Db, lane: int, ping: np.void) -> None:
    """Take a ping that breaks the fold out of the history."""
    await db.execute(_SQL["remove_ping"], lane, *(ping[name].item() for name in _KEY))


def _where(values: NDArray[Any], null: NDArray[np.bool_]) -> list[Any]:
    return [None if gone else one for one, gone in zip(values.tolist(), null.tolist(), strict=True)]


def _real_or_none(values: NDArray[Any]) -> list[float | None]:
    return _where(values, np.isnan(values))
