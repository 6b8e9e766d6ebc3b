"""What can still be promised: slots in which one more order can really be driven."""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from aiohttp import web
from cachetools import LRUCache
from msgspec import Struct

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.planning.days import day_in
from geo.tours.check import Timed, check
from geo.tours.insertion import cheapest
from geo.tours.matrix import to_all
from geo.tours.numbers import FOREVER
from geo.tours.problem import TourJob, TourProblem
from sql.planning.plans import last_tours, problem_of_plan
from sql.pool import Pool
from work.planning.assemble import LOAD_UNIT, UNIT, KeptProblem, tours_of, unpack

operations = Operations("planning")

SLOT_S = 2 * 3600
"""How long an offered slot is; they begin with the first shift of the day."""

MOST_SLOTS = 24

_DAYS: LRUCache[tuple[int, int], "_Day"] = LRUCache(maxsize=64)
"""Days as they were planned last, by plan and version: a shop asks hundreds of times for the same one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Day:
    kept: KeptProblem
    timed: tuple[Timed, ...]


class Slot(Struct, frozen=True, kw_only=True):
    """A time that can be promised; `extra_km` and `extra_minutes` of driving, `extra_cost` as vehicles cost."""

    start: datetime
    end: datetime
    expected: datetime
    extra_km: float
    extra_minutes: float
    extra_cost: float


class SlotList(Struct, frozen=True, kw_only=True):
    """Slots of a day, in order; empty where nothing more fits, or the day has no plan yet."""

    slots: list[Slot]
    planned: bool


_NUMBER = {"type": "number"}


@operations.operation(
    "GET",
    "/v1/places/slots",
    who=Who.VIEWER,
    answer=SlotList,
    query=(
        Parameter(name="lat", description="WGS 84 degrees.", schema=_NUMBER),
        Parameter(name="lon", description="WGS 84 degrees.", schema=_NUMBER),
        Parameter(name="date", description="The day.", schema={"type": "string", "format": "date"}),
        Parameter(name="depot", description="External id of the depot that serves the place."),
        Parameter(name="service_s", description="Time at the door; 120 unless given.", schema=_NUMBER),
        Parameter(
            name="load", description="Of the first dimension of vehicles' capacity; 0 unless given.", schema=_NUMBER
        ),
    ),
)
async def get_slots(request: web.Request) -> web.Response:
    """Tell when one more order at a place could come.

    Each slot was driven by the checker: with the order in it, every window and every shift of the day's last plan still
    holds. Vans that have no tour yet count too.
    """
    account_id = caller_of(request).account_id
    lat, lon = _number(request, "lat", -90, 90), _number(request, "lon", -180, 180)
    service_s = _number(request, "service_s", 0, 86_400, default=120.0)
    load = _number(request, "load", 0, 1e9, default=0.0)
    on, depot = day_in(request), request.query.get("depot", "")
    if on is None:
        refuse([FieldError(at="date", why="is missing")])
        raise AssertionError
    found = await last_tours(request.app[POOL], account_id=account_id, on=on, depot=depot)
    if found is None:
        return answer(request, SlotList(slots=[], planned=False))
    day = await _day(request.app[POOL], *found)
    slots = await asyncio.to_thread(_slots, day, lat, lon, round(service_s), load)
    return answer(request, SlotList(slots=slots, planned=True))


def _number(request: web.Request, name: str, least: float, most: float, default: float | None = None) -> float:
    text = request.query.get(name, "")
    if not text and default is not None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        refuse([FieldError(at=name, why=f"must be a number from {least:g} to {most:g}")])
    return number


async def _day(pool: Pool, plan_id: int, version: int, result: Mapping[str, Any]) -> _Day:
    known: _Day | None = _DAYS.get((plan_id, version))
    if known is None:
        body = await problem_of_plan(pool, plan_id)
        known = _DAYS[(plan_id, version)] = await asyncio.to_thread(_read, body, result)
    return known


def _read(body: bytes, result: Mapping[str, Any]) -> _Day:
    kept = unpack(body)
    return _Day(kept=kept, timed=check(kept.problem, tours_of(kept, result)).timed)


def _slots(day: _Day, lat: float, lon: float, service_s: int, load: float) -> list[Slot]:
    problem = _with(day.kept, lat, lon, service_s, load)
    job = len(problem.jobs) - 1
    used = {timed.tour.vehicle for timed in day.timed}
    idle = [row for row in range(len(problem.vehicles)) if row not in used]
    if not problem.vehicles:
        return []
    first_s = min(vehicle.shift[0] for vehicle in problem.vehicles)
    last_s = max(vehicle.shift[1] for vehicle in problem.vehicles)
    slots = []
    for start_s in range(first_s, last_s, SLOT_S)[:MOST_SLOTS]:
        end_s = min(start_s + SLOT_S, last_s)
        jobs = [*problem.jobs[:-1], replace(problem.jobs[-1], windows=((start_s, end_s),))]
        found = cheapest(replace(problem, jobs=jobs), day.timed, job, idle=idle)
        if found is not None:
            origin = day.kept.labels.origin
            slots.append(
                Slot(
                    start=origin + timedelta(seconds=start_s),
                    end=origin + timedelta(seconds=end_s),
                    expected=origin + timedelta(seconds=found.begin_s),
                    extra_km=round(found.extra_m / 1000, 2),
                    extra_minutes=round(found.extra_s / 60, 1),
                    extra_cost=round(found.extra / UNIT, 2),
                )
            )
    return slots


def _with(kept: KeptProblem, lat: float, lon: float, service_s: int, load: float) -> TourProblem:
    """Add one more order to a problem, at the speed that its matrix goes by."""
    problem, labels = kept.problem, kept.labels
    metres, seconds = to_all(lon, lat, np.array(labels.lon), np.array(labels.lat))
    straight_s = to_all(labels.lon[0], labels.lat[0], np.array(labels.lon), np.array(labels.lat))[1].sum()
    pace = float(problem.duration_s[0].sum()) / straight_s if straight_s > 0 else 1.0
    grown = []
    for matrix, legs in ((problem.distance_m, metres), (problem.duration_s, np.rint(seconds * pace))):
        size = len(matrix)
        larger = np.zeros((size + 1, size + 1), np.int64)
        larger[:size, :size] = matrix
        larger[size, :size] = larger[:size, size] = legs
        grown.append(larger)
    load_of = (round(load * LOAD_UNIT),)
    job = TourJob(place=len(problem.distance_m), service_s=service_s, delivery=load_of, drop_cost=FOREVER)
    return replace(problem, distance_m=grown[0], duration_s=grown[1], jobs=[*problem.jobs, job], soft_m=None)
