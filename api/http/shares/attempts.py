"""How often somebody tried something. Counted in the database, for all processes together."""

import hashlib
import math

from aiohttp import web

from api.http.app_keys import POOL
from api.http.problem import TooManyRequests
from api.http.who import address_of
from sql.portal import limits

HOUR_S, DAY_S = 3_600.0, 86_400.0


async def admit_attempt(request: web.Request, who: bytes, what: str, most: int, *, window_s: float = HOUR_S) -> None:
    """Count one more try, whatever becomes of it.

    Args:
        who: a hash of whose tries are counted.
        what: the kind of try.
        window_s: how long a window lasts that begins with the first of them; a day at most.

    Raises:
        TooManyRequests: there were more than `most` in the window.
    """
    so_far = await limits.count(request.app[POOL], who, what, window_s=window_s)
    if so_far.times > most:
        wait_s = max(1, math.ceil(so_far.left_s))
        raise TooManyRequests(
            f"That was tried very often. Please wait {math.ceil(wait_s / 60)} minutes.", retry_after_s=wait_s
        )


def hash_of_address(request: web.Request) -> bytes:
    """Give what stands for the address of the network that a request comes from."""
    return hashlib.sha256(b"address " + address_of(request).encode()).digest()
