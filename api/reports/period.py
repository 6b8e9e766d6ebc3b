"""Which tours a report or an export is asked of: a period of days or of times, a driver, a depot."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from aiohttp import web

from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.ids import DRIVER
from api.http.operation import Parameter
from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.refs import ref_of
from api.http.times import time_in
from sql.account.drivers import find_any_driver
from sql.reports.asked import ToursAsked

LONGEST = timedelta(days=92)
USUAL = timedelta(days=7)

_FIRST, _LAST = date(1970, 1, 1), date(2999, 12, 31)
_EAST, _BESIDE = timedelta(hours=14), timedelta(days=2)  # where a day begins first; how far a tour starts from its day
_DAY = timedelta(days=1)

PERIOD = (
    Parameter(
        name="from",
        description="First day of tours, by their own date, or the time from which on they start; a week unless given.",
    ),
    Parameter(name="to", description="Last day, or the time before which they start; now unless given."),
)
TOURS = (
    *PERIOD,
    Parameter(name="driver", description="Only what this driver did."),
    Parameter(name="depot", description="Only tours from the depot of this name."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A period as it is shown, and which tours are of it.

    Attributes:
        shown: its begin and its end, two days that are both part of it, or two times of which the second is not.
        since, until: tours of it start at or after `since`, before `until`.
        first_day, last_day: of days; None: of times.
    """

    shown: tuple[str, str]
    since: datetime
    until: datetime
    first_day: date | None = None
    last_day: date | None = None


def period_in(request: web.Request) -> Period:
    """Read `from` and `to`.

    Raises:
        Invalid: they are no period, or a longer one than is reported.
    """
    first, last = _day_in(request, "from"), _day_in(request, "to")
    if first is None and last is None:
        return _of_times(request)
    for at, day in (("from", first), ("to", last)):
        if day is None and request.query.get(at):
            refuse([FieldError(at=at, why="must be a day like 2026-03-02, as the other one is")])
    last = last or (now_of(request) + _EAST).date()
    first = first or max(_FIRST, last - USUAL + _DAY)
    if not timedelta(0) <= last - first < LONGEST:
        refuse([FieldError(at="from", why=f"must be `to` or a day before it, of {LONGEST.days} days at most")])
    return days(first, last)


def days(first: date, last: date) -> Period:
    """Give the period of some days, both included."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (first, last))
    return Period(
        shown=(first.isoformat(), last.isoformat()),
        since=begin - _BESIDE,
        until=end + _BESIDE + _DAY,
        first_day=first,
        last_day=last,
    )


def _of_times(request: web.Request) -> Period:
    until = time_in(request, "to") or now_of(request)
    since = time_in(request, "from") or until - USUAL
    if not timedelta(0) < until - since <= LONGEST:
        refuse([FieldError(at="from", why=f"must be before `to`, by at most {LONGEST.days} days")])
    return Period(shown=(msgspec.to_builtins(since), msgspec.to_builtins(until)), since=since, until=until)


def _day_in(request: web.Request, name: str) -> date | None:
    """Read a query parameter as a day; None where it is not there, or may be a time."""
    text = request.query.get(name, "")
    if len(text) != len("2026-03-02"):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = _FIRST
    if not _FIRST < day < _LAST:
        refuse([FieldError(at=name, why=f"must be a day from {_FIRST.year} to {_LAST.year}, like 2026-03-02")])
    return day


async def tours_in(request: web.Request, period: Period) -> ToursAsked:
    """Read which tours of a period are asked for.

    Raises:
        Invalid: there is no such driver, one that was deleted counted in.
    """
    account_id, name = caller_of(request).account_id, request.query.get("driver", "")
    driver_id = None
    if name:
        ref, pool = ref_of(DRIVER, name), request.app[POOL]
        if ref is not None:
            driver_id = await find_any_driver(pool, account_id, driver_id=ref.id, external_id=ref.external_id)
        if driver_id is None:
            refuse([FieldError(at="driver", why="there is no such driver")])
    depot = request.query.get("depot", "")
    if "\0" in depot:
        refuse([FieldError(at="depot", why="is no name")])
    return ToursAsked(
        account_id=account_id,
        since=period.since,
        until=period.until,
        first_day=period.first_day,
        last_day=period.last_day,
        driver_id=driver_id,
        depot=depot or None,
    )
