"""What Traccar's clients ask for in a query: numbers that may be given again and again, and a stretch of time."""

from datetime import datetime, timedelta

from aiohttp import web

from api.http.operation import Parameter
from api.http.problem import FieldError, Invalid
from api.http.times import time_in

MOST_IDS = 10_000
"""Of one kind in a query: a client names all of its devices."""

_TIME = {"type": "string", "format": "date-time"}


def period(longest: timedelta) -> tuple[Parameter, Parameter]:
    """Describe the parameters that `period_in` reads."""
    return (
        Parameter(name="from", description="At or after.", schema=_TIME),
        Parameter(name="to", description=f"Before; at most {longest.days} days later.", schema=_TIME),
    )


def number_parameter(name: str, description: str) -> Parameter:
    """Describe a parameter with a number."""
    return Parameter(name=name, description=description, schema={"type": "integer", "minimum": 1})


def numbers_in(request: web.Request, name: str) -> frozenset[int] | None:
    """Read a parameter that may be given several times; None: it is not given.

    Raises:
        Invalid: one is no number, or there are too many.
    """
    texts = request.query.getall(name, [])
    if len(texts) > MOST_IDS or not all(text.isascii() and text.isdigit() and len(text) <= 18 for text in texts):
        why = f"must be up to {MOST_IDS} numbers, each in a parameter of its own"
        raise Invalid("A number is not usable.", errors=[FieldError(at=name, why=why)])
    return frozenset(map(int, texts)) if texts else None


def period_in(request: web.Request, longest: timedelta) -> tuple[datetime, datetime] | None:
    """Read `?from=` and `?to=`; None: neither is given.

    Raises:
        Invalid: only one of them is, or they are no stretch of time, or too long a one.
    """
    since, until = time_in(request, "from"), time_in(request, "to")
    if since is None and until is None:
        return None
    if since is None or until is None or not timedelta(0) < until - since <= longest:
        why = f"must come with `to`, before it, by at most {longest.days} days"
        raise Invalid("This is no stretch of time.", errors=[FieldError(at="from", why=why)])
    return since, until
