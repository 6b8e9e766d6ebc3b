"""Which of a company's slots can really be driven to a place, beside all that is on their days' tours."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from geo.tours.insertion import Insertion
from geo.tours.problem import Window
from sql.planning.plans import planned_days
from sql.pool import Pool
from work.messages.rules.hours import zone_at
from work.planning.assemble import UNIT
from work.planning.tentative import AskedVisit, TentativeDay, days_of, promised


class Times(Protocol):
    """Something that begins and ends."""

    @property
    def start_at(self) -> datetime:
        """When it begins."""

    @property
    def end_at(self) -> datetime:
        """When it ends."""


T = TypeVar("T", bound=Times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """How a visit would be driven: when it begins, and what it adds."""

    expected: datetime
    extra_m: int
    extra_s: int
    extra_cost: float


async def drivable(pool: Pool, account_id: int, visit: AskedVisit, slots: Sequence[T]) -> list[tuple[T, Drive | None]]:
    """Leave out the slots in which a visit cannot be driven.

    Returns:
        Each with its drive; None: no van is planned for its day yet, so nobody can tell.
    """
    zone = ZoneInfo(zone_at(visit.lat, visit.lon, "UTC"))
    day_of = {index: slot.start_at.astimezone(zone).date() for index, slot in enumerate(slots)}
    depots = defaultdict(list)
    for on, depot in await planned_days(pool, account_id, sorted(set(day_of.values()))):
        depots[on].append(depot)
    judged: set[int] = set()
    best: dict[int, Drive] = {}
    for on, names in depots.items():
        asked = {index: slots[index] for index, day in day_of.items() if day == on}
        for depot in names:
            day = await days_of(pool).day(pool, account_id=account_id, on=on, depot=depot)
            if day is None:
                continue
            judged |= asked.keys()
            for index, drive in (await asyncio.to_thread(_drives, day, visit, asked)).items():
                if index not in best or drive.extra_cost < best[index].extra_cost:
                    best[index] = drive
    return [(slot, best.get(index)) for index, slot in enumerate(slots) if index in best or index not in judged]


def _drives(day: TentativeDay, visit: AskedVisit, asked: Mapping[int, Times]) -> dict[int, Drive]:
    windows: list[Window] = [(_seconds(day, slot.start_at), _seconds(day, slot.end_at)) for slot in asked.values()]
    found = promised(day, visit, windows)
    return {index: _drive(day, one) for index, one in zip(asked, found, strict=True) if one is not None}


def _seconds(day: TentativeDay, at: datetime) -> int:
    return max(0, round((at - day.labels.origin).total_seconds()))


def _drive(day: TentativeDay, found: Insertion) -> Drive:
    return Drive(
        expected=(day.labels.origin + timedelta(seconds=found.begin_s)).astimezone(UTC),
        extra_m=found.extra_m,
        extra_s=found.extra_s,
        extra_cost=round(found.extra / UNIT, 2),
    )
