"""When somebody says in a body that something was."""

from datetime import datetime

from api.http.problem import FieldError
from api.http.read.bodies import refuse
from api.http.times import out_of_range
from geo.times import ms_of


def past_ms(at: str, occurred_at: datetime | None, now: datetime) -> int | None:
    """Read it, ms since 1970; None: they do not say.

    Args:
        at: a JSON pointer to where it stands.

    Raises:
        Invalid: it is in the future, or nobody can mean it.
    """
    said_ms = None if occurred_at is None else ms_of(occurred_at)
    if said_ms is not None and said_ms > ms_of(now):
        refuse([FieldError(at=at, why="is in the future")])
    refuse(list(out_of_range((at, occurred_at))))
    return said_ms
