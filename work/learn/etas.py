"""ETAs learn from what is over: a job of `work`, in batches, for one account at a time.

What is learned, and the note of what it was learned from, are one transaction that one process at a time makes for an
account: a drive to a stop and a service at it are learned once, however many processes there are and whenever one dies.
What is corrected after that is not learned again: nobody could take the first version out of a mean, and it counts less
every day anyway. That is why learning waits a little, and for all pings of a phone that are on their way.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.model import Observation, delays, keys_of, learn, observe, passed
from geo.eta.window import Given, adapt
from geo.pings import UNKNOWN_MS, Ints
from geo.plan.numbers import EARLY_MS
from geo.plan.plans import Plan
from sql.delivery.plans import read_plans
from sql.eta import learning as eta_learning
from sql.eta.learning import DriveRow, Learned
from sql.eta.told import Outcome, accounts_to_learn_told, pop_told
from sql.pool import Connection, Db, Pool
from work.job import Job
from work.plans import plan_of

DRIVES_AT_ONCE = 50
TOLD_AT_ONCE = 5_000
_ACCOUNTS_AT_ONCE = 20
LEARN_AFTER_S = 300.0
"""A visit has been over for so long when ETAs learn from it; as late as a ping gets."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Driven:
    """A drive as far as it is settled; times in epoch milliseconds by stop, as `observe` takes them.

    Attributes:
        goes_on: there were visits after that.
    """

    plan: Plan
    arrived_ms: Ints
    departed_ms: Ints
    passed_ms: Ints
    goes_on: bool


async def learn_etas(pool: Pool, *, after_s: float = LEARN_AFTER_S) -> bool:
    """Learn from a batch of one account's drives; tell whether there may be more."""
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
    version = await eta_learning.eta_version(db, account_id) + 1
    seen: list[Observation] = []
    learned: list[Learned] = []
    for drive in drives:
        driven = await _read(db, drive)
        new = await asyncio.to_thread(_observations, drive, driven) if driven is not None else {}
        seen += new.values()
        goes_on = driven is not None and driven.goes_on
        learned.append(Learned(drive=drive, learned={*drive.learned, *new}, goes_on=goes_on))
    if learned:
        await eta_learning.note_learned(db, learned)
    told = await pop_told(db, account_id, after_s=after_s, at_most=TOLD_AT_ONCE)
    seen += _delays(told)
    rows = await eta_learning.rows_of_keys(db, account_id, keys_of(seen)) if seen else {}
    changed = learn(rows, seen)
    if told:
        bands = await eta_learning.read_bands(db, account_id)
        await eta_learning.put_bands(db, account_id, adapt(bands, _given(told)))
    if changed or told:
        await eta_learning.put_rows(db, account_id, version, changed)
        await eta_learning.raise_eta_version(db, account_id, version)
    return len(drives) == DRIVES_AT_ONCE or len(told) == TOLD_AT_ONCE


async def _read(db: Db, drive: DriveRow) -> _Driven | None:
    """Read what a driver did on a route; None when there is nothing to learn from."""
    visits = await eta_learning.drive_visits(db, drive)
    if drive.version is None or not visits:
        return None
    (row,) = await read_plans(db, [(drive.route_id, drive.version)])
    plan = plan_of(row)
    arrived_ms, departed_ms = (np.full(len(plan.stop_ids), UNKNOWN_MS) for _ in range(2))
    for place, stop_id in enumerate(plan.stop_ids.tolist()):
        arrived, departed = visits.get(stop_id, (None, None))
        if arrived is not None and arrived <= drive.horizon_ms:
            arrived_ms[place] = arrived
        if departed is not None and departed <= drive.horizon_ms:
            departed_ms[place] = departed
    ms, along_m = await eta_learning.drive_places(
        db, drive, from_ms=plan.start_ms - EARLY_MS, until_ms=drive.horizon_ms
    )
    return _Driven(
        plan=plan,
        arrived_ms=arrived_ms,
        departed_ms=departed_ms,
        passed_ms=passed(plan, ms, along_m),
        goes_on=any((departed or arrived) > drive.horizon_ms for arrived, departed in visits.values()),
    )


def _observations(drive: DriveRow, driven: _Driven) -> dict[str, Observation]:
    """What a drive says that was not learned yet, by a name of its own."""
    found = observe(driven.plan, driven.arrived_ms, driven.departed_ms, driven.passed_ms)
    named = {f"{one.what}:{driven.plan.stop_ids[one.row]}": one for one in found}
    return {name: one for name, one in named.items() if name not in drive.learned and one.ended_ms <= drive.horizon_ms}


def _given(told: Sequence[Outcome]) -> Given:
    """Windows learn on the route: off it nobody knows where the van will come back."""
    given = [(one.lead_s, one.spread_s, one.error_s, one.waits, one.route_id) for one in told if one.on_route]
    lead_s, spread_s, error_s, waits, tour = np.array(given, np.float64).reshape(-1, 5).T
    return Given(lead_s=lead_s, spread_s=spread_s, error_s=error_s, waits=waits > 0, tour=tour.astype(np.int64))


def _delays(told: Sequence[Outcome]) -> list[Observation]:
    """How much of each tour's delay was still there when it arrived; before the start a delay is that of the start."""
    tours: dict[int, list[tuple[float, float, float, float, int]]] = {}
    for one in told:
        if one.on_route and not one.waits and one.paced_s is not None and one.late_s is not None:
            row = one.lead_s, one.paced_s, one.late_s, one.spread_s, one.came_ms
            tours.setdefault(one.route_id, []).append(row)
    found: list[Observation] = []
    for rows in tours.values():
        lead_s, paced_s, late_s, spread_s, came_ms = np.array(rows, np.float64).T
        found += delays(lead_s, paced_s, late_s, spread_s, int(came_ms.max()))
    return found


LEARN_ETAS = Job(name="ETA learning", do=learn_etas, pause_s=60.0)
