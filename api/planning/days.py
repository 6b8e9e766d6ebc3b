"""Days and times that planning takes: between the years 2000 and 2100."""

from collections.abc import Iterator
from datetime import date, datetime

import msgspec
from aiohttp import web

from api.http.problem import FieldError
from api.http.read.bodies import refuse

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Of what can be meant, as of routes: in any zone these are dates, and seconds between them are whole numbers."""


def out_of_range(*named: tuple[str, date | datetime | None]) -> Iterator[FieldError]:
    """Name the days and times, each with where it stands, that nobody can mean."""
    for at, day in named:
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            yield FieldError(at=at, why=f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")


def day_in(request: web.Request) -> date | None:
    """Read `?date=`; None when there is none.

    Raises:
        Invalid: it is no day.
    """
    text = request.query.get("date")
    if not text:
        return None
    try:
        day = msgspec.convert(text, date)
    except msgspec.ValidationError:
        refuse([FieldError(at="date", why="must be a day like 2026-03-02")])
        raise
    refuse(list(out_of_range(("date", day))))
    return day
