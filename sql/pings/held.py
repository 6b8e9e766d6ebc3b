"""Pings that an account does not keep: held back, sealed, until a shift claims them or their time is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np

from geo.pings import Pings, Rows
from sql.pings.pings import pings_of
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

REACH_MS = 27 * 3_600_000
"""The day before the first shift or tour is judged by it, too, where tours count: that is the night before it, and the
time before its start that belongs to it."""

SPELL = np.dtype([("driver_id", "<i8"), ("from_ms", "<i8"), ("until_ms", "<i8")])
"""A time in which a driver was in a shift, its ends with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBlock:
    """One row of `held`, its body sealed; `unreadable` when a tracker could not open it before."""

    lane: int
    driver_id: int
    id: int
    expires_ms: int
    unreadable: bool
    body: bytes


async def spells_of_drivers(db: Db, driver_ids: Sequence[int], since_ms: Sequence[int], *, longest_ms: int) -> Rows:
    """Read when drivers were in a shift: (n,) of dtype `SPELL`, by driver and in order; no two of a driver overlap.

    Args:
        since_ms: for each driver; shifts that were over before may be left out.
        longest_ms: a shift counts for so long at most, also one of which no end is known.
    """
    rows = await db.fetch(_SQL["spells_of_drivers"], driver_ids, since_ms, longest_ms)
    return np.array([tuple(row) for row in rows], SPELL)


async def put_held(
    db: Db, lanes: Sequence[int], drivers: Sequence[int], expires_ms: Sequence[int], bodies: Sequence[bytes]
) -> None:
    """Hold blocks back, each until its time; one that is past it is not kept."""
    await db.execute(_SQL["put_held"], lanes, drivers, expires_ms, bodies)


async def pop_held(db: Db, lanes: Sequence[int], drivers: Sequence[int]) -> list[HeldBlock]:
    """Take out all that is held of drivers whose lanes are locked, but for what is past its time: that is deleted."""
    return [HeldBlock(**row) for row in await db.fetch(_SQL["pop_held"], lanes, drivers)]


async def put_back_held(db: Db, blocks: Sequence[HeldBlock]) -> None:
    """Hold on to blocks that cannot be opened, each until its time as before."""
    await db.execute(
        _SQL["put_back_held"],
        *([getattr(block, name) for block in blocks] for name in ("lane", "driver_id", "expires_ms", "body")),
    )


async def unreadable_held(db: Db) -> int:
    """Count blocks that a tracker could not open."""
    found: int = await db.fetchval(_SQL["unreadable_held"])
    return found


async def drop_expired(db: Db | Pool, *, at_most: int) -> int:
    """Delete what no shift has claimed in time; return how many blocks."""
    return len(await db.fetch(_SQL["drop_expired"], at_most))


async def shifts_changed(db: Db, *, lane: int, driver_id: int, account_id: int, from_at: datetime) -> None:
    """Tell the tracker that a driver's shifts are others from a time on. The caller holds the lane.

    Nothing happens where the account keeps all pings.
    """
    await db.execute(_SQL["shifts_changed"], lane, driver_id, account_id, from_at, REACH_MS)


async def release_held(db: Db, *, account_id: int) -> None:
    """Tell the trackers that an account keeps pings by another rule now, also of those that are held.

    The caller holds the account's lanes.
    """
    await db.execute(_SQL["release_held"], account_id)


async def take_out_pings(
    db: Db, *, lane: int, driver_id: int, from_ms: int, received_from_ms: int, spells: Rows
) -> Pings:
    """Take a driver's pings out of history that lie in no shift, and forget what shows them.

    The caller has the driver folded again from the first of them on; that waits for nothing.

    Args:
        from_ms: those recorded from then on,
        received_from_ms: and received from then on.
        spells: of dtype `SPELL`, the driver's.
    """
    found = await db.fetch(
        _SQL["take_out_pings"],
        driver_id,
        from_ms,
        received_from_ms,
        spells["from_ms"].tolist(),
        spells["until_ms"].tolist(),
    )
    if found:
        await _forget(db, lane, driver_id, found)
    return pings_of(found)


async def _forget(db: Db, lane: int, driver_id: int, gone: Sequence[asyncpg.Record]) -> None:
    at_ms = sorted({row["recorded_ms"] for row in gone})
    routes = sorted({row["route_id"] for row in gone if row["route_id"] is not None})
    await db.execute(_SQL["rerun_at_once"], lane, driver_id)
    await db.execute(_SQL["forget_position"], lane, driver_id, at_ms)
    await db.execute(_SQL["forget_etas"], routes, at_ms)
    for of_places in (_SQL["forget_places_of_facts"], _SQL["forget_fixes_of_proofs"], _SQL["forget_detours"]):
        await db.execute(of_places, driver_id, at_ms)
