"""The tours that are scored: of recorded cases, or of a period of the product, read through its API."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from geo.pings import UNKNOWN_MS, Ints, Pings, in_order
from geo.plan.plans import Timeline
from reparto.client.client import Client
from reparto.client.recordings import case_files, read_case
from reparto.command import CannotRun
from reparto.evaluate.explain.day import Day, DayVisit
from reparto.evaluate.explain.sources import day_of_case, day_of_product

LONGEST_DAYS = 92
"""Days of a period that is scored; every ping of them is read."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tours:
    """Tours, each with a driver of its own: 1, 2, …

    Attributes:
        pings: of all, in the order of time within each.
        came_ms: (s,) of each tour's stops, when the van came as the product has it; UNKNOWN_MS where it never did. None
            where there is no product: what today's fold makes of all pings.
    """

    pings: Pings
    timelines: Sequence[Timeline]
    came_ms: Sequence[Ints | None]

    def __len__(self) -> int:
        return len(self.timelines)


def tours_of_cases(places: Sequence[Path]) -> Tours:
    """Read the cases of folders that have pings.

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
    """Put days together."""
    timelines: list[Timeline] = []
    pings: list[Pings] = []
    came: list[Ints | None] = []
    for number, day in enumerate(days, 1):
        plan = replace(day.plan, route_id=number, driver_id=number, utc_offset_s=_utc_offset_s(day))
        rows = day.pings.rows.copy()
        rows["driver_id"] = number
        timelines.append(Timeline(driver_id=number, plans=(plan,)))
        pings.append(Pings(rows, day.pings.texts))
        came.append(None if day.stored_visits is None else _came(len(day.stops), day.stored_visits))
    joined = Pings.concat(pings)
    return Tours(pings=joined.rows_at(in_order(joined.rows)), timelines=timelines, came_ms=came)


def _utc_offset_s(day: Day) -> int:
    offset = datetime.fromtimestamp(day.plan.start_ms / 1000, UTC).astimezone(ZoneInfo(day.timezone)).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _came(stops: int, visits: Sequence[DayVisit]) -> Ints:
    came_ms = np.full(stops, UNKNOWN_MS)
    for visit in visits:
        if came_ms[visit.stop] == UNKNOWN_MS or visit.came_ms < came_ms[visit.stop]:
            came_ms[visit.stop] = visit.came_ms
    return came_ms
