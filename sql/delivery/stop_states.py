"""What becomes of stops and routes: which events of drivers are in force, and what follows from them and from visits.

Events are folded in the order in which they happened, whenever they came.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from geo.plan.numbers import EARLY_MS, LATE_MS
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedEvent:
    """An event that is judged otherwise than before.

    Attributes:
        lane: of its driver.
        lat, lon: degrees; None where the phone did not know.
        data: as it was sent, without what is kept nowhere (a PIN).
        outcome: what the data mean for the stop as it was planned when they came in.
        effective: it is in force now; `was_effective`: it was before, and meant the same route. False for one that has
            just been written.
    """

    driver_id: int
    id: UUID
    account_id: int
    lane: int
    type: str
    route_id: int | None
    stop_id: int | None
    occurred_ms: int
    lat: float | None
    lon: float | None
    data: dict[str, Any]
    outcome: dict[str, Any]
    effective: bool
    was_effective: bool


async def judge_stop_events(db: Db, stop_ids: Sequence[int], *, most_wrong_pins: int) -> list[JudgedEvent]:
    """Judge everything said of stops. The caller holds the lanes of all drivers who ever had them, and the stops."""
    return _judged(await db.fetch(_SQL["judge_stop_events"], stop_ids, most_wrong_pins))


async def judge_shift_events(
    db: Db, *, driver_id: int, from_ms: int, same_shift_s: float, same_break_s: float
) -> list[JudgedEvent]:
    """Judge a driver's shifts and breaks from a time on. The caller holds the driver's lane.

    Args:
        same_shift_s, same_break_s: a second beginning within so long is the same one, said twice.
    """
    return _judged(await db.fetch(_SQL["judge_shift_events"], driver_id, from_ms, same_shift_s, same_break_s))


async def judge_route_starts(db: Db, *, driver_id: int, from_ms: int) -> list[JudgedEvent]:
    """Judge a driver's explicit starts of routes from a time on. The caller holds the driver's lane.

    Which route a start means that names none is found here, and anew each time: it follows from those before it.
    """
    return _judged(await db.fetch(_SQL["judge_route_starts"], driver_id, from_ms, EARLY_MS, LATE_MS))


async def judge_route_ends(db: Db, spoken: Collection[tuple[int | None, int]]) -> list[JudgedEvent]:
    """Judge which words end a route. The caller holds the drivers' lanes.

    Args:
        spoken: (driver, route) of whom and of which something was said, or is judged otherwise; None: of all drivers.
    """
    drivers, routes = [driver for driver, _ in spoken], [route for _, route in spoken]
    return _judged(await db.fetch(_SQL["judge_route_ends"], drivers, routes))


def _judged(rows: list[asyncpg.Record]) -> list[JudgedEvent]:
    return [JudgedEvent(**row) for row in rows]


async def judge_starts_of_route(db: Db, route_id: int) -> list[JudgedEvent]:
    """Judge starts that a new version of a route may change. The caller holds the lanes of all who ever had it."""
    judged: list[JudgedEvent] = []
    for row in await db.fetch(_SQL["starts_of_route"], route_id):
        judged += await judge_route_starts(db, driver_id=row["driver_id"], from_ms=row["from_ms"])
    return judged


async def hold_stops(db: Db, stop_ids: Sequence[int]) -> None:
    """Be the only one who says what becomes of stops until the transaction ends. Comes after any lane."""
    await db.execute(_SQL["hold_stops"], stop_ids)


async def settle_stops(db: Db, stop_ids: Sequence[int]) -> None:
    """Make stops say what their drivers said and what their visits say."""
    await hold_stops(db, stop_ids)
    await db.execute(_SQL["settle_stops"], stop_ids)


async def settle_routes(db: Db, route_ids: Sequence[int]) -> None:
    """Make routes say when they began and ended."""
    await db.execute(_SQL["hold_routes"], route_ids)
    await db.execute(_SQL["settle_routes"], route_ids)
