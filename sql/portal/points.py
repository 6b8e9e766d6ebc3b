"""Pick-up points: places where recipients fetch what is theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPlan:
    """A point as its company put it; one that is not `enabled` is offered to nobody."""

    external_id: str
    name: str
    address: str
    lat: float
    lon: float
    opening_hours: str | None
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow(PointPlan):
    """A point that is there."""

    id: int


async def put_points(db: Db | Pool, account_id: int, points: Sequence[PointPlan]) -> list[PointRow]:
    """Make points, or change those that are there by their external id, which is in the list once."""
    names = ("external_id", "name", "address", "lat", "lon", "opening_hours", "enabled")
    columns = ([getattr(point, name) for point in points] for name in names)
    return [PointRow(**row) for row in await db.fetch(_SQL["put_points"], account_id, *columns)]


async def page_of_points(
    db: Db | Pool, account_id: int, *, point_id: int | None = None, after: int = 0, limit: int = 1
) -> list[PointRow]:
    """Read a page of points, in the order in which they came; None asks for any."""
    return [PointRow(**row) for row in await db.fetch(_SQL["page_of_points"], account_id, point_id, after, limit)]


async def hold_point(db: Db, *, account_id: int, point_id: int) -> PointRow | None:
    """Hold a point until the transaction ends; None: the account has none such."""
    row = await db.fetchrow(_SQL["hold_point"], account_id, point_id)
    return None if row is None else PointRow(**row)


async def points_near(db: Db | Pool, account_id: int, *, lat: float, lon: float, at_most: int) -> list[PointRow]:
    """Read the points that are offered, the nearest first."""
    return [PointRow(**row) for row in await db.fetch(_SQL["points_near"], account_id, lat, lon, at_most)]
