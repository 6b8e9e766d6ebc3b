"""The tours of a day as they would be driven now: its last plan, and what came since, each where it costs least.

Once the plan is published its routes are the tours, however they were changed: planned again, in another order, given
to another van. Routes that were given by hand are on the shifts of who drives them, else on vans of their own. A day
without either has tours of its shifts alone. Nothing of it is stored or told: it says what can still be promised.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np
from cachetools import LRUCache

from geo.pings import Floats
from geo.tours.check import Timed, check, place_breaks, time_tour
from geo.tours.going_on import as_late_as
from geo.tours.insertion import Gaps, Insertion, cheapest, cheapest_in, gaps_of
from geo.tours.matrix import to_all
from geo.tours.numbers import FOREVER
from geo.tours.problem import Matrix, TourJob, TourProblem, TourVan, VanTour, Window
from sql.delivery.stops import StopRow, stops_of_route
from sql.planning import plans
from sql.planning.day import TourAsDriven, TourOfDay, driven_tours, tours_of_day
from sql.planning.orders import OrderRow, find_orders
from sql.planning.resources import Resource, find_resource, shifts_of_day
from sql.pool import Pool
from work.planning.assemble import KeptProblem, Labels, assemble, read_day, straight_matrices, tours_of, unpack
from work.planning.so_far import hours_of, orders_of_stops
from work.planning.words import DepotWords, ShiftWords

MOST_DUE = 2_000
"""Orders of one day and depot that are put into its tours; a day of more needs a plan."""

_DAYS_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TentativeDay:
    """A day's tours.

    Attributes:
        begins: with which plan, or with which shifts.
        every: all vans, those without a visit too; `gaps`: of each.
        able: vehicles that can take more; None: all.
        added: orders that came since, and when each was changed last; those that fit nowhere too.
    """

    begins: plans.DayBegins
    problem: TourProblem
    labels: Labels
    every: tuple[Timed, ...]
    gaps: tuple[Gaps, ...]
    able: frozenset[int] | None = None
    added: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedVisit:
    """Something that may be promised.

    Attributes:
        load: of the first dimension, in the unit of loads.
        order: it is on one of the tours, and would move there; None: it is new.
    """

    lon: float
    lat: float
    service_s: int
    load: int = 0
    order: str | None = None


class TentativeDays:
    """The days that are asked about in a process, kept for as long as nothing of them changes; `days_of` gives them."""

    def __init__(self) -> None:
        self._days: LRUCache[tuple[int, date, str], TentativeDay] = LRUCache(maxsize=_DAYS_KEPT)
        self._lock = asyncio.Lock()

    async def day(self, pool: Pool, *, account_id: int, on: date, depot: str) -> TentativeDay | None:
        """Give the tours of a day and depot; None: no van is planned for it."""
        key = (account_id, on, depot)
        begins = await plans.day_begins(pool, account_id=account_id, on=on, depot=depot)
        due = await plans.due_orders(pool, account_id, on=on, depot=depot, limit=MOST_DUE)
        if (known := self._days.get(key)) is not None and _is_now(known, begins, due):
            return known
        async with self._lock:  # many ask at once for a day that changed: one makes it anew
            known = self._days.get(key)
            if known is None or not _goes_on(known, begins, due):
                known = await _begun(pool, due, account_id=account_id, on=on, depot=depot, begins=begins)
            if known is None:
                return None
            if not _is_now(known, begins, due):
                known = await _with_added(pool, known, due, account_id=account_id, on=on, depot=depot)
            self._days[key] = known
        return known


_OF_POOL: WeakKeyDictionary[Pool, TentativeDays] = WeakKeyDictionary()


def days_of(pool: Pool) -> TentativeDays:
    """Give the days of a database: a shop asks hundreds of times for the same ones."""
    return _OF_POOL.setdefault(pool, TentativeDays())


def _missing(day: TentativeDay, due: Mapping[str, datetime]) -> dict[str, datetime]:
    """Name the orders that the day's tours do not know, or know otherwise."""
    planned = set(day.labels.orders) - day.added.keys()
    return {name: at for name, at in due.items() if name not in planned and day.added.get(name) != at}


def _is_now(day: TentativeDay, begins: plans.DayBegins, due: Mapping[str, datetime]) -> bool:
    return _goes_on(day, begins, due) and not _missing(day, due)


def _goes_on(day: TentativeDay, begins: plans.DayBegins, due: Mapping[str, datetime]) -> bool:
    """Tell whether orders came, and nothing else happened: none was changed or taken back, the plan is the same."""
    return day.begins == begins and all(due.get(name) == at for name, at in day.added.items())


async def _begun(
    pool: Pool,
    due: Mapping[str, datetime],
    *,
    account_id: int,
    on: date,
    depot: str,
    begins: plans.DayBegins,
) -> TentativeDay | None:
    """Begin with the plan, else with the shifts and what is due; None: there are no vans."""
    if begins.plan_id is None:
        hand = await _by_hand(pool, (), account_id=account_id, on=on, depot=depot)
        made = await _assembled(pool, due, hand, account_id=account_id, on=on, depot=depot)
        if made is None or not made.problem.vehicles:
            return None
        day = _bare(begins, made)
        return await asyncio.to_thread(lambda: _inserted(_driven(day, {}, hand.tours), len(hand.rows), due))
    found = await plans.last_tours(pool, account_id=account_id, on=on, depot=depot)
    if found is None:
        return None
    kept = unpack(await plans.problem_of_plan(pool, found[0]))
    begins = replace(begins, plan_id=found[0], version=found[1])
    driven = None if begins.routes is None else await driven_tours(pool, account_id=account_id, on=on, depot=depot)
    hand = await _by_hand(pool, kept.labels.orders, account_id=account_id, on=on, depot=depot)
    came = {name for tour in driven or () for name in tour.orders} - set(kept.labels.orders)
    more = await _assembled(pool, came, hand, account_id=account_id, on=on, depot=depot) if came or hand.rows else None

    def made_of_plan() -> TentativeDay | None:
        day = _bare(begins, kept)
        day = day if more is None else _with_vans(_with_places(day, more), more, hand)
        if not day.problem.vehicles:
            return None
        if driven is not None:
            return _driven(day, {}, [*driven, *hand.tours])
        return _driven(day, {tour.vehicle: tour for tour in tours_of(kept, found[2])}, hand.tours)

    return await asyncio.to_thread(made_of_plan)


def _bare(begins: plans.DayBegins, kept: KeptProblem) -> TentativeDay:
    return TentativeDay(begins=begins, problem=kept.problem, labels=kept.labels, every=(), gaps=())


@dataclass(frozen=True, slots=True, kw_only=True)
class _ByHand:
    """Routes of a day and depot that were given by hand.

    Attributes:
        rows: their stops as if each were an order.
        shifts: one for each route that nobody has a shift for, called `/` and its id.
        tours: by the shift of who drives them, else by that one.
    """

    rows: Sequence[OrderRow] = ()
    shifts: Sequence[Resource] = ()
    tours: Sequence[TourAsDriven] = ()


async def _by_hand(pool: Pool, known: Iterable[str], *, account_id: int, on: date, depot: str) -> _ByHand:
    """Read the routes that were given by hand; a stop that is called like a known one is called `/` and its id."""
    found = await find_resource(pool, account_id=account_id, kind="depot", external_id=depot)
    if found is None:
        return _ByHand()
    words = msgspec.convert(found.body, DepotWords)
    near = (words.lat, words.lon)
    every = await tours_of_day(pool, account_id=account_id, on=on, depot=depot, near=near, named=())
    shifts = await shifts_of_day(pool, account_id=account_id, on=on, depot=depot)
    tours = sorted((tour for tour in every if tour.shift is None), key=lambda one: (one.start_at, one.route_id))
    stops = {
        one.route_id: [stop for stop in await stops_of_route(pool, one.route_id) if not stop.removed] for one in tours
    }
    orders = await orders_of_stops(pool, account_id, stops)
    rows, taken, driven, own = [], set(known), [], []
    for tour in tours:
        names = []
        for stop in stops[tour.route_id]:
            called = stop.plan.external_id
            name = f"/{stop.id}" if called in taken or stop.plan.kind not in ("delivery", "pickup") else called
            taken.add(name)
            names.append(name)
            rows.append(_as_order(stop, name, orders.get(stop.id), on))
        shift = _shift_of(tour, shifts)
        goes_on = tour.status == "planned" or tour.driver_id is not None
        driven.append(TourAsDriven(shift=shift, orders=names, goes_on=goes_on))
        if shift.startswith("/"):
            own.append(Resource(external_id=shift, body=msgspec.to_builtins(hours_of(tour, on, depot))))
    return _ByHand(rows=rows, shifts=own, tours=driven)


def _shift_of(tour: TourOfDay, shifts: Sequence[Resource]) -> str:
    """Name the shift of who drives a route, that which begins nearest to it; else the route."""
    begins = {
        one.external_id: abs(msgspec.convert(one.body, ShiftWords).start_at - tour.start_at)
        for one in shifts
        if one.driver is not None and one.driver == tour.driver
    }
    return min(begins, key=begins.__getitem__, default=f"/{tour.route_id}")


def _as_order(stop: StopRow, name: str, order: OrderRow | None, on: date) -> OrderRow:
    plan = stop.plan
    promised = [{"start": plan.window_start, "end": plan.window_end}] if plan.window_start and plan.window_end else []
    body: dict[str, Any] = {} if order is None else order.body
    return OrderRow(
        id=stop.id,
        external_id=name,
        state="assigned",
        quality="given",
        lat=plan.lat,
        lon=plan.lon,
        depot=None,
        earliest=on,
        latest=on,
        plan_id=None,
        route_id=None,
        stop_status=stop.status,
        body={
            **{word: body[word] for word in ("load", "skills") if word in body},
            "kind": plan.kind,
            "windows": promised,
            "service_s": plan.service_s,
            "parcels": [{"quantity": parcel.quantity} for parcel in plan.parcels],
        },
    )


def _driven(day: TentativeDay, planned: Mapping[int, VanTour], driven: Sequence[TourAsDriven]) -> TentativeDay:
    """Put visits onto the tours that have them; what does not hold of these may stay so, and keeps nobody else out.

    A van that has several drives one after the other, and takes more as long as it does the last.
    """
    jobs = {name: job for job, name in enumerate(day.labels.orders)}
    vehicles = {name: row for row, name in enumerate(day.labels.shifts)}
    tours, goes_on = dict(planned), dict.fromkeys(vehicles.values(), True)
    for one in driven:
        if (row := vehicles.get(one.shift)) is not None:
            before = tours[row].jobs if row in tours else ()
            own = (jobs[name] for name in one.orders if name in jobs)
            tours[row], goes_on[row] = place_breaks(day.problem, row, (*before, *own)), one.goes_on
    every = [tour for tour in tours.values() if tour.jobs]
    made = _made(day.begins, as_late_as(day.problem, every), day.labels, every)
    return replace(made, able=frozenset(row for row, able in goes_on.items() if able))


def _with_vans(day: TentativeDay, more: KeptProblem, hand: _ByHand) -> TentativeDay:
    """Add the vans of routes that were given by hand which a plan does not know."""
    later_s = round((more.labels.origin - day.labels.origin).total_seconds())
    mine = {tour.shift for tour in hand.tours} - set(day.labels.shifts)
    rows = [row for row, shift in enumerate(more.labels.shifts) if shift in mine]
    vans = [_later(more.problem.vehicles[row], later_s) for row in rows]
    labels = msgspec.structs.replace(
        day.labels,
        shifts=[*day.labels.shifts, *(more.labels.shifts[row] for row in rows)],
        vehicles=[*day.labels.vehicles, *(more.labels.vehicles[row] for row in rows)],
    )
    return replace(day, problem=replace(day.problem, vehicles=[*day.problem.vehicles, *vans]), labels=labels)


def _later(van: TourVan, by_s: int) -> TourVan:
    rests = (
        replace(rest, earliest_s=max(0, rest.earliest_s + by_s), latest_s=max(0, rest.latest_s + by_s))
        for rest in van.breaks
    )
    return replace(van, shift=(max(0, van.shift[0] + by_s), max(0, van.shift[1] + by_s)), breaks=tuple(rests))


def _made(begins: plans.DayBegins, problem: TourProblem, labels: Labels, tours: Sequence[VanTour]) -> TentativeDay:
    timed = check(problem, tours).timed
    used = {one.tour.vehicle for one in timed}
    idle = [VanTour(vehicle=row, jobs=()) for row in range(len(problem.vehicles)) if row not in used]
    every = (*timed, *(time_tour(problem, tour)[0] for tour in idle))
    gaps = tuple(gaps_of(problem, one) for one in every)
    return TentativeDay(begins=begins, problem=problem, labels=labels, every=every, gaps=gaps)


async def _assembled(
    pool: Pool, names: Iterable[str], hand: _ByHand, *, account_id: int, on: date, depot: str
) -> KeptProblem | None:
    """Make a problem of what is by hand, some orders and the day's shifts; None: there is no such depot any more."""
    found = await find_resource(pool, account_id=account_id, kind="depot", external_id=depot)
    if found is None:
        return None
    shifts = [*await shifts_of_day(pool, account_id=account_id, on=on, depot=depot), *hand.shifts]
    words = msgspec.convert(found.body, DepotWords)
    rows = [*hand.rows]
    rows += [one for one in await find_orders(pool, account_id, list(names)) if one.lat is not None]
    day = await read_day(pool, account_id=account_id, depot=words, shifts=shifts, orders=rows)
    return await asyncio.to_thread(lambda: assemble(day, *straight_matrices(day), objective="cost"))


async def _with_added(
    pool: Pool, day: TentativeDay, due: Mapping[str, datetime], *, account_id: int, on: date, depot: str
) -> TentativeDay:
    """Put the orders that came since into the tours."""
    missing = _missing(day, due)
    kept = await _assembled(pool, missing, _ByHand(), account_id=account_id, on=on, depot=depot)
    if kept is None:
        return day
    return await asyncio.to_thread(lambda: _inserted(_with_places(day, kept), len(day.problem.jobs), missing))


def _with_places(day: TentativeDay, kept: KeptProblem) -> TentativeDay:
    """Add the orders of another problem of the same day, on no tour yet."""
    later_s = round((kept.labels.origin - day.labels.origin).total_seconds())
    jobs, first = [], len(day.problem.jobs)
    for row, job in enumerate(kept.problem.jobs):
        windows = tuple((max(0, start + later_s), max(0, end + later_s)) for start, end in job.windows)
        place = len(day.problem.distance_m) + row
        jobs.append(replace(job, place=place, windows=windows, after=None if job.after is None else first + job.after))
    lon, lat = np.array(kept.labels.lon[1:]), np.array(kept.labels.lat[1:])
    labels = msgspec.structs.replace(
        day.labels,
        orders=[*day.labels.orders, *kept.labels.orders],
        lon=[*day.labels.lon, *lon.tolist()],
        lat=[*day.labels.lat, *lat.tolist()],
    )
    return replace(day, problem=_grown(day, lon, lat, jobs), labels=labels)


def _inserted(day: TentativeDay, first: int, names: Mapping[str, datetime]) -> TentativeDay:
    """Put the visits from a row on into the tours, each where it costs least: those with windows first."""
    every, gaps, jobs = list(day.every), list(day.gaps), list(day.problem.jobs)
    jobs[first:] = [replace(job, vehicles=day.able) for job in jobs[first:]]
    day = replace(day, problem=replace(day.problem, jobs=jobs))
    turns = sorted(range(first, len(jobs)), key=lambda row: (jobs[row].after is not None, not jobs[row].windows))
    for row in turns:
        found = cheapest(day.problem, every, row, gaps=gaps)
        if found is not None:
            van = next(at for at, one in enumerate(every) if one.tour.vehicle == found.tour.vehicle)
            every[van], gaps[van] = found.timed, gaps_of(day.problem, found.timed)
    return replace(day, every=tuple(every), gaps=tuple(gaps), added={**day.added, **names})


def _grown(day: TentativeDay, lon: Floats, lat: Floats, jobs: Sequence[TourJob]) -> TourProblem:
    """Add places and their visits to a problem, as the crow flies at the speed that its matrix goes by."""
    problem, old = day.problem, len(day.problem.distance_m)
    lons, lats = np.concatenate((day.labels.lon, lon)), np.concatenate((day.labels.lat, lat))
    pace = _pace(day)
    distance_m, duration_s = (_larger(matrix, len(lon)) for matrix in (problem.distance_m, problem.duration_s))
    for row in range(len(lon)):
        metres, seconds = to_all(float(lon[row]), float(lat[row]), lons, lats)
        distance_m[old + row, :] = distance_m[:, old + row] = metres
        duration_s[old + row, :] = duration_s[:, old + row] = np.rint(seconds * pace)
    return replace(problem, distance_m=distance_m, duration_s=duration_s, jobs=[*problem.jobs, *jobs], soft_m=None)


def _larger(matrix: Matrix, by: int) -> Matrix:
    size = len(matrix)
    larger = np.zeros((size + by, size + by), np.int64)
    larger[:size, :size] = matrix
    return larger


def _pace(day: TentativeDay) -> float:
    """Tell how much slower than typical drives from the depot are, as the matrix has them."""
    labels = day.labels
    straight_s = to_all(labels.lon[0], labels.lat[0], np.array(labels.lon), np.array(labels.lat))[1].sum()
    return float(day.problem.duration_s[0].sum()) / straight_s if straight_s > 0 else 1.0


def promised(day: TentativeDay, visit: AskedVisit, windows: Sequence[Window]) -> list[Insertion | None]:
    """Tell for each window where a visit costs least beside all that is on the tours; None: it cannot be driven in it.

    Args:
        windows: seconds since the day's origin.
    """
    every, gaps, job = list(day.every), list(day.gaps), None
    problem = day.problem
    if visit.order in day.labels.orders:
        job = day.labels.orders.index(visit.order)
        for row, one in enumerate(every):
            if job in one.tour.jobs:
                every[row] = _without(problem, one, job)
                gaps[row] = gaps_of(problem, every[row])
        problem = replace(problem, jobs=_with_vehicles(problem.jobs, job, day.able))
    if job is None:
        asked = TourJob(
            place=len(problem.distance_m),
            service_s=visit.service_s,
            delivery=(visit.load,),
            vehicles=day.able,
            drop_cost=FOREVER,
        )
        problem = _grown(day, np.array([visit.lon]), np.array([visit.lat]), [asked])
        job = len(problem.jobs) - 1
    return cheapest_in(problem, every, job, windows, gaps)


def _with_vehicles(jobs: Sequence[TourJob], job: int, able: frozenset[int] | None) -> list[TourJob]:
    return [replace(one, vehicles=able) if row == job else one for row, one in enumerate(jobs)]


def _without(problem: TourProblem, one: Timed, job: int) -> Timed:
    place = one.tour.jobs.index(job)
    breaks = tuple(rest - (rest > place) for rest in one.tour.breaks)
    tour = replace(one.tour, jobs=tuple(other for other in one.tour.jobs if other != job), breaks=breaks)
    return time_tour(problem, tour)[0]
