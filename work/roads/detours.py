"""Detours matched to roads: a reader of the feed that turns "off the route, back on it" into where the driver drove.

Follows the feed entry by entry, so that a spell that is corrected or retracted changes or ends its detour. What comes
late into a spell that stays as it is, is noticed by the driver's re-run.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import numpy as np

from geo.shape.lines import along_m
from sql.delivery import detours
from sql.delivery.detours import Detour, Spell
from sql.pool import Db, Pool
from work.job import Job
from work.roads.choose import STRAIGHT
from work.roads.protocol import Matched, NoWay, Roads, RoadsAway, Trace

log = logging.getLogger(__name__)

MOST_PINGS = 20_000
"""Of one detour; five hours and a half of one fix a second. What comes after them is left out."""


async def match_detours(pool: Pool, roads: Roads) -> bool:
    """Bring some detours to what the feed and the pings say now; tell whether there is more to do at once."""
    async with pool.acquire() as db:
        if not await detours.try_hold_detours(db):
            return False
        try:
            news = await detours.news_of_detours(db)
            tours = {(one.route_id, one.driver_id) for one in news} | set(await detours.detours_to_check(db))
            matcher = _Matcher(roads)
            for route_id, driver_id in tours:
                await _bring_up_to_date(db, matcher, route_id, driver_id)
            await detours.set_detours_seen(db, news)
        finally:
            await detours.let_go_detours(db)
    return bool(news)


async def _bring_up_to_date(db: Db, matcher: "_Matcher", route_id: int, driver_id: int) -> None:
    spells = await detours.spells_off_route(db, route_id=route_id, driver_id=driver_id)
    known = await detours.known_detours(db, route_id=route_id, driver_id=driver_id)
    begun: list[datetime] = []
    for spell in spells:
        checked_at = await detours.look(db)
        pings = await detours.believed_pings(db, driver_id, spell, at_most=MOST_PINGS)
        if len(pings) < 2:
            continue
        begun.append(spell.from_at)
        before = known.get(spell.from_at)
        if before and (before.to_at, before.pings) == (spell.to_at, len(pings)):
            await detours.checked_detour(
                db, route_id=route_id, driver_id=driver_id, from_at=spell.from_at, checked_at=checked_at
            )
            continue
        found = await matcher.match(_trace(pings))
        await detours.put_detour(
            db,
            route_id=route_id,
            detour=_detour(driver_id, spell, found.matched),
            pings=len(pings),
            checked_at=checked_at if found.is_final else None,
        )
    await detours.keep_detours(db, route_id=route_id, driver_id=driver_id, begun=begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Where a trace was driven; `is_final`: False when the roads could not be asked and may be asked again."""

    matched: Matched
    is_final: bool


class _Matcher:
    """Asks the roads until they do not answer; from then on it draws what the phone said."""

    def __init__(self, roads: Roads) -> None:
        self._roads = roads
        self._away = False

    async def match(self, trace: Trace) -> _Found:
        if not self._away:
            try:
                return _Found(matched=await self._roads.match(trace), is_final=True)
            except NoWay:
                return _Found(matched=await STRAIGHT.match(trace), is_final=True)
            except RoadsAway as error:
                log.warning("detours are not matched to roads now: %s", error)
                self._away = True
        return _Found(matched=await STRAIGHT.match(trace), is_final=False)


def _trace(pings: Sequence[asyncpg.Record]) -> Trace:
    lon, lat, time_s, accuracy_m = (
        np.array([ping[name] for ping in pings], np.float64) for name in ("lon", "lat", "time_s", "accuracy_m")
    )
    return Trace(lon=lon, lat=lat, time_s=time_s, accuracy_m=accuracy_m)


def _detour(driver_id: int, spell: Spell, matched: Matched) -> Detour:
    return Detour(
        driver_id=driver_id,
        from_at=spell.from_at,
        to_at=spell.to_at,
        source=matched.source,
        length_m=float(sum(along_m(lon, lat)[-1] for lon, lat in matched.lines)),
        path=[np.column_stack(line).round(6).tolist() for line in matched.lines],
    )


def detour_job(roads: Roads) -> Job:
    """Give the job of matching detours to roads."""
    return Job(name="detours", do=lambda pool: match_detours(pool, roads), pause_s=10.0)
