"""How often one link, and one address of the network, may post. Counted in the database, for all processes together."""

import hashlib
import math

from aiohttp import web

from api.http.app_keys import POOL
from api.http.problem import TooManyRequests
from api.http.who import address_of
from sql.portal import limits

POSTS_OF_A_LINK = 60
"""An hour: a person who corrects every change a few times makes twenty."""

POSTS_OF_AN_ADDRESS = 120
"""An hour: some families behind one router; a company's own desk uses its key."""

LOOKUPS_OF_AN_ADDRESS = 25
"""An hour: somebody who waits for five parcels and mistypes each number a few times."""

LOOKUPS_OF_AN_ORDER = 25
"""An hour, from any addresses: ten thousand ends of a phone take weeks, and by then it is delivered."""

WINDOW_S = 3_600.0


async def admit_post(request: web.Request, link_hash: bytes) -> None:
    """Count a post, whatever becomes of it; the link's only where its address may still ask.

    Raises:
        TooManyRequests: the link or the address made too many.
    """
    await _admit(request, _address_hash(request), "post", POSTS_OF_AN_ADDRESS)
    await _admit(request, link_hash, "post", POSTS_OF_A_LINK)


async def admit_lookup(request: web.Request, order: str) -> None:
    """Count a lookup of an order, whatever becomes of it.

    Raises:
        TooManyRequests: the address made too many, or too many were made of this order.
    """
    of_order = hashlib.sha256(b"order " + order.encode(errors="replace")).digest()
    await _admit(request, _address_hash(request), "lookup", LOOKUPS_OF_AN_ADDRESS)
    await _admit(request, of_order, "lookup", LOOKUPS_OF_AN_ORDER)


async def _admit(request: web.Request, who: bytes, what: str, most: int) -> None:
    so_far = await limits.count(request.app[POOL], who, what, window_s=WINDOW_S)
    if so_far.times > most:
        wait_s = max(1, math.ceil(so_far.left_s))
        raise TooManyRequests(
            f"That was tried very often. Please wait {math.ceil(wait_s / 60)} minutes.", retry_after_s=wait_s
        )


def _address_hash(request: web.Request) -> bytes:
    return hashlib.sha256(b"address " + address_of(request).encode()).digest()
