"""A day so far: where its vans are, what is done, what is still ahead, in the order in which it would go on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import msgspec

from geo.times import SINCE_EVER
from sql.account.settings import AccountSettings, read_settings
from sql.delivery.stops import StopPlan, StopRow, stops_of_route
from sql.eta.eta import eta_of_route
from sql.planning.day import TourOfDay, breaks_begun, tours_of_day
from sql.planning.orders import OrderRow, find_orders, orders_to_plan
from sql.planning.plans import TourPlanRow
from sql.planning.resources import Resource, find_resource, resources_named, shifts_of_day
from sql.pool import Db, Pool
from sql.track.live import live_of_drivers
from work.planning.words import DepotWords, ShiftWords, VehicleWords

RECENT = timedelta(minutes=10)
"""An ETA or a place that is older says nothing of where a van is now."""

_DONE = frozenset({"completed", "partially_completed", "failed", "skipped", "left_open"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VanSoFar:
    """A van on its shift, or on a route that was given by hand.

    Attributes:
        shift: None: nobody said what it can do but its route, which has its hours.
        route: what it drives; None: it stands at the depot without a tour.
        done: stops that nobody comes to any more, or where somebody is now, in the order in which they were.
        ahead: those that it still comes to, in the order of the route.
        gone: stops that were taken off its route.
        is_loaded: what it hands over is aboard: it has left, or is about to.
        is_out: it cannot go on.
        lon, lat: where it is, degrees.
        first_at: when it is expected at the first stop ahead; None where no ping says so.
        breaks: how many of its breaks are over or begun.
    """

    shift: str | None
    words: ShiftWords
    vehicle: VehicleWords
    driver: str | None
    route: TourOfDay | None
    done: tuple[StopRow, ...]
    ahead: tuple[StopRow, ...]
    gone: tuple[StopPlan, ...]
    is_loaded: bool
    is_out: bool
    lon: float
    lat: float
    first_at: datetime | None
    breaks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySoFar:
    """A day of a depot at a moment.

    Attributes:
        new: orders that are on no route yet.
        orders: those of the vans' stops, by the stop's id.
        cancelled: external ids of orders that are not wanted any more.
        cancelled_stops: stops that are not, of routes that were given by hand.
    """

    now: datetime
    freeze: timedelta
    depot: DepotWords
    settings: AccountSettings
    vans: Sequence[VanSoFar]
    new: Sequence[OrderRow]
    orders: Mapping[int, OrderRow]
    cancelled: frozenset[str]
    cancelled_stops: frozenset[int]


def is_done(stop: StopRow) -> bool:
    """Tell whether nobody comes to a stop any more."""
    return stop.removed or stop.status in _DONE or stop.outcome_at is not None or stop.departed_at is not None


def is_touched(stop: StopRow) -> bool:
    """Tell whether a stop is done, or somebody is there now."""
    return is_done(stop) or stop.arrived_at is not None


def loads_of_stop(stop: StopRow) -> tuple[str, ...]:
    """Name the orders whose parcels are taken aboard at a stop: its parcels are called like them."""
    if stop.plan.kind != "depot":
        return ()
    return tuple(parcel.description for parcel in stop.plan.parcels if parcel.description)


def is_cancelled(day: DaySoFar, stop: StopRow) -> bool:
    """Tell whether a stop is not wanted any more."""
    return stop.id in day.cancelled_stops or stop.plan.external_id in day.cancelled


async def depot_of_day(db: Db | Pool, row: TourPlanRow) -> DepotWords | None:
    """Read where the vans of a plan start: its depot, or where routes that were given by hand do; None: it is gone."""
    if (place := row.asked.get("place")) is not None:
        return msgspec.convert(place, DepotWords)
    depot = await find_resource(db, account_id=row.account_id, kind="depot", external_id=row.depot)
    return None if depot is None else msgspec.convert(depot.body, DepotWords)


async def read_so_far(pool: Pool, row: TourPlanRow, depot: DepotWords, *, most: int, now: datetime) -> DaySoFar:
    """Read a day as it is.

    Args:
        row: what is asked: `api.planning.body.ReplanBody`, its routes by number.
        most: orders that are on no route yet.
    """
    asked, account_id = row.asked, row.account_id
    named = asked.get("routes")
    known = [*(named or ()), *(one["route"] for one in asked["out"])]
    near = (depot.lat, depot.lon)
    tours = await tours_of_day(pool, account_id=account_id, on=row.date, depot=row.depot, near=near, named=known)
    day = await shifts_of_day(pool, account_id=account_id, on=row.date, depot=row.depot)
    shifts = {one.external_id: one for one in day}
    tours = [tour for tour in _on_shifts(tours, day) if named is None or tour.route_id in named]
    stops = {tour.route_id: await stops_of_route(pool, tour.route_id) for tour in tours}
    idle = set(shifts) - {tour.shift for tour in tours} if named is None else set()
    reader = _Reader(pool, row, depot, shifts, now, timedelta(minutes=asked["freeze_minutes"]))
    vans = await reader.vans(tours, stops, sorted(idle))
    new = await orders_to_plan(pool, account_id, on=row.date, depot=row.depot, only=asked.get("orders"), limit=most)
    return DaySoFar(
        now=now,
        freeze=reader.freeze,
        depot=depot,
        settings=await read_settings(pool, account_id),
        vans=vans,
        new=new,
        orders=await orders_of_stops(pool, account_id, stops),
        cancelled=frozenset(asked["cancel"]),
        cancelled_stops=frozenset(asked.get("cancel_stops", ())),
    )


def _on_shifts(tours: Sequence[TourOfDay], shifts: Sequence[Resource]) -> list[TourOfDay]:
    """Find the shifts of those who drive routes that were given by hand: the first such route of each driver has it."""
    taken = {tour.shift for tour in tours}
    found = []
    for tour in sorted(tours, key=lambda one: (one.start_at, one.route_id)):
        mine = (one.external_id for one in shifts if one.driver is not None and one.driver == tour.driver)
        shift = tour.shift or next((name for name in mine if name not in taken), None)
        taken.add(shift)
        found.append(replace(tour, shift=shift))
    return found


def hours_of(tour: TourOfDay, on: date, depot: str) -> ShiftWords:
    """Give a route that nobody has a shift for its own hours; its van is called like it."""
    return ShiftWords(
        date=on.isoformat(),
        vehicle=tour.external_id,
        depot=depot,
        start_at=tour.start_at,
        end_at=tour.end_at,
        return_to_depot=tour.return_to_depot,
    )


async def orders_of_stops(pool: Pool, account_id: int, stops: Mapping[int, Sequence[StopRow]]) -> dict[int, OrderRow]:
    """Find the orders that stops are of: those on their route, whether a plan put them there or somebody by hand.

    Args:
        stops: by the id of their route.

    Returns:
        By the id of the stop.
    """
    names = {stop.plan.external_id for of_route in stops.values() for stop in of_route}
    orders = {one.external_id: one for one in await find_orders(pool, account_id, sorted(names))}
    return {
        stop.id: order
        for route_id, of_route in stops.items()
        for stop in of_route
        if (order := orders.get(stop.plan.external_id)) is not None and order.route_id == route_id
    }


@dataclass(frozen=True, slots=True)
class _Reader:
    pool: Pool
    row: TourPlanRow
    depot: DepotWords
    shifts: Mapping[str, Resource]
    now: datetime
    freeze: timedelta

    async def vans(
        self, tours: Sequence[TourOfDay], stops: Mapping[int, Sequence[StopRow]], idle: Sequence[str]
    ) -> list[VanSoFar]:
        words = {name: msgspec.convert(one.body, ShiftWords) for name, one in self.shifts.items()}
        vehicles = await resources_named(
            self.pool, account_id=self.row.account_id, kind="vehicle", names=[one.vehicle for one in words.values()]
        )
        can = {name: msgspec.convert(one.body, VehicleWords) for name, one in vehicles.items()}
        since = [(tour.driver_id, tour.start_at - RECENT) for tour in tours if tour.driver_id is not None]
        breaks = await breaks_begun(self.pool, since)
        vans = [self._idle(name, words[name], can) for name in idle]
        for tour in tours:
            if tour.shift is not None and tour.shift not in words:
                continue  # its shift is gone: nobody knows what the van can do
            still = self._idle(
                tour.shift,
                hours_of(tour, self.row.date, self.row.depot) if tour.shift is None else words[tour.shift],
                can,
            )
            begun = breaks.get(tour.driver_id, 0) if tour.driver_id is not None else 0
            vans.append(await self._driving(replace(still, breaks=begun), tour, stops[tour.route_id]))
        return sorted(vans, key=lambda one: (one.shift or "", one.words.vehicle))

    def _idle(self, shift: str | None, words: ShiftWords, can: Mapping[str, VehicleWords]) -> VanSoFar:
        return VanSoFar(
            shift=shift,
            words=words,
            vehicle=VehicleWords() if shift is None else can.get(words.vehicle, VehicleWords()),
            driver=None if shift is None else self.shifts[shift].driver,
            route=None,
            done=(),
            ahead=(),
            gone=(),
            is_loaded=False,
            is_out=False,
            lon=self.depot.lon,
            lat=self.depot.lat,
            first_at=None,
            breaks=0,
        )

    async def _driving(self, van: VanSoFar, tour: TourOfDay, stops: Sequence[StopRow]) -> VanSoFar:
        done, ahead = _split(stops)
        has_left = tour.status == "started" or bool(done)
        out = next((one for one in self.row.asked["out"] if one["route"] == tour.route_id), None)
        is_out = out is not None or (has_left and tour.driver_id is None)
        lon, lat = await self._place(tour, done, is_out=is_out)
        if out is not None and out["lat"] is not None:
            lon, lat = out["lon"], out["lat"]
        return replace(
            van,
            driver=tour.driver,
            route=tour,
            done=done,
            ahead=ahead,
            gone=tuple(stop.plan for stop in stops if stop.removed),
            is_loaded=has_left or tour.start_at <= self.now + self.freeze or not tour.from_depot,
            is_out=is_out,
            lon=lon,
            lat=lat,
            first_at=await self._expected(tour, ahead),
        )

    async def _place(self, tour: TourOfDay, done: Sequence[StopRow], *, is_out: bool) -> tuple[float, float]:
        """Tell where a van is: where its phone was a moment ago, else its last stop, else where it starts."""
        if tour.driver_id is not None:
            live = (await live_of_drivers(self.pool, self.row.account_id, [tour.driver_id])).get(tour.driver_id)
            if (
                live is not None
                and live.route_id == tour.route_id
                and (is_out or self.now - live.recorded_at <= RECENT)
            ):
                return live.lon_e6 / 1e6, live.lat_e6 / 1e6
        if done:
            return done[-1].plan.lon, done[-1].plan.lat
        return (self.depot.lon, self.depot.lat) if tour.from_depot else (tour.lon, tour.lat)

    async def _expected(self, tour: TourOfDay, ahead: Sequence[StopRow]) -> datetime | None:
        eta = await eta_of_route(self.pool, self.row.account_id, route_id=tour.route_id)
        if not ahead or eta is None or eta.as_of is None or eta.version != tour.version:
            return None
        if self.now - eta.as_of > RECENT:
            return None
        return dict(zip(eta.stop_ids, eta.expected, strict=True)).get(ahead[0].id)


def _split(stops: Sequence[StopRow]) -> tuple[tuple[StopRow, ...], tuple[StopRow, ...]]:
    """Give the stops that are done or begun, in the order in which they were, and those ahead."""
    mine = [stop for stop in stops if not stop.removed]
    done = sorted((stop for stop in mine if is_touched(stop)), key=_when)
    return tuple(done), tuple(stop for stop in mine if not is_touched(stop))


def _when(stop: StopRow) -> datetime:
    return min((at for at in (stop.arrived_at, stop.outcome_at, stop.departed_at) if at), default=SINCE_EVER)
