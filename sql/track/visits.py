"""Visits: arrival to departure at stops and in geofences, as the tracker writes them and as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sql.feed.facts import Revision
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopVisit:
    """A driver was at a stop.

    Attributes:
        departed_at: None while they are there.
        certainty: 0 to 1, how likely they really were; 1 where they say so; None: of a release that did not know.
        on_foot_m: how far from the van they went, metres; None: it was seen too seldom to say.
    """

    visit_id: UUID
    driver_id: int
    stop_id: int
    stop_external_id: str
    arrived_at: datetime
    departed_at: datetime | None
    source: str
    certainty: float | None
    on_foot_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitToEnd:
    """A visit of a stop that is to have an end because nothing is heard of its driver, or none any more.

    Attributes:
        presumed: it has one because nothing was heard.
        tour_is_over: None: it is not.
        state: the driver's track as stored; None: nothing is folded.
        said_ms: when they said their last of the stop since they came; None: nothing.
    """

    lane: int
    driver_id: int
    visit_id: UUID
    presumed: bool
    arrived_ms: int
    tour_is_over: bool | None
    state: bytes | None
    said_ms: int | None


async def inside_fences(db: Db | Pool, account_id: int) -> dict[int, list[int]]:
    """Read in which geofences in force an account's drivers are; who is in none is left out."""
    return {row["driver_id"]: row["geofence_ids"] for row in await db.fetch(_SQL["inside_fences"], account_id)}


async def visits_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> list[StopVisit] | None:
    """Read the visits of a route's stops by arrival; None when the account has no such route."""
    rows = await db.fetch(_SQL["visits_of_route"], account_id, route_id, external_id)
    if not rows:
        return None
    names = StopVisit.__dataclass_fields__
    return [StopVisit(**{name: row[name] for name in names}) for row in rows if row["visit_id"] is not None]


async def remove_visits(db: Db, arrivals: Sequence[Revision]) -> None:
    """Forget visits whose arrival is retracted."""
    await db.execute(_SQL["remove_visits"], [one.lane for one in arrivals], [one.visit_id for one in arrivals])


async def put_arrivals(db: Db, arrivals: Sequence[tuple[Revision, UUID]]) -> None:
    """Write visits, or correct when they began; each arrival with the id of the departure that ends its visit."""
    names = ("lane", "visit_id", "driver_id", "account_id", "route_id", "route_version", "stop_id", "geofence_id")
    await db.execute(
        _SQL["put_arrivals"],
        *([getattr(one, name) for one, _ in arrivals] for name in names),
        [one.occurred_ms for one, _ in arrivals],
        [departure for _, departure in arrivals],
        [one.data.get("source", "auto") for one, _ in arrivals],
        [one.data.get("certainty") for one, _ in arrivals],
    )


async def put_departures(db: Db, departures: Sequence[Revision]) -> None:
    """Write or correct when visits ended; a retracted departure opens its visit again."""
    await db.execute(
        _SQL["put_departures"],
        [one.lane for one in departures],
        [one.visit_id for one in departures],
        [None if one.state == "retracted" else one.occurred_ms for one in departures],
        [one.state != "retracted" and one.folded_ms is None for one in departures],
    )


async def visits_to_end(
    db: Db, lanes: Sequence[int], *, now: datetime, silent_after_s: float, long_after_s: float
) -> list[VisitToEnd]:
    """Find visits that silent phones left open, and those that silence had ended of drivers who were heard since.

    Args:
        silent_after_s: how long nothing was heard of a driver whose tour is over.
        long_after_s: of one whose tour is not.
    """
    rows = await db.fetch(_SQL["visits_to_end"], lanes, now, silent_after_s, long_after_s)
    return [VisitToEnd(**row) for row in rows]
