"""From a day so far to a problem: what each van must keep, and what is still free to be put another way.

Kept, in their order, on their van: stops where somebody is, the one that a van drives to, and what it comes to within
the freeze time. What is aboard stays on its van. What is not, and what a van that is out has aboard, can be fetched: a
visit where it lies, and its delivery after that on the same tour.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

import msgspec
import numpy as np

from geo.tours.check import opens, place_breaks
from geo.tours.matrix import DoorWork, straight
from geo.tours.problem import Matrix, TourJob, TourProblem, TourVan, VanTour, Window, drive_s
from sql.delivery.stops import StopRow
from sql.planning.orders import OrderRow
from work.planning.assemble import DROPPED, door_work, load_of, out_of_turn, seconds_to, van_of
from work.planning.so_far import DaySoFar, VanSoFar, is_cancelled, is_done, loads_of_stop
from work.planning.words import OrderWords

LOAD_S = 60
"""To find one parcel and take it aboard. By hand."""

WAITS_ALREADY = 20
"""How much dearer it is to leave somebody without a van whose parcel is under way than somebody who is new."""

REST_MOVES = timedelta(minutes=30)
"""So much earlier or later than it was planned may a break begin that is a stop of a route. By hand."""

Times: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class TourVisit:
    """What a job is about.

    Attributes:
        name: external id of the order; of what is no order's stop, of the stop.
        stop, order: None where there is none.
        van: its row in `DaySoFar.vans` now; None: on no route.
        fetches: parcels are taken aboard for the order `name`.
    """

    name: str
    stop: StopRow | None
    order: OrderRow | None
    van: int | None
    fetches: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptStop:
    """A stop that stays where it is on its tour, in time: seconds from now."""

    stop: StopRow
    arrive_s: int
    begin_s: int
    depart_s: int


@dataclass(slots=True, kw_only=True)
class DayAhead:
    """What is ahead of a day.

    Attributes:
        problem: second 0 is now; place 0 is the depot.
        visits: one a job.
        vans: of each vehicle of the problem, its row in `DaySoFar.vans`.
        kept: of each vehicle, what it does before its tour of the problem begins.
        tours: of each vehicle, how it would go on; maybe empty.
        more: jobs that are on none of these.
    """

    problem: TourProblem
    visits: list[TourVisit] = field(default_factory=list)
    vans: list[int] = field(default_factory=list)
    kept: list[tuple[KeptStop, ...]] = field(default_factory=list)
    tours: list[VanTour] = field(default_factory=list)
    more: list[int] = field(default_factory=list)


def stops_ahead(day: DaySoFar, van: VanSoFar) -> list[StopRow]:
    """List the stops that a van still comes to, without those that are cancelled."""
    return [stop for stop in van.ahead if not is_cancelled(day, stop)]


def new_orders(day: DaySoFar) -> list[OrderRow]:
    """List the orders that are on no route yet and whose turn can be told."""
    strange = out_of_turn(day.new)
    return [order for order in day.new if order.external_id not in day.cancelled | strange.keys()]


def places_of_day(day: DaySoFar) -> list[tuple[float, float]]:
    """Give (lon, lat) of every place that may be driven to or from, each once; the depot first."""
    found = [(day.depot.lon, day.depot.lat)]
    for van in day.vans:
        found.append((van.lon, van.lat))
        found += [(stop.plan.lon, stop.plan.lat) for stop in (*van.done[-1:], *stops_ahead(day, van))]
    found += [(order.lon or 0.0, order.lat or 0.0) for order in new_orders(day)]
    return list(dict.fromkeys(found))


def work_of_stop(stop: StopRow) -> DoorWork:
    """Tell what is to be done at a stop, as it is planned."""
    plan = stop.plan
    parcels = sum(parcel.quantity for parcel in plan.parcels)
    return DoorWork(kind=plan.kind, parcels=parcels, lat=plan.lat, lon=plan.lon, planned_s=plan.service_s)


def works_of_day(day: DaySoFar) -> list[DoorWork]:
    """List what is to be done at the doors of a day, each once."""
    stops = [work_of_stop(stop) for van in day.vans for stop in (*van.done[-1:], *van.ahead)]
    new = [door_work(order, day.settings.service_s) for order in new_orders(day)]
    return list(dict.fromkeys([*stops, *new]))


def ahead_of(day: DaySoFar, distance_m: Matrix, duration_s: Matrix, service_s: Mapping[DoorWork, int]) -> DayAhead:
    """Make the problem of what is ahead.

    Args:
        distance_m, duration_s: between `places_of_day`.
        service_s: how long each of `works_of_day` takes.
    """
    return _Builder(day, distance_m, duration_s, service_s).built()


class _Builder:
    def __init__(
        self, day: DaySoFar, distance_m: Matrix, duration_s: Matrix, service_s: Mapping[DoorWork, int]
    ) -> None:
        self.day = day
        self.service_s = service_s
        self.place_of = {place: row for row, place in enumerate(places_of_day(day))}
        self.dimensions = sorted({name for van in day.vans for name in van.vehicle.capacity})
        self.jobs: list[TourJob] = []
        self.vehicles: list[TourVan] = []
        self.ahead = DayAhead(problem=TourProblem(duration_s=duration_s, distance_m=distance_m, jobs=[], vehicles=[]))
        going = [van for van in day.vans if not van.is_out]
        self.not_loaded = frozenset(row for row, van in enumerate(going) if not van.is_loaded)
        self.open = {stop.plan.external_id for van in day.vans for stop in stops_ahead(day, van)}
        self.open |= {order.external_id for order in new_orders(day)}
        self.all_at_depot = len(self.not_loaded) == len(going)

    def built(self) -> DayAhead:
        going = [row for row, van in enumerate(self.day.vans) if not van.is_out]
        for row in going:
            self._go_on(row)
        for row, van in enumerate(self.day.vans):
            if van.is_out:
                self._take_over(row, van)
        for order in new_orders(self.day):
            words = _words(order)
            windows = sorted((w.start, w.end) for w in words.windows)
            job = self._job(door_work(order, self.day.settings.service_s), order, windows)
            visit = TourVisit(name=order.external_id, stop=None, order=order, van=None)
            self._add_free(visit, job, self._depot() if words.kind == "delivery" else None)
        self._pair_orders()
        problem = replace(self.ahead.problem, jobs=self.jobs, vehicles=self.vehicles)
        self.ahead.problem = problem
        self.ahead.tours = [place_breaks(problem, tour.vehicle, tour.jobs) for tour in self.ahead.tours]
        return self.ahead

    def _go_on(self, row: int) -> None:
        """Add a van, what it keeps, and its tour as it would go on."""
        day, van = self.day, self.day.vans[row]
        vehicle = len(self.vehicles)
        usual = van_of(van.words, van.vehicle, day.now, self.dimensions, fewest=False)
        kept, at, leaves_s = self._kept(van, usual)
        self.vehicles.append(self._from_here(van, usual, kept, (at, leaves_s)))
        self.ahead.vans.append(row)
        self.ahead.kept.append(kept)
        rest = stops_ahead(day, van)[len(kept) :]
        loads = {name: stop for stop in rest for name in loads_of_stop(stop)}
        jobs: list[int] = []
        for stop in rest:
            if names := loads_of_stop(stop):
                waiting = [one for one in rest if one.plan.external_id in names]
                here = (stop.plan.lon, stop.plan.lat)
                jobs += [self._add_fetch(self._waiting(one, row), here, stop) for one in waiting]
                continue
            job = self._job_of(stop)
            name = stop.plan.external_id
            if name in loads:
                fetch = next(one for one in jobs if self.ahead.visits[one].name == name)
                job = replace(job, after=fetch)
            elif stop.plan.kind == "delivery" and not van.is_loaded:
                job = replace(job, vehicles=self.not_loaded)
            elif stop.plan.kind != "pickup":
                job = replace(job, vehicles=frozenset({vehicle}))
            jobs.append(self._add(self._waiting(stop, row), job))
        self.ahead.tours.append(VanTour(vehicle=vehicle, jobs=tuple(jobs)))

    def _kept(self, van: VanSoFar, usual: TourVan) -> tuple[tuple[KeptStop, ...], int, int]:
        """Tell what a van does before anything can be changed; where and when it is free then."""
        day = self.day
        at, leaves_s = self.place_of[van.lon, van.lat], 0
        if not van.is_loaded or van.route is None:
            return (), 0, usual.shift[0]
        if van.done and not is_done(van.done[-1]) and (came := van.done[-1].arrived_at):
            there = van.done[-1].plan
            at = self.place_of[there.lon, there.lat]
            leaves_s = max(0, round((came - day.now).total_seconds()) + self.service_s[work_of_stop(van.done[-1])])
        elif van.route.status == "planned" and not van.done:
            leaves_s = seconds_to(van.route.start_at, day.now)
        has_left, freeze_s = leaves_s == 0 or bool(van.done), day.freeze.total_seconds()
        kept: list[KeptStop] = []
        for row, stop in enumerate(stops_ahead(day, van)):
            job = self._job_of(stop)
            arrive_s = leaves_s + drive_s(self.ahead.problem, usual, at, job.place)
            if row == 0 and van.first_at is not None:
                arrive_s = max(leaves_s, seconds_to(van.first_at, day.now))
            begin_s = opens(job, arrive_s)
            if begin_s > freeze_s and not (row == 0 and has_left):
                break
            depart_s = begin_s + job.service_s
            kept.append(KeptStop(stop=stop, arrive_s=arrive_s, begin_s=begin_s, depart_s=depart_s))
            at, leaves_s = job.place, depart_s
        return tuple(kept), at, leaves_s

    def _from_here(self, van: VanSoFar, usual: TourVan, kept: Sequence[KeptStop], start: tuple[int, int]) -> TourVan:
        """Give a van what is left of its shift, its range and its room."""
        at, leaves_s = start
        if not van.is_loaded or van.route is None:
            return usual
        gone_s = max(0, leaves_s + round((self.day.now - van.route.start_at).total_seconds()))
        gone_m = 0 if usual.farthest_m is None else _driven_m(self.day, van, kept)
        return replace(
            usual,
            start=at,
            shift=(leaves_s, max(leaves_s, usual.shift[1])),
            longest_s=None if usual.longest_s is None else max(0, usual.longest_s - gone_s),
            farthest_m=None if usual.farthest_m is None else max(0, usual.farthest_m - gone_m),
            breaks=usual.breaks[van.breaks :],
            fixed_cost=0,
            aboard=self._aboard(van, kept),
        )

    def _aboard(self, van: VanSoFar, kept: Sequence[KeptStop]) -> tuple[int, ...]:
        """Sum up what stays aboard to the end: what was taken along, and what could not be handed over."""
        total = [0] * len(self.dimensions)
        for stop in (*van.done, *(one.stop for one in kept)):
            order = self.day.orders.get(stop.id)
            taken = stop.plan.kind == "pickup" and stop.status not in ("failed", "skipped")
            stays = stop.plan.kind == "delivery" and stop.status in ("failed", "skipped")
            if order is not None and (taken or stays):
                load = load_of(_words(order).load, self.dimensions)
                total = [a + b for a, b in zip(total, load, strict=True)]
        return tuple(total)

    def _take_over(self, row: int, van: VanSoFar) -> None:
        """Let other vans fetch what a van that is out still has to do."""
        rest = stops_ahead(self.day, van)
        loads = {name for stop in rest for name in loads_of_stop(stop)}
        for stop in rest:
            name = stop.plan.external_id
            if stop.plan.kind not in ("delivery", "pickup"):
                continue
            job = self._job_of(stop)
            dear = round((job.drop_cost or DROPPED) * WAITS_ALREADY)
            lies = (van.lon, van.lat) if van.is_loaded and name not in loads else self._depot()
            self._add_free(
                self._waiting(stop, row), replace(job, drop_cost=dear), lies if stop.plan.kind == "delivery" else None
            )

    def _depot(self) -> tuple[float, float]:
        return self.day.depot.lon, self.day.depot.lat

    def _add_free(self, visit: TourVisit, job: TourJob, lies: tuple[float, float] | None) -> None:
        """Add a job that is on no tour, and the fetching of what it hands over where that lies; None: nothing is."""
        job = replace(job, drop_cost=job.drop_cost or _drop_cost(visit.order))
        follows = visit.order is not None and visit.order.body.get("after") in self.open
        if lies is not None and not follows and not (self.all_at_depot and lies == self._depot()):
            fetch = self._add_fetch(visit, lies, None, like=job)
            self.ahead.more.append(fetch)
            job = replace(job, after=fetch)
        self.ahead.more.append(self._add(visit, job))

    def _add_fetch(
        self, visit: TourVisit, lies: tuple[float, float], stop: StopRow | None, *, like: TourJob | None = None
    ) -> int:
        """Add that what a visit hands over is taken aboard before; `stop` is where, if it is one already."""
        order = visit.order
        load = load_of(_words(order).load, self.dimensions) if order else ()
        job = TourJob(
            place=self.place_of[lies],
            service_s=LOAD_S,
            pickup=load,
            skills=like.skills if like else frozenset(_words(order).skills) if order else frozenset(),
            drop_cost=like.drop_cost if like else None,
        )
        return self._add(replace(visit, stop=stop, fetches=True), job)

    def _add(self, visit: TourVisit, job: TourJob) -> int:
        self.ahead.visits.append(visit)
        self.jobs.append(job)
        return len(self.jobs) - 1

    def _waiting(self, stop: StopRow, van: int) -> TourVisit:
        return TourVisit(name=stop.plan.external_id, stop=stop, order=self.day.orders.get(stop.id), van=van)

    def _job_of(self, stop: StopRow) -> TourJob:
        plan = stop.plan
        promised = [(plan.window_start, plan.window_end)] if plan.window_start and plan.window_end else []
        if plan.kind == "break" and plan.planned_arrival and not promised:
            promised = [(plan.planned_arrival - REST_MOVES, plan.planned_arrival + REST_MOVES)]
        return self._job(work_of_stop(stop), self.day.orders.get(stop.id), promised)

    def _job(self, work: DoorWork, order: OrderRow | None, windows: Sequence[Times]) -> TourJob:
        words = OrderWords() if order is None else _words(order)
        load = load_of(words.load, self.dimensions)
        return TourJob(
            place=self.place_of[work.lon, work.lat],
            service_s=self.service_s[work],
            windows=tuple(self._windows(windows)),
            delivery=() if words.kind == "pickup" else load,
            pickup=load if words.kind == "pickup" else (),
            skills=frozenset(words.skills),
        )

    def _windows(self, windows: Sequence[Times]) -> Iterator[Window]:
        """Write windows in seconds; of those that are over only the last one counts, as one that is missed."""
        now = self.day.now
        still = [one for one in windows if one[1] > now] or list(windows[-1:])
        last_s = -1
        for start, end in still:
            first_s = max(seconds_to(start, now), last_s + 1)
            last_s = max(seconds_to(end, now), first_s)
            yield first_s, last_s

    def _pair_orders(self) -> None:
        """Have orders that follow another one do so, where both are still ahead; else they stay with who has it."""
        row_of = {v.name: row for row, v in enumerate(self.ahead.visits) if not v.fetches}
        has = {one.stop.plan.external_id: vehicle for vehicle, kept in enumerate(self.ahead.kept) for one in kept}
        for row, visit in enumerate(self.ahead.visits):
            first = visit.order.body.get("after") if visit.order and not visit.fetches else None
            if first in has:
                self.jobs[row] = replace(self.jobs[row], vehicles=frozenset({has[first]}))
            elif first in row_of and self.jobs[row].after is None and self.jobs[row_of[first]].after is None:
                self.jobs[row] = replace(self.jobs[row], after=row_of[first], vehicles=None)


def _words(order: OrderRow) -> OrderWords:
    return msgspec.convert(order.body, OrderWords)


def _drop_cost(order: OrderRow | None) -> int:
    return round(DROPPED * (1 + (_words(order).priority if order else 0) / 10))


def _driven_m(day: DaySoFar, van: VanSoFar, kept: Sequence[KeptStop]) -> int:
    """Tell how far a van has driven, and will before it is free, along straight lines made longer."""
    stops = [*van.done, *(one.stop for one in kept)]
    lon, lat = [day.depot.lon, *(s.plan.lon for s in stops)], [day.depot.lat, *(s.plan.lat for s in stops)]
    metres, _ = straight(np.array(lon), np.array(lat))
    return int(metres.diagonal(1).sum())
