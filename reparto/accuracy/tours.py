"""The tours that are scored: of recorded cases, or of a period of the product, read through its API."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from geo.eta_model import passed
from geo.facts import FactType
from geo.pings import UNKNOWN_MS, Ints, Pings, in_order
from geo.plans import Plan, Timeline
from geo.track import advance, fresh
from reparto.client import Client
from reparto.command import CannotRun
from reparto.explain.day import Day
from reparto.explain.sources import day_of_case, day_of_product
from reparto.recordings import case_files, read_case

LONGEST_DAYS = 92
"""Days of a period that is scored; every ping of them is read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tours:
    """Tours, each with a driver of its own: 1, 2, …

    Attributes:
        pings: of all, in the order of time within each.
        came_ms: (s,) of each tour's stops, when the van came; UNKNOWN_MS where it never did.
    """

    pings: Pings
    timelines: Sequence[Timeline]
    came_ms: Sequence[Ints]

    def __len__(self) -> int:
        return len(self.timelines)


def tours_of_cases(places: Sequence[Path]) -> Tours:
    """Read the cases of folders that have pings; when vans came is what today's fold of all their pings says.

    Raises:
        CannotRun: there is none.
    """
    days = [day_of_case(path) for path in case_files(places) if read_case(path).recording is not None]
    if not days:
        raise CannotRun("there are no recorded tours with pings in there")
    return tours_of(days)


async def days_of_product(client: Client, since: date, until: date, *, driver: str | None) -> AsyncIterator[Day]:
    """Read the routes of a period that have pings.

    Args:
        since, until: dates of routes, both inclusive.

    Raises:
        CannotRun: the period is too long.
    """
    if (until - since).days >= LONGEST_DAYS:
        raise CannotRun(f"at most {LONGEST_DAYS} days can be scored at once")
    for number in range((until - since).days + 1):
        query = {"date": str(since + timedelta(days=number))} | ({"driver": driver} if driver else {})
        async for page in client.pages("/v1/routes", query=query):
            for route in page["routes"]:
                if route["started_at"] is not None:
                    yield await day_of_product(client, route["id"])


def tours_of(days: Sequence[Day]) -> Tours:
    """Put days together. When vans came is what the product has stored, else what today's fold says."""
    timelines: list[Timeline] = []
    pings: list[Pings] = []
    came: list[Ints] = []
    for number, day in enumerate(days, 1):
        plan = replace(day.plan, route_id=number, driver_id=number, utc_offset_s=_utc_offset_s(day))
        timeline = Timeline(driver_id=number, plans=(plan,))
        rows = day.pings.rows.copy()
        rows["driver_id"] = number
        mine = Pings(rows, day.pings.texts)
        timelines.append(timeline)
        pings.append(mine)
        came.append(_stored(day) if day.stored_visits is not None else _reached(plan, mine, timeline))
    joined = Pings.concat(pings)
    return Tours(pings=joined.take(in_order(joined.rows)), timelines=timelines, came_ms=came)


def _utc_offset_s(day: Day) -> int:
    offset = datetime.fromtimestamp(day.plan.start_ms / 1000, UTC).astimezone(ZoneInfo(day.timezone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _stored(day: Day) -> Ints:
    came_ms = np.full(len(day.stops), UNKNOWN_MS)
    for visit in day.stored_visits or ():
        if came_ms[visit.stop] == UNKNOWN_MS or visit.came_ms < came_ms[visit.stop]:
            came_ms[visit.stop] = visit.came_ms
    return came_ms


def _reached(plan: Plan, pings: Pings, timeline: Timeline) -> Ints:
    """Tell when a van came: a stop without planned service is passed, the others are visited."""
    _, facts = advance(fresh(np.array([timeline.driver_id])), pings, [timeline])
    judged = facts.judged
    on_path = judged["on_route"] & ~np.isnan(judged["along_m"])
    came_ms = passed(plan, pings.rows["recorded_ms"][on_path], judged["along_m"][on_path]).copy()
    came_ms[plan.stops[:, 4] > 0] = UNKNOWN_MS
    for fact in facts.happened[facts.happened["type"] == FactType.STOP_ARRIVED]:
        place = int(np.flatnonzero(plan.stop_ids == fact["stop_id"])[0])
        if came_ms[place] == UNKNOWN_MS:
            came_ms[place] = fact["occurred_ms"]
    return came_ms
