"""ETAs of routes, as the tracker wrote them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load("eta")


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEta:
    """When a van is expected at the stops ahead of it; the lists have one length, in the order it comes to them.

    Attributes:
        as_of: recorded_at of the ping it rests on; None until a ping was on the route, and then the lists are empty.
        low, high: between them with a probability of 80 %.
        remaining_m: metres along the path from the van to the stop.
    """

    as_of: datetime | None
    computed_at: datetime | None
    stop_ids: Sequence[int]
    expected: Sequence[datetime]
    low: Sequence[datetime]
    high: Sequence[datetime]
    remaining_m: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaStop:
    """A stop that a van may still come to."""

    id: int
    external_id: str
    kind: str
    status: str
    departed_at: datetime | None


async def eta_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> RouteEta | None:
    """Read a route's ETAs; None when the account has no such route."""
    row = await db.fetchrow(_SQL["eta_of_route"], account_id, route_id, external_id)
    if row is None:
        return None
    return RouteEta(
        as_of=row["as_of"],
        computed_at=row["computed_at"],
        **{name: row[name] or () for name in ("stop_ids", "expected", "low", "high", "remaining_m")},
    )


async def eta_stops(db: Db | Pool, stop_ids: Sequence[int]) -> dict[int, EtaStop]:
    """Read what stops are called and whether they are done, by id."""
    return {row["id"]: EtaStop(**row) for row in await db.fetch(_SQL["eta_stops"], list(stop_ids))}
