"""Tracks: the stored fold of every driver, its checkpoints, and what makes one fold again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from geo.pings import Bools, Ints
from geo.plan.plans import FOREVER_MS
from sql.arrays import array_text
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


class TrackChangedError(Exception):
    """A track was not at the version it was read at: somebody wrote it without holding its lane."""


class TrackRow(NamedTuple):
    """One driver's stored fold; fields in the order of the query.

    Attributes:
        folded_ms: the state's position; UNKNOWN_MS before the first, here and below.
        head_ms: the greatest recorded_ms to fold.
        stored_ms: the greatest recorded_ms stored, also of pings that are never folded (clock ahead).
        rerun_from_ms: fold again from here; None when nobody asks.
        may_rerun: the last re-run is long enough ago.
        unmarked: pings folded since the last checkpoint.
        shift_only_ms: what was received from then on is kept only if it was recorded in a shift, or while somebody
            works; FOREVER_MS: all is.
        shifts_from_ms: shifts changed from here on; FOREVER_MS when none did.
        state: as stored; None when it is the version the caller has, or nothing was folded yet.
    """

    lane: int
    driver_id: int
    account_id: int
    version: int
    plan_version: int
    fences_version: int
    folded_ms: int
    head_ms: int
    stored_ms: int
    rerun_from_ms: int | None
    may_rerun: bool
    unmarked: int
    shift_only_ms: int
    shifts_from_ms: int
    state: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrackWrites:
    """What a take leaves of the folds of n drivers, columns as of `TrackRow`.

    Attributes:
        version: the one each was read at.
        rerun_from_ms: FOREVER_MS when nobody asks.
        rerun_began: whether a re-run began now.
    """

    lane: Ints
    driver_id: Ints
    version: Sequence[int]
    state: Sequence[bytes]
    folded_ms: Ints
    head_ms: Ints
    stored_ms: Ints
    rerun_from_ms: Ints
    rerun_began: Bools
    unmarked: Ints


async def plan_changed(db: Db, *, lane: int, driver_id: int, account_id: int, effective_at: datetime) -> None:
    """Tell the tracker that a driver's plan is another one from `effective_at` on. The caller holds the lane."""
    await db.execute(_SQL["plan_changed"], lane, driver_id, account_id, effective_at)


async def claims_changed(
    db: Db, *, lane: int, driver_id: int, account_id: int, from_at: datetime, until_at: datetime
) -> None:
    """Tell the tracker that what a driver said is another thing now. The caller holds the lane.

    Call it in the transaction that writes the events, for every driver of whom a claim came, or lost or won its effect.
    After a `reopened` the routes follow too (`work.feed.settle`).

    Args:
        from_at, until_at: when the first and the last of those claims occurred.
    """
    await db.execute(_SQL["claims_changed"], lane, driver_id, account_id, from_at, until_at)


async def fences_changed(db: Db, *, account_id: int, effective_at: datetime) -> None:
    """Tell the tracker that an account's geofences changed at `effective_at`. The caller holds the account's lanes."""
    await db.execute(_SQL["fences_changed"], account_id, effective_at)


async def ensure_tracks(db: Db, lanes: Sequence[int], drivers: Sequence[int]) -> None:
    """Make the tracks of drivers who have none."""
    await db.execute(_SQL["ensure_tracks"], lanes, drivers)


async def drivers_behind(db: Db, lanes: Sequence[int], *, rerun_every_s: float, at_most: int) -> dict[int, int]:
    """Find drivers of locked lanes whose fold has not come to its head and may go on now; give each one's lane."""
    rows = await db.fetch(_SQL["drivers_behind"], lanes, rerun_every_s, at_most)
    return {row["driver_id"]: row["lane"] for row in rows}


async def read_tracks(
    db: Db, lanes: Sequence[int], drivers: Sequence[int], versions: Sequence[int], *, rerun_every_s: float
) -> list[TrackRow]:
    """Read tracks, by driver_id ascending.

    Args:
        lanes: the lane of each driver.
        versions: those whose state the caller has, -1 for none.
    """
    asked = [array_text(column) for column in (lanes, drivers, versions)]
    rows = await db.fetch(_SQL["read_tracks"], *asked, rerun_every_s)
    return [TrackRow(*row) for row in rows]


async def write_tracks(db: Db, writes: TrackWrites) -> None:
    """Move tracks on.

    Raises:
        TrackChangedError: one is not at the version it was read at; roll back.
    """
    written = await db.fetch(
        _SQL["write_tracks"],
        *(array_text(column) for column in (writes.lane, writes.driver_id, writes.version)),
        writes.state,
        *(array_text(column) for column in (writes.folded_ms, writes.head_ms, writes.stored_ms)),
        array_text(writes.rerun_from_ms, writes.rerun_from_ms == FOREVER_MS),
        *(array_text(column) for column in (writes.rerun_began, writes.unmarked)),
    )
    changed = len(writes.state) - len(written)
    if changed:
        raise TrackChangedError(f"{changed} of {len(writes.state)} tracks changed under the tracker")


async def checkpoints_before(
    db: Db, lanes: Sequence[int], drivers: Sequence[int], before_ms: Sequence[int]
) -> dict[int, bytes]:
    """Find each driver's newest checkpoint strictly before a time; drivers without one are missing."""
    rows = await db.fetch(_SQL["checkpoints_before"], lanes, drivers, before_ms)
    return {row["driver_id"]: row["state"] for row in rows}


async def drop_checkpoints_from(db: Db, lanes: Sequence[int], drivers: Sequence[int], from_ms: Sequence[int]) -> None:
    """Drop the checkpoints at or after each driver's time."""
    await db.execute(_SQL["drop_checkpoints_from"], lanes, drivers, from_ms)


async def put_checkpoints(
    db: Db, lanes: Sequence[int], drivers: Sequence[int], at_ms: Sequence[int], states: Sequence[bytes]
) -> None:
    """Keep states to start re-runs from."""
    await db.execute(_SQL["put_checkpoints"], lanes, drivers, at_ms, states)
