"""What a new plan of a day means: its tours, and for each recipient what they were promised, would get, and get now."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import msgspec

from geo.tours.check import Checked, Timed, TimedVisit, late_s
from geo.tours.insertion import why_not
from sql.delivery.stops import StopPlan, StopRow
from work.planning.ahead import DayAhead, TourVisit, new_orders
from work.planning.assemble import UNIT, out_of_turn
from work.planning.so_far import DaySoFar, VanSoFar, is_cancelled

TOLD_S = 300
"""Who is reached so much earlier or later than they would be is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A day as it would go on (`before`), and as it is proposed to (`after`)."""

    plan_id: int
    because: str
    day: DaySoFar
    ahead: DayAhead
    before: Checked
    after: Checked


def order_digest(body: Mapping[str, Any]) -> str:
    """Tell an order from what it becomes when it is put again."""
    return sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:16]


def proposal(one: Proposed) -> dict[str, Any]:
    """Write a proposal as it is kept, shown and accepted."""
    tours = list(_tours(one))
    return {
        "tours": tours,
        "unplanned": list(_unplanned(one)),
        "cost": _cost(one, one.after),
        "basis": {
            "as_of": one.day.now.isoformat(),
            "until": (one.day.now + one.day.freeze).isoformat(),
            "routes": {str(van.route.route_id): van.route.version for van in one.day.vans if van.route},
            "orders": {order.external_id: order_digest(order.body) for order in new_orders(one.day)},
            "cancelled": sorted(one.day.cancelled),
            "cancelled_stops": sorted(one.day.cancelled_stops),
        },
        "proposal": _told(one),
    }


def _told(one: Proposed) -> dict[str, Any]:
    before, after = _cost(one, one.before), _cost(one, one.after)
    recipients = list(_recipients(one))
    return {
        "because": one.because,
        "as_of": one.day.now.isoformat(),
        "until": (one.day.now + one.day.freeze).isoformat(),
        "before": before,
        "minutes": round(after["minutes"] - before["minutes"], 1),
        "km": round(after["km"] - before["km"], 2),
        "windows_saved": sum(r["promise"] == "saved" for r in recipients),
        "windows_broken": sum(r["promise"] == "broken" for r in recipients),
        "recipients": recipients,
    }


def _cost(one: Proposed, judged: Checked) -> dict[str, Any]:
    """Sum up what is left of the day for all vans."""
    timed_of = {one.tour.vehicle: one for one in judged.timed}
    minutes = km = amount = 0.0
    vehicles = 0
    for vehicle, kept in enumerate(one.ahead.kept):
        timed = timed_of.get(vehicle)
        ends_s = timed.end_s if timed else kept[-1].depart_s if kept else 0
        begins_s = 0 if kept or timed is None else timed.start_s
        minutes += (ends_s - begins_s) / 60
        vehicles += bool(kept or timed)
        if timed is not None:
            km += timed.distance_m / 1000
            amount += timed.cost / UNIT
    return {"km": round(km, 2), "minutes": round(minutes, 1), "vehicles": vehicles, "amount": round(amount, 2)}


def _tours(one: Proposed) -> Iterator[dict[str, Any]]:
    timed_of = {timed.tour.vehicle: timed for timed in one.after.timed}
    number, called = count(1), _called(one)
    for vehicle, row in enumerate(one.ahead.vans):
        van, timed = one.day.vans[row], timed_of.get(vehicle)
        if one.ahead.kept[vehicle] or timed is not None or van.route is not None:
            yield _tour(one, vehicle, timed, number, called)
    for row, van in enumerate(one.day.vans):
        if van.is_out:
            stays = [stop.id for stop in van.ahead if stop.plan.kind in ("return", "break")]
            left = [one.ahead.visits[job] for job in one.after.left_out]
            stays += [visit.stop.id for visit in left if visit.van == row and visit.stop and not visit.fetches]
            yield {**_head(one, van, None, []), "stops": [], "stays": stays, "changed": len(stays) < len(van.ahead)}


def _called(one: Proposed) -> dict[int, str]:
    """Name visits on their tours, and what is fetched for them alike."""
    names: dict[int, str] = {}
    jobs = one.ahead.problem.jobs
    for timed in one.after.timed:
        van = one.day.vans[one.ahead.vans[timed.tour.vehicle]]
        taken = {stop.plan.external_id for stop in (*van.done, *van.ahead)}
        for job in timed.tour.jobs:
            visit = one.ahead.visits[job]
            if visit.fetches:
                continue
            names[job] = _called_there(one, visit, van, taken)
            taken.add(names[job])
            if (fetch := jobs[job].after) is not None and one.ahead.visits[fetch].fetches:
                names[fetch] = names[job]
    return names


def _called_there(one: Proposed, visit: TourVisit, van: VanSoFar, taken: Set[str]) -> str:
    """Name a visit on a tour.

    Stops of routes that were given by hand may be called the same on each; one that comes to a route that has, or had,
    another such stop gets the name of its old route besides.
    """
    holder = None if visit.van is None else one.day.vans[visit.van]
    if visit.stop is None or visit.order is not None or holder is None or holder is van or holder.route is None:
        return visit.name
    others = {plan.external_id for plan in van.gone if _who(plan) != _who(visit.stop.plan)}
    name, tries = visit.name, count(1)
    while name in taken or name in others:
        name = f"{visit.name[:90]}{'@' * next(tries)}{holder.route.external_id[:90]}"
    return name


def _who(plan: StopPlan) -> tuple[str, float, float]:
    return plan.name, plan.lat, plan.lon


def _tour(
    one: Proposed, vehicle: int, timed: Timed | None, number: Iterator[int], called: Mapping[int, str]
) -> dict[str, Any]:
    """Write a tour; `number` tells stops apart at which parcels are taken aboard; `called`: its visits."""
    van = one.day.vans[one.ahead.vans[vehicle]]
    stops = [
        _entry(one, kept.stop, (kept.arrive_s, kept.begin_s, kept.depart_s), van, fixed=True)
        for kept in one.ahead.kept[vehicle]
    ]
    for entry in _visits(one, van, timed, called) if timed else ():
        if "order" not in entry:
            entry["order"] = f"load-pl_{one.plan_id}-{next(number)}"
        stops.append(entry)
    cancelled = any(is_cancelled(one.day, stop) for stop in van.ahead)
    jobs = timed.tour.jobs if timed else ()
    return {
        **_head(one, van, timed, stops),
        "stops": stops,
        "changed": cancelled or jobs != one.ahead.tours[vehicle].jobs,
    }


def _head(one: Proposed, van: VanSoFar, timed: Timed | None, stops: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    now = one.day.now
    starts = now if van.is_loaded or timed is None else now + timedelta(seconds=timed.start_s)
    ends = now + timedelta(seconds=timed.end_s) if timed else now
    if timed is None and stops:
        ends = datetime.fromisoformat(stops[-1]["depart_at"])
    return {
        "shift": van.shift,
        "vehicle": None if van.shift is None else van.words.vehicle,
        "route": _route_of(van),
        "start_at": starts.isoformat(),
        "end_at": max(starts, ends).isoformat(),
        "km": round(timed.distance_m / 1000, 2) if timed else 0.0,
        "return_to_depot": van.words.return_to_depot,
        "is_loaded": van.is_loaded,
        "breaks": [
            {"start_at": _at(one, start), "end_at": _at(one, end)} for start, end in (timed.rests if timed else ())
        ],
    }


def _route_of(van: VanSoFar) -> str | None:
    return f"rt_{van.route.route_id}" if van.route else None


def _at(one: Proposed, seconds: int) -> str:
    return (one.day.now + timedelta(seconds=seconds)).isoformat()


def _entry(
    one: Proposed, stop: StopRow | None, times: tuple[int, int, int], van: VanSoFar | None, *, fixed: bool = False
) -> dict[str, Any]:
    arrive, begin, depart = (_at(one, seconds) for seconds in times)
    entry: dict[str, Any] = {"arrive_at": arrive, "begin_at": begin, "depart_at": depart, "fixed": fixed}
    if stop is not None and van is not None and van.route is not None:
        entry |= {"order": stop.plan.external_id, "stop": stop.id, "from": van.route.route_id}
    return entry


def _visits(one: Proposed, van: VanSoFar, timed: Timed, called: Mapping[int, str]) -> Iterator[dict[str, Any]]:
    """Write the visits of a tour; parcels that are taken aboard at one place one after the other are one stop."""
    visits = [(one.ahead.visits[visit.job], visit) for visit in timed.visits]
    if not van.is_loaded:  # what lies at the depot is loaded before it leaves
        while visits and visits[0][0].fetches and one.ahead.problem.jobs[visits[0][1].job].place == 0:
            visits = visits[1:]
    row = 0
    while row < len(visits):
        visit, times = visits[row]
        last = row
        if visit.fetches:
            while last + 1 < len(visits) and _same_place(one, visits[row][1], visits[last + 1]):
                last += 1
            yield _loading(one, van, visits[row : last + 1], called)
        else:
            moments = (times.arrive_s, times.begin_s, times.depart_s)
            on = one.day.vans[visit.van] if visit.van is not None else None
            yield {**_entry(one, visit.stop, moments, on), "order": called[times.job]}
        row = last + 1


def _same_place(one: Proposed, first: TimedVisit, then: tuple[TourVisit, TimedVisit]) -> bool:
    jobs = one.ahead.problem.jobs
    return then[0].fetches and jobs[first.job].place == jobs[then[1].job].place


def _loading(
    one: Proposed, van: VanSoFar, visits: Sequence[tuple[TourVisit, TimedVisit]], called: Mapping[int, str]
) -> dict[str, Any]:
    """Write a stop at which parcels are taken aboard: at the depot, or from a van that is out."""
    first, last = visits[0][1], visits[-1][1]
    place = {"name": one.day.depot.name, "lat": one.day.depot.lat, "lon": one.day.depot.lon}
    known: StopRow | None = None
    for visit, times in visits:
        holder = None if visit.van is None else one.day.vans[visit.van]
        if holder is van:
            known = known or visit.stop
        elif holder is not None and holder.is_out and one.ahead.problem.jobs[times.job].place != 0:
            place = {"name": holder.words.vehicle, "lat": holder.lat, "lon": holder.lon}
    if known is not None:
        place = {"name": known.plan.name, "lat": known.plan.lat, "lon": known.plan.lon}
    entry = _entry(one, known, (first.arrive_s, first.begin_s, last.depart_s), van)
    return entry | {"loads": [called[times.job] for _, times in visits], **place}


def _unplanned(one: Proposed) -> Iterator[dict[str, Any]]:
    never = {"any_time": False, "one_more_van": False}
    problem = one.ahead.problem
    for job in one.after.left_out:
        visit = one.ahead.visits[job]
        if visit.fetches:
            continue
        jobs = list(problem.jobs)
        jobs[job] = replace(jobs[job], after=None, vehicles=None)
        why, change = why_not(replace(problem, jobs=jobs), one.after.timed, job, idle=[])
        if visit.van is not None:
            why = f"It stays in the van that is out. {why}"
        yield {"order": visit.name, "stop": visit.stop and visit.stop.id, "why": why, "would_help": change}
    for name, why in out_of_turn(one.day.new).items():
        yield {"order": name, "why": why, "would_help": never}


def _recipients(one: Proposed) -> Iterator[dict[str, Any]]:
    """Say of everybody for whom something changes, or whose promise is not kept, what."""
    before, after = _times(one, one.before), _times(one, one.after)
    for job, visit in enumerate(one.ahead.visits):
        if visit.fetches or (visit.stop is not None and visit.stop.plan.kind in ("depot", "break")):
            continue
        was, now = before.get(job), after.get(job)
        what, promise = _what(one, visit, was, now), _promise(one, job, was, now)
        if what is None and promise in (None, "kept"):
            continue
        yield _recipient(one, visit, (was, now), {"what": what or "same", "promise": promise})
    for row, van in enumerate(one.day.vans):
        for stop in van.ahead:
            if is_cancelled(one.day, stop):
                visit = TourVisit(name=stop.plan.external_id, stop=stop, order=None, van=row)
                yield _recipient(one, visit, (None, None), {"what": "cancelled", "promise": None})
    for name in sorted(order.external_id for order in one.day.new if order.external_id in one.day.cancelled):
        visit = TourVisit(name=name, stop=None, order=None, van=None)
        yield _recipient(one, visit, (None, None), {"what": "cancelled", "promise": None})


Begins = tuple[int, int]
"""A vehicle, and when it begins the service, seconds from now."""


def _times(one: Proposed, judged: Checked) -> dict[int, Begins]:
    return {visit.job: (timed.tour.vehicle, visit.begin_s) for timed in judged.timed for visit in timed.visits}


def _what(one: Proposed, visit: TourVisit, was: Begins | None, now: Begins | None) -> str | None:
    if now is None:
        return "stays" if visit.van is not None else "unplanned"
    if visit.van is None:
        return "added"
    if one.ahead.vans[now[0]] != visit.van:
        return "moved"
    if was is None or abs(now[1] - was[1]) < TOLD_S:
        return None
    return "later" if now[1] > was[1] else "earlier"


def _promise(one: Proposed, job: int, was: Begins | None, now: Begins | None) -> str | None:
    """Compare what is promised with what would come, and what comes: kept, saved, broken or missed; None: nothing."""
    meant = one.ahead.problem.jobs[job]
    if not meant.windows:
        return None
    held = was is not None and not late_s(meant, was[1])
    holds = now is not None and not late_s(meant, now[1])
    if one.ahead.visits[job].van is None:
        return "kept" if holds else None  # nobody was promised anything yet
    return ("kept" if held else "saved") if holds else ("broken" if held else "missed")


def _recipient(
    one: Proposed, visit: TourVisit, times: tuple[Begins | None, Begins | None], said: Mapping[str, Any]
) -> dict[str, Any]:
    was, now = times
    van = one.day.vans[one.ahead.vans[now[0]]] if now else None
    window = None
    if visit.stop is not None and visit.stop.plan.window_start and visit.stop.plan.window_end:
        window = {
            "start": visit.stop.plan.window_start.isoformat(),
            "end": visit.stop.plan.window_end.isoformat(),
        }
    return {
        "order": visit.name,
        "stop": f"st_{visit.stop.id}" if visit.stop else None,
        "from_shift": one.day.vans[visit.van].shift if visit.van is not None else None,
        "to_shift": van.shift if van else None,
        "from_route": _route_of(one.day.vans[visit.van]) if visit.van is not None else None,
        "to_route": _route_of(van) if van else None,
        "before": _at(one, was[1]) if was else None,
        "after": _at(one, now[1]) if now else None,
        "window": window,
        **said,
    }
