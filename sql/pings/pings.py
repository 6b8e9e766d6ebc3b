"""Stored pings: new ones by COPY, late ones past the referee, and what the fold judged of them."""

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from geo.fold.fold import JUDGED
from geo.pings import PING, Ints, Pings, Rows
from geo.trust.clean import GIVEN, Flag
from sql import copy
from sql.pings import packed
from sql.pool import Connection, Db
from sql.queries import load

_SQL = load(__name__)

STORED = np.dtype([("ping", PING), ("lane", "<i2"), ("was_judged", "?"), ("judged", JUDGED)])
"""A stored ping with what it was last judged to be."""

_CLOCK_AHEAD = int(Flag.CLOCK_AHEAD)

_KEY = ("device_id", "recorded_ms", "lat_e6", "lon_e6")


async def copy_pings(db: Connection, pings: Pings, judged: Rows | None) -> None:
    """Store pings that cannot be there yet: no constraint says so, the caller holds their lanes.

    Args:
        pings: (n,) none of them stored, as `round_as_kept` makes them.
        judged: (n,) of dtype `JUDGED`, or None where the fold has not come to them.
    """
    rows, names = pings.rows, list(packed.COLUMNS)
    bits = packed.bits_of(rows, rows["flags"] if judged is None else packed.judged_bits_of(judged))
    columns = packed.sent_columns(pings, bits)
    if judged is not None:
        columns += packed.judged_columns(judged)
        names += packed.JUDGED_COLUMNS
    stream = copy.chunks(copy.stream(columns))
    await db.copy_to_table("packed_ping", source=stream, columns=names, format="binary")


async def add_late_pings(db: Db, pings: Pings) -> list[asyncpg.Record]:
    """Store pings that may be there already, unjudged; but those whose clock is ahead count for nothing at once.

    What is there is looked for, and no constraint stands behind that: the caller holds their lanes.

    Args:
        pings: (n,) no fix twice, n at least 1.

    Returns:
        Those that were new: rows of driver_id, recorded_ms and flags.
    """
    rows = pings.rows
    flags: Ints = rows["flags"].astype(np.int64)
    bits = packed.bits_of(rows, flags | np.where(flags & _CLOCK_AHEAD, packed.JUDGED_BIT, 0))
    added: list[asyncpg.Record] = await db.fetch(_SQL["add_late_pings"], *packed.sent_lists(pings, bits), *_span(rows))
    return added


async def merge_pings(db: Db, pings: Pings) -> list[asyncpg.Record]:
    """Put what copies tell into stored pings, as `Pings.merge` does. One whose clock turns out to be ahead is unjudged.

    Args:
        pings: (n,) no fix twice, n at least 1.

    Returns:
        Those that history may judge otherwise now: rows of driver_id and recorded_ms.
    """
    rows = pings.rows
    merged: list[asyncpg.Record] = await db.fetch(
        _SQL["merge_pings"],
        *packed.sent_lists(pings, packed.bits_of(rows, rows["flags"])),
        *_span(rows),
        _CLOCK_AHEAD,
        int(GIVEN),
    )
    return [row for row in merged if row["matters"]]


def _span(rows: Rows) -> tuple[int, int]:
    return int(rows["recorded_ms"].min()), int(rows["recorded_ms"].max())


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
    found = await db.fetch(_SQL["pings_after"], *(tracks[name].tolist() for name in fields), at_most, _CLOCK_AHEAD)
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


async def judge_pings(db: Db, keys: Rows, judged: Rows) -> None:
    """Write what stored pings were judged to be.

    Args:
        keys: (n,) with the fields device_id, recorded_ms, lat_e6 and lon_e6; n at least 1.
        judged: (n,) of dtype `JUDGED`.
    """
    await db.execute(
        _SQL["judge_pings"],
        *(keys[name].tolist() for name in _KEY),
        packed.judged_bits_of(judged).tolist(),
        *packed.judged_lists(judged),
        *_span(keys),
    )


async def remove_ping(db: Db, ping: np.void) -> None:
    """Take a ping that breaks the fold out of the history."""
    await db.execute(_SQL["remove_ping"], *(ping[name].item() for name in _KEY))
