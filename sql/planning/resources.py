"""Vehicles, depots and shifts, as planners put them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

Kind: TypeAlias = Literal["vehicle", "depot", "shift"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One of them; `body` is what was put, `driver` the external id of a shift's; None: nobody yet, or not any more."""

    external_id: str
    body: dict[str, Any]
    driver: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewResource:
    """One to put; `on`, `depot` and `driver_id` are of a shift."""

    external_id: str
    body: dict[str, Any]
    on: date | None = None
    depot: str | None = None
    driver_id: int | None = None


async def put_resource(db: Db | Pool, *, account_id: int, kind: Kind, new: NewResource) -> bool:
    """Make or replace one; tell whether it is new."""
    one = (new.external_id, new.on, new.depot, new.body, new.driver_id)
    return bool(await db.fetchval(_SQL["put_resource"], account_id, kind, *one))


async def find_resource(db: Db | Pool, *, account_id: int, kind: Kind, external_id: str) -> Resource | None:
    """Find one; None when the account has none such."""
    row = await db.fetchrow(_SQL["find_resource"], account_id, kind, external_id)
    return None if row is None else Resource(**row)


async def list_resources(
    db: Db | Pool, *, account_id: int, kind: Kind, after: str, on: date | None, limit: int
) -> list[Resource]:
    """Read a page, by external id; `on`: only shifts of this day."""
    return [Resource(**row) for row in await db.fetch(_SQL["list_resources"], account_id, kind, after, on, limit)]


async def depot_places(db: Db | Pool, *, account_id: int, depot: str | None) -> list[tuple[float, float]]:
    """Read (lat, lon) of the depots that something may be served from; `depot` None: from any."""
    rows = await db.fetch(_SQL["depot_places"], account_id, depot)
    return [(row["lat"], row["lon"]) for row in rows]


async def delete_resource(db: Db | Pool, *, account_id: int, kind: Kind, external_id: str) -> bool:
    """Take one away; False when there was none."""
    return bool(await db.fetchval(_SQL["delete_resource"], account_id, kind, external_id))


async def shifts_of_day(db: Db | Pool, *, account_id: int, on: date, depot: str) -> list[Resource]:
    """Read the shifts of a day and depot."""
    return [Resource(**row) for row in await db.fetch(_SQL["shifts_of_day"], account_id, on, depot)]


async def resources_named(db: Db | Pool, *, account_id: int, kind: Kind, names: Sequence[str]) -> dict[str, Resource]:
    """Read those of some that there are, by external id."""
    rows = await db.fetch(_SQL["resources_named"], account_id, kind, list(names))
    return {row["external_id"]: Resource(**row) for row in rows}
