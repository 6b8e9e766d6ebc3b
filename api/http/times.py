"""Times that are sent: in query parameters RFC 3339 with a zone, and in bodies only such as can be meant."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated

import msgspec
from aiohttp import web

from api.http.problem import FieldError, Invalid

_FIRST, _LAST = 1970, 2999  # years; with a day added or taken away they stay dates

_Zoned = Annotated[datetime, msgspec.Meta(tz=True)]

FIRST_YEAR, LAST_YEAR = 2000, 2100
"""Of days and times in bodies: in any zone these are dates, and seconds between them are whole numbers."""


def out_of_range(*named: tuple[str, date | datetime | None]) -> Iterator[FieldError]:
    """Name the days and times, each with where it stands, that nobody can mean."""
    for at, day in named:
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            yield FieldError(at=at, why=f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")


def time_in(request: web.Request, name: str) -> datetime | None:
    """Read a query parameter as a time; None when it is not there.

    Raises:
        Invalid: it is no time, or has no zone.
    """
    text = request.query.get(name, "")
    if not text:
        return None
    why = f"must be a time from {_FIRST} to {_LAST} with its zone, like 2026-03-02T08:00:00-05:00"
    try:
        # in a query an unescaped + is a space, and everybody forgets it once
        time = msgspec.convert(text.replace(" ", "+"), _Zoned)
    except msgspec.ValidationError as error:
        raise Invalid("A time is not usable.", errors=[FieldError(at=name, why=why)]) from error
    if not _FIRST <= time.year <= _LAST:
        raise Invalid("A time is not usable.", errors=[FieldError(at=name, why=why)])
    return time
