"""Whether who follows may still do so: keys are revoked and people signed out while their streams are open."""

from collections.abc import Awaitable

from api.http.problem import Problem
from sql.pool import DATABASE_AWAY


async def may_still(asked: Awaitable[object]) -> bool:
    """Tell whether somebody would be let in now; `asked` finds out, and raises a Problem where not."""
    try:
        await asked
    except Problem:
        return False
    except DATABASE_AWAY:
        return True  # not known now; asked again
    return True
