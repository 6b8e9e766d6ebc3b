"""Stops, their parcels and their tracking links."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelPlan:
    """Something to hand over or to take along."""

    barcode: str | None
    description: str | None
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPlan:
    """A stop as it is planned.

    Attributes:
        along_m: its place along the path, metres.
        radius_m: of its circle, metres.
        geofence: GeoJSON Polygon or MultiPolygon that replaces the circle; None: the circle it is.
        service_s: how long the driver is expected to stay, seconds.
        recipient_may_not: names of what its recipient may not do.
        park_lat, park_lon: where vans park for it; None: nobody knows.
    """

    external_id: str
    kind: str
    name: str
    address: str | None
    lat: float
    lon: float
    along_m: float
    radius_m: float
    geofence: dict[str, Any] | None
    phone: str | None
    email: str | None
    locale: str | None
    window_start: datetime | None
    window_end: datetime | None
    service_s: float
    planned_arrival: datetime | None
    instructions: str | None
    cash_amount: Decimal | None
    cash_currency: str | None
    proof: Sequence[str]
    parcels: Sequence[ParcelPlan]
    recipient_may_not: Sequence[str] = field(default_factory=list)
    park_lat: float | None = None
    park_lon: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRow:
    """A stop: its plan, and what became of it.

    Attributes:
        departed_at: None while the driver is there, or never was.
        outcome_at: when the driver completed it, failed or skipped it; None: nothing of that stands.
        link_revoked: its tracking link was ended by hand or with its route.
        removed: it is not of the tour any more.
        pin_generation: how often its PIN was replaced.
        wish: what its recipient said of it, columns of `recipient_wish`; None: nothing.
    """

    id: int
    plan: StopPlan
    status: str
    arrived_at: datetime | None
    departed_at: datetime | None
    outcome_at: datetime | None
    link_generation: int
    link_revoked: bool
    removed: bool
    pin_generation: int
    wish: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStop:
    """A stop to write. `link_hash` is SHA-256 of its tracking token; it counts only for a stop that is new."""

    id: int
    plan: StopPlan
    link_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """The tracking link of a stop; `route_ended`: its route is deleted or cancelled."""

    id: int
    route_id: int
    link_generation: int
    route_ended: bool


async def stops_of_route(db: Db | Pool, route_id: int) -> list[StopRow]:
    """Read every stop a route ever had: those of the tour in its order, then the removed ones."""
    return [_stop(row) for row in await db.fetch(_SQL["stops_of_route"], route_id)]


def _stop(row: asyncpg.Record) -> StopRow:
    return StopRow(
        id=row["id"],
        plan=StopPlan(
            external_id=row["external_id"],
            kind=row["kind"],
            name=row["name"],
            address=row["address"],
            lat=row["lat"],
            lon=row["lon"],
            along_m=row["along_m"],
            radius_m=row["radius_m"],
            geofence=row["geofence"],
            phone=row["phone"],
            email=row["email"],
            locale=row["locale"],
            window_start=row["window_start"],
            window_end=row["window_end"],
            service_s=row["service_s"],
            planned_arrival=row["planned_arrival"],
            instructions=row["instructions"],
            cash_amount=row["cash_amount"],
            cash_currency=row["cash_currency"],
            recipient_may_not=row["recipient_may_not"],
            park_lat=row["park_lat"],
            park_lon=row["park_lon"],
            proof=row["proof"],
            parcels=[ParcelPlan(**parcel) for parcel in row["parcels"]],
        ),
        status=row["status"],
        arrived_at=row["arrived_at"],
        departed_at=row["departed_at"],
        outcome_at=row["outcome_at"],
        link_generation=row["link_generation"],
        link_revoked=row["link_revoked"],
        removed=row["removed"],
        pin_generation=row["pin_generation"],
        wish=row["wish"],
    )


async def stop_ids_of_route(db: Db, route_id: int) -> list[int]:
    """Name every stop a route ever had, by id ascending."""
    return [row["id"] for row in await db.fetch(_SQL["ids_of_route"], route_id)]


async def new_stop_ids(db: Db, count: int) -> list[int]:
    """Take ids for stops that are about to be made."""
    return [row["id"] for row in await db.fetch(_SQL["new_stop_ids"], count)]


async def put_stops(db: Db, *, account_id: int, route_id: int, stops: Sequence[NewStop]) -> None:
    """Make stops in the order given, or change those that are there; what happened at them stays."""
    rows = [
        {"id": stop.id, "seq": seq, "link_hash": stop.link_hash.hex(), **asdict(stop.plan)}
        for seq, stop in enumerate(stops)
    ]
    parcels = [
        {"stop_id": stop.id, "seq": seq, **asdict(parcel)}
        for stop in stops
        for seq, parcel in enumerate(stop.plan.parcels)
    ]
    await db.execute(_SQL["put_stops"], account_id, route_id, rows)
    await db.execute(_SQL["forget_parcels"], [stop.id for stop in stops])
    await db.execute(_SQL["put_parcels"], parcels)


_MOVED_DAYS = 7
"""An order that goes to another van is the same one when the tours are so many days apart at most: what was not served
is planned again within days, while external ids repeat for years."""

_SAME_PLACE_DEG = (0.002, 0.003)
"""And 200 to 300 m: addresses are put on the map anew."""


async def drop_other_stops(db: Db, route_id: int, stop_ids: Sequence[int], *, account_id: int, forget: bool) -> None:
    """Take the stops out of a tour that are not among `stop_ids`; links of orders that moved, and what was said, go on.

    Args:
        forget: delete those at which nothing happened and of which nothing was said; the others stay as removed.
    """
    await db.execute(_SQL["remove_other_stops"], route_id, stop_ids)
    await lead_on(db, account_id=account_id, route_id=route_id)
    if forget:
        await db.execute(_SQL["forget_other_stops"], route_id, stop_ids)


async def lead_on(db: Db, *, account_id: int, route_id: int) -> bool:
    """Have links of orders that went to or from a route, and what their recipients said, lead to where they are now.

    Returns:
        Whether anything was said of them.
    """
    rows = await db.fetch(_SQL["move_links"], account_id, route_id, _MOVED_DAYS, *_SAME_PLACE_DEG)
    return await move_said(db, [(row["old_id"], row["new_id"]) for row in rows])


async def move_said(db: Db, moves: Sequence[tuple[int, int]]) -> bool:
    """Have what recipients said of stops, and ask there, count for the stops that their orders are now: stop, stop now.

    Returns:
        Whether anything was said.
    """
    spoken = {row["id"] for row in await db.fetch(_SQL["spoken_of"], [was for was, _ in moves])}
    said = [(was, now) for was, now in moves if was in spoken]
    await db.executemany(_SQL["move_said"], said)
    return bool(said)


async def find_link(db: Db, *, account_id: int, stop_id: int) -> LinkRow | None:
    """Read and hold the tracking link of a stop; None when the account has no such stop."""
    row = await db.fetchrow(_SQL["find_link"], account_id, stop_id)
    return None if row is None else LinkRow(**row)


async def rotate_link(db: Db, *, stop_id: int, generation: int, link_hash: bytes) -> None:
    """Put another tracking link in the place of the one before."""
    await db.execute(_SQL["rotate_link"], stop_id, generation, link_hash)
    await db.execute(_SQL["forget_moved_links"], stop_id)


async def revoke_link(db: Db, stop_id: int) -> None:
    """End a tracking link."""
    await db.execute(_SQL["revoke_link"], stop_id)


async def revoke_links_of_route(db: Db, route_id: int) -> None:
    """End the tracking links of all stops of a route."""
    await db.execute(_SQL["revoke_links_of_route"], route_id)


async def route_of_stop(db: Db | Pool, *, account_id: int, stop_id: int) -> int | None:
    """Say which route a stop is of; None when the account has no such stop."""
    route_id: int | None = await db.fetchval(_SQL["route_of_stop"], account_id, stop_id)
    return route_id
