"""Until when a company answers: so many working days at the place of the stop, by its calendar and its clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from work.messages.rules.hours import country_of, is_public_holiday, zone_at

WORKDAY_ENDS = time(18)
"""A promise of a day is one until offices close, not until midnight."""

NEAR = timedelta(hours=9)
"""Before a deadline: the morning of its day, when somebody can still do something."""

_SATURDAY = 5
_MOST_DAYS_OFF = 30


def due_at(since: datetime, working_days: int, *, lat: float, lon: float, timezone: str) -> datetime:
    """Tell when the last of so many working days after a day ends.

    Args:
        since: when the turn of the company began. With 0 days: the end of that day, or of the next working day where it
            is none or its end is past.
        timezone: where nobody knows the zone of the place.
    """
    zone = zone_at(lat, lon, timezone)
    there = since.astimezone(ZoneInfo(zone))
    day, country = there.date(), country_of(zone)
    if working_days == 0 and (there.time() >= WORKDAY_ENDS or not is_working_day(day, country)):
        working_days = 1
    for _ in range(working_days):
        day = _next_working_day(day, country)
    return datetime.combine(day, WORKDAY_ENDS, ZoneInfo(zone)).astimezone(UTC)


def is_working_day(day: date, country: str | None) -> bool:
    """Tell whether offices are open: neither a weekend nor a public holiday of the whole country."""
    return day.weekday() < _SATURDAY and not is_public_holiday(day, country)


def _next_working_day(day: date, country: str | None) -> date:
    for _ in range(_MOST_DAYS_OFF):  # no country closes for a month
        day += timedelta(days=1)
        if is_working_day(day, country):
            break
    return day
