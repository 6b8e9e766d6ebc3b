"""ETAs learn from what is over: a job of `work`, in batches, for one account at a time.

What is learned, and the note of what it was learned from, are one transaction that one process at a time makes for an
account: a visit is learned once, however many processes there are and whenever one of them dies. How far a drive was
learned is a time, by the phone's clock: what is corrected or comes in before it later is not learned again, because
nobody could take the first version out of a mean, and old drives count less every day anyway.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geo.eta_model import Key, Model, Observation, Row, keys_of, learn, observe, passed
from geo.eta_window import Band, adapt
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plans import EARLY_MS, Plan
from ingest.config import IngestConfig
from ingest.models import read_model
from ingest.plans import plan_of
from sql import eta_learning
from sql.eta_learning import Drive, Learned
from sql.eta_told import Outcome, accounts_to_learn_told, take_told
from sql.plans import read_plans
from sql.pool import Connection, Db, Pool

DRIVES_AT_ONCE = 50
TOLD_AT_ONCE = 5_000
_ACCOUNTS_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Driven:
    """A drive with all that is known of it; times in epoch milliseconds, by stop as `observe` takes them."""

    drive: Drive
    plan: Plan
    arrived_ms: Ints
    departed_ms: Ints
    last_ms: int


async def learn_etas(pool: Pool, config: IngestConfig) -> bool:
    """Learn from a batch of one account's drives; tell whether there may be more."""
    after_s = config.eta_learn_after_s
    waiting = await eta_learning.accounts_to_learn(pool, after_s=after_s, at_most=_ACCOUNTS_AT_ONCE)
    waiting += await accounts_to_learn_told(pool, after_s=after_s, at_most=_ACCOUNTS_AT_ONCE)
    for account_id in dict.fromkeys(waiting):
        async with pool.acquire() as db, db.transaction():
            if await eta_learning.try_hold_learning(db, account_id):
                return await _learn_account(db, account_id, after_s)
    return False


async def _learn_account(db: Connection, account_id: int, after_s: float) -> bool:
    """Learn a batch. Rows that trackers write too are held only at the end, always in this order."""
    drives = await eta_learning.due_drives(db, account_id, after_s=after_s, at_most=DRIVES_AT_ONCE)
    model = await read_model(db, account_id)
    found: list[Observation] = []
    learned: list[Learned] = []
    for drive in drives:
        driven = await _read(db, drive)
        if driven is not None and drive.horizon_ms > drive.until_ms:
            found += await asyncio.to_thread(_observations, model, driven)
        goes_on = driven is not None and driven.last_ms > drive.horizon_ms
        learned.append(Learned(drive=drive, until_ms=max(drive.horizon_ms, drive.until_ms), goes_on=goes_on))
    changed = await asyncio.to_thread(_learned_rows, model, found)

    if learned:
        await eta_learning.note_learned(db, learned)
    told = await take_told(db, account_id, after_s=after_s, at_most=TOLD_AT_ONCE)
    if told:
        await eta_learning.put_bands(db, account_id, _adapted(model, told))
    if changed or told:
        version = model.version + 1
        await eta_learning.put_rows(db, account_id, version, changed)
        await eta_learning.raise_eta_version(db, account_id, version)
    return len(drives) == DRIVES_AT_ONCE or len(told) == TOLD_AT_ONCE


async def _read(db: Db, drive: Drive) -> _Driven | None:
    """Read what a driver did on a route; None when there is nothing to learn from."""
    visits = await eta_learning.drive_visits(db, drive)
    if drive.version is None or not visits:
        return None
    (row,) = await read_plans(db, [(drive.route_id, drive.version)])
    plan = plan_of(row)
    ms, along_m = await eta_learning.drive_places(
        db, drive, from_ms=plan.start_ms - EARLY_MS, until_ms=drive.horizon_ms
    )
    arrived_ms, departed_ms = _times(plan, visits, ms, along_m, drive.horizon_ms)
    last_ms = max(arrived if departed is None else departed for arrived, departed in visits.values())
    return _Driven(drive=drive, plan=plan, arrived_ms=arrived_ms, departed_ms=departed_ms, last_ms=last_ms)


def _times(
    plan: Plan, visits: Mapping[int, tuple[int, int | None]], ms: Ints, along_m: Floats, horizon_ms: int
) -> tuple[Ints, Ints]:
    """Tell when the driver was at each stop: as visits say; where there is none, when the van passed by."""
    arrived_ms = passed(plan, ms, along_m).copy()
    departed_ms = arrived_ms.copy()
    for place, stop_id in enumerate(plan.stop_ids.tolist()):
        if stop_id in visits:
            arrived, departed = visits[stop_id]
            arrived_ms[place] = arrived if arrived <= horizon_ms else UNKNOWN_MS
            departed_ms[place] = departed if departed is not None and departed <= horizon_ms else UNKNOWN_MS
    return arrived_ms, departed_ms


def _observations(model: Model, driven: _Driven) -> list[Observation]:
    """What a drive says that was not learned yet."""
    drive = driven.drive
    found = observe(model, driven.plan, drive.driver_id, driven.arrived_ms, driven.departed_ms)
    return [one for one in found if drive.until_ms < one.ended_ms <= drive.horizon_ms]


def _learned_rows(model: Model, found: list[Observation]) -> dict[Key, Row]:
    return learn({key: model.rows[key] for key in keys_of(found) if key in model.rows}, found) if found else {}


def _adapted(model: Model, told: list[Outcome]) -> tuple[Band, ...]:
    columns = (np.array([getattr(one, name) for one in told]) for name in ("lead_s", "early_s", "late_s", "error_s"))
    return adapt(model.bands, *columns)
