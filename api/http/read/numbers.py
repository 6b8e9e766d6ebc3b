"""Numbers in a query."""

import math

from aiohttp import web

from api.http.problem import FieldError
from api.http.read.bodies import refuse


def number_in(request: web.Request, name: str, least: float, most: float, default: float | None = None) -> float:
    """Read a number of the query; `default` where it is not there.

    Raises:
        Invalid: it is none, or not from `least` to `most`; or it is missing and there is no default.
    """
    text = request.query.get(name, "")
    if not text and default is not None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        refuse([FieldError(at=name, why=f"must be a number from {least:g} to {most:g}")])
    return number
