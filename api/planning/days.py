"""The day that planning is asked about."""

from datetime import date

import msgspec
from aiohttp import web

from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.times import out_of_range


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
