"""Where an address is by the clock and on the map: its zone, its country, quiet hours and holidays there."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import holidays
import tzfpy

from sql.messages.told import ToldStop
from work.messages.rules.kinds import KINDS, KindSettings


@lru_cache(maxsize=4096)
def zone_at(lat: float, lon: float, otherwise: str) -> str:
    """Give the time zone of a place; at sea, or where nobody knows, `otherwise`."""
    found = tzfpy.get_tz(lon, lat)
    return found if found and not found.startswith("Etc/") else otherwise


@cache
def _countries() -> Mapping[str, str]:
    text = (files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}


def country_of(zone: str) -> str | None:
    """Give the country (ISO 3166-1 alpha-2) that a time zone lies in; None for zones of no country, like UTC."""
    return _countries().get(zone)


@lru_cache(maxsize=512)
def _holidays(country: str, year: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def is_public_holiday(day: date, country: str | None) -> bool:
    """Tell whether a day is a public holiday of a whole country."""
    return country is not None and day in _holidays(country, day.year)


def is_holiday(day: date, country: str | None) -> bool:
    """Tell whether a day is a public holiday of a whole country, or a Sunday."""
    return day.weekday() == 6 or is_public_holiday(day, country)


def not_before(settings: KindSettings, now: datetime, *, zone: str, any_hour: bool) -> datetime:
    """Say when a message may leave at the earliest: now, or when quiet hours and holidays at the address are over.

    Args:
        any_hour: it leaves in quiet hours too.
    """
    there = ZoneInfo(zone)
    local = now.astimezone(there)
    country = country_of(zone)
    quiet = None if any_hour else settings.quiet_hours
    for _ in range(15):  # no country has two weeks of holidays
        if quiet is not None and quiet.holds(local.time()):
            end = time.fromisoformat(quiet.end)
            day = local.date() if local.time() < end else local.date() + timedelta(days=1)
            local = datetime.combine(day, end, there)
        if not settings.wait_for_workday or any_hour or not is_holiday(local.date(), country):
            break
        local = datetime.combine(local.date() + timedelta(days=1), _morning(settings), there)
    return max(now, local.astimezone(now.tzinfo))


def leaves_at(kind: str, settings: KindSettings, stop: ToldStop, happened_at: datetime, now: datetime) -> datetime:
    """Say when a message about a stop may leave at the earliest.

    What is told at any hour is so only on the day of its cause, as the clock at the address has it.
    """
    zone = zone_at(stop.lat, stop.lon, stop.timezone)
    there = ZoneInfo(zone)
    same_day = happened_at.astimezone(there).date() == now.astimezone(there).date()
    return not_before(settings, now, zone=zone, any_hour=KINDS[kind].any_hour and same_day)


def _morning(settings: KindSettings) -> time:
    return time.fromisoformat(settings.quiet_hours.end) if settings.quiet_hours else time(8)
