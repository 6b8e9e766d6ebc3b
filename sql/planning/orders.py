"""Orders: what somebody wants brought or fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

Became: TypeAlias = Literal["created", "changed", "unchanged"]
"""What putting an order did: `unchanged` is one that was there, and the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFields:
    """What is kept of an order; the place is None where it is not known, the depot where any will do."""

    external_id: str
    state: str
    quality: str
    lat: float | None
    lon: float | None
    depot: str | None
    earliest: date
    latest: date
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder(OrderFields):
    """An order to put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow(OrderFields):
    """An order as it is.

    Attributes:
        state: received, ready, planned, assigned, closed or cancelled.
        plan_id, route_id: where it is on; None before.
        stop_status: of its stop on that route; None where there is none.
    """

    id: int
    plan_id: int | None
    route_id: int | None
    stop_status: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedOrder(OrderFields):
    """An order as its recipient's link shows it.

    Attributes:
        stop_id: of its stop, once it is on a route; `link_generation`, `link_revoked`: of that stop's own link.
        settings: of the account, as stored.
        timezone: of the depot it comes from; None where there is none.
        near_lat, near_lon: of that depot, degrees.
    """

    id: int
    account_id: int
    updated_at: datetime
    stop_id: int | None
    link_generation: int | None
    link_revoked: bool
    settings: dict[str, Any]
    timezone: str | None
    near_lat: float | None
    near_lon: float | None

    @property
    def near(self) -> tuple[float, float]:
        """Give lat and lon where somebody who looks for it begins: where it is held to be, else at its depot."""
        if self.lat is not None and self.lon is not None and self.quality != "doubtful":
            return self.lat, self.lon
        return self.near_lat or 0.0, self.near_lon or 0.0


async def order_of_link(db: Db | Pool, order_id: int) -> LinkedOrder | None:
    """Read an order for whoever has its link; None: there is none, or whom it was for was forgotten."""
    row = await db.fetchrow(_SQL["order_of_link"], order_id)
    return None if row is None else LinkedOrder(**row)


async def hold_asked_order(db: Db, order_id: int) -> bool:
    """Hold an order until the transaction ends; False: its place is not asked about."""
    return await db.fetchrow(_SQL["hold_asked_order"], order_id) is not None


async def pin_order(db: Db, order_id: int, *, lat: float, lon: float) -> None:
    """Put a held order where a person says that it is, degrees; from then on it can be planned."""
    await db.execute(_SQL["pin_order"], order_id, lat, lon)


async def put_fact(db: Db, account_id: int, type_name: str, data: dict[str, Any], *, now: datetime) -> None:
    """Tell the feed of an order that is on no route."""
    await db.execute(_SQL["put_order_fact"], account_id, uuid4(), type_name, data, now)


async def put_orders(db: Db | Pool, account_id: int, orders: Sequence[NewOrder]) -> dict[str, Became]:
    """Make or change orders that are not on a route yet; tell what became of each, but of those that are on one."""
    names = ("external_id", "state", "quality", "lat", "lon", "depot", "earliest", "latest", "body")
    columns = ([getattr(order, name) for order in orders] for name in names)
    return {row["external_id"]: row["became"] for row in await db.fetch(_SQL["put_orders"], account_id, *columns)}


async def find_orders(db: Db | Pool, account_id: int, names: Sequence[str]) -> list[OrderRow]:
    """Read those of some that there are."""
    return [OrderRow(**row) for row in await db.fetch(_SQL["find_orders"], account_id, list(names))]


async def list_orders(
    db: Db | Pool, account_id: int, *, state: str | None, on: date | None, after: int, limit: int
) -> list[OrderRow]:
    """Read a page, in the order they came."""
    return [OrderRow(**row) for row in await db.fetch(_SQL["list_orders"], account_id, state, on, after, limit)]


async def orders_to_plan(
    db: Db | Pool, account_id: int, *, on: date, depot: str, only: Sequence[str] | None, limit: int
) -> list[OrderRow]:
    """Read what may be on a tour of a day and depot."""
    names = None if only is None else list(only)
    return [OrderRow(**row) for row in await db.fetch(_SQL["orders_to_plan"], account_id, on, depot, names, limit)]


async def cancel_order(db: Db | Pool, account_id: int, external_id: str) -> bool:
    """Take an order back; False when it is not there, or on a route."""
    return bool(await db.fetchval(_SQL["cancel_order"], account_id, external_id))


async def assign_orders(db: Db, account_id: int, plan_id: int, routes: Sequence[tuple[str, int]]) -> set[str]:
    """Note the routes that orders came on; give those that were still free."""
    names, route_ids = [name for name, _ in routes], [route_id for _, route_id in routes]
    return {row["external_id"] for row in await db.fetch(_SQL["assign_orders"], account_id, plan_id, names, route_ids)}


async def free_orders(db: Db, route_id: int) -> None:
    """Have the orders of a route that are not done planned again; call it before the route is taken away."""
    await db.execute(_SQL["free_orders"], route_id)
