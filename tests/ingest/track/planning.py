"""What dispatchers and drivers do in the course of a day, at times that a test chooses: each a change to commit."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from geo.times import ms_of
from sql.account.geofences import create_geofence, put_version
from sql.delivery.driver_events import NewDriverEvent, put_driver_events
from sql.delivery.plans import add_version
from sql.delivery.routes import create_route
from sql.delivery.stop_states import settle_stops
from sql.pool import Db
from sql.track.folds import claims_changed, fences_changed, plan_changed
from sql.track.lanes import lock_lanes
from tests.ingest.track.conftest import START, Fleet, Phone
from tests.ingest.track.street import LAT, lon_at, put_stops, tour_plan
from work.feed.settle import settle_routes

Change = Callable[[Db], Awaitable[None]]


async def commit(fleet: Fleet, change: Change) -> None:
    async with fleet.pool.acquire() as db, db.transaction():
        await change(db)


async def make_route(fleet: Fleet, name: str, east_m: list[float]) -> tuple[int, dict[int, float]]:
    """Make a route that nobody drives yet, without a version; return its id and its stops with their metres."""
    plan = tour_plan(None, east_m, start=START)
    async with fleet.pool.acquire() as db, db.transaction():
        route_id = await create_route(db, account_id=fleet.account_id, external_id=name, plan=plan)
        stop_ids = await put_stops(db, fleet.account_id, route_id, plan)
    return route_id, dict(zip(stop_ids, east_m, strict=True))


def plan(route_id: int, version: int, effective_at: datetime, driver: Phone | None, stops: dict[int, float],
         told: list[Phone], account_id: int, *, start: datetime = START, hours: float = 8,
         home: bool = False) -> Change:  # fmt: skip
    """Put a version of a route in force; `home`: it returns to the depot, which is the last stop."""
    driver_id = driver and driver.driver_id
    tour = tour_plan(driver_id, list(stops.values()), start=start, hours=hours, home=home)

    async def change(db: Db) -> None:
        await lock_lanes(db, [phone.lane for phone in told])
        await add_version(
            db, route_id=route_id, version=version, effective_at=effective_at, plan=tour, stop_ids=list(stops)
        )
        await db.execute(
            "UPDATE route SET driver_id = $2 WHERE id = $1"
            " AND $3 = (SELECT max(version) FROM route_version WHERE route_id = $1)",
            route_id, driver_id, version,
        )  # fmt: skip
        for phone in told:
            await plan_changed(
                db, lane=phone.lane, driver_id=phone.driver_id, account_id=account_id, effective_at=effective_at
            )

    return change


def claim(
    phone: Phone, account_id: int, event_id: UUID, kind: str, route_id: int, stop_id: int | None, at: datetime,
    effective: bool,
) -> Change:  # fmt: skip
    """Write what a driver said, in force or not: the test judges it, whatever the door would."""
    said = NewDriverEvent(
        id=event_id, type=kind, route_id=route_id, stop_id=stop_id, occurred_ms=ms_of(at), lat=None, lon=None, data={},
        outcome={}, flaw=None, pin_generation=None, manifest_version=None,
    )  # fmt: skip

    async def change(db: Db) -> None:
        await lock_lanes(db, [phone.lane])
        await put_driver_events(
            db, driver_id=phone.driver_id, account_id=account_id, lane=phone.lane, device_id=phone.device_id,
            events=[said],
        )  # fmt: skip
        await db.execute(
            "UPDATE driver_event SET effective = $3 WHERE driver_id = $1 AND id = $2",
            phone.driver_id, event_id, effective,
        )  # fmt: skip
        if stop_id is not None:
            await settle_stops(db, [stop_id])
        await claims_changed(
            db, lane=phone.lane, driver_id=phone.driver_id, account_id=account_id, from_at=at, until_at=at
        )
        if kind == "reopened":
            await settle_routes(db, [route_id])

    return change


async def make_fence(fleet: Fleet, name: str) -> int:
    """Make a geofence, as yet without a version; return its id."""
    async with fleet.pool.acquire() as db:
        return await create_geofence(db, account_id=fleet.account_id, external_id=name)


def fence(account_id: int, geofence_id: int, version: int, at: datetime, east_m: float, radius_m: float) -> Change:
    """Put a version of a geofence in force and end the one before, then, not now."""
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon_at(east_m), LAT]},
        "properties": {"radius_m": radius_m},
    }

    async def change(db: Db) -> None:
        await lock_lanes(db, range(64))
        now = await put_version(
            db, account_id=account_id, geofence_id=geofence_id, version=version, feature=feature, name=None, dwell_s=60
        )
        await db.execute(
            "UPDATE geofence_version SET effective_at = CASE WHEN version = $2 THEN $4 ELSE effective_at END,"
            " ended_at = CASE WHEN ended_at = $3 THEN $4 ELSE ended_at END WHERE geofence_id = $1",
            geofence_id, version, now, at,
        )  # fmt: skip
        await fences_changed(db, account_id=account_id, effective_at=at)

    return change
