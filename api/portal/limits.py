"""How often one link, and one address of the network, may post. Counted in the database, for all processes together."""

import hashlib

from aiohttp import web

from api.http.shares.attempts import DAY_S, admit_attempt, hash_of_address

POSTS_OF_A_LINK = 60
"""An hour: a person who corrects every change a few times makes twenty."""

POSTS_OF_AN_ADDRESS = 120
"""An hour: some families behind one router; a company's own desk uses its key."""

AWAYS_OF_A_LINK = 10
"""A day: the contact hears of each at once, at any hour, and whoever has the link may say it."""

LOOKUPS_OF_AN_ADDRESS = 25
"""An hour: somebody who waits for five parcels and mistypes each number a few times."""

LOOKUPS_OF_AN_ORDER = 25
"""An hour, from any addresses: ten thousand ends of a phone take weeks, and by then it is delivered."""

CODES_OF_A_LINK = 6
"""An hour: a person whose first two did not come."""

CODES_OF_AN_ADDRESS = 14
"""An hour."""

CODES_OF_A_CONTACT = 20
"""A day: whoever holds some links of one contact still does not flood it."""


async def admit_post(request: web.Request, link_hash: bytes) -> None:
    """Count a post, whatever becomes of it; the link's only where its address may still ask.

    Raises:
        TooManyRequests: the link or the address made too many.
    """
    await admit_attempt(request, hash_of_address(request), "post", POSTS_OF_AN_ADDRESS)
    await admit_attempt(request, link_hash, "post", POSTS_OF_A_LINK)


async def admit_away(request: web.Request, link_hash: bytes) -> None:
    """Count that somebody says whether anybody is at home.

    Raises:
        TooManyRequests: by this link too often.
    """
    await admit_attempt(request, link_hash, "away", AWAYS_OF_A_LINK, window_s=DAY_S)


async def admit_lookup(request: web.Request, order: str) -> None:
    """Count a lookup of an order, whatever becomes of it.

    Raises:
        TooManyRequests: the address made too many, or too many were made of this order.
    """
    of_order = hashlib.sha256(b"order " + order.encode(errors="replace")).digest()
    await admit_attempt(request, hash_of_address(request), "lookup", LOOKUPS_OF_AN_ADDRESS)
    await admit_attempt(request, of_order, "lookup", LOOKUPS_OF_AN_ORDER)


async def admit_code(request: web.Request, link_hash: bytes) -> None:
    """Count that a code was asked for.

    Raises:
        TooManyRequests: by the link or the address too often.
    """
    await admit_attempt(request, hash_of_address(request), "code", CODES_OF_AN_ADDRESS)
    await admit_attempt(request, link_hash, "code", CODES_OF_A_LINK)


async def admit_contact(request: web.Request, account_id: int, contact: str) -> None:
    """Count that a code is about to be sent to a contact.

    Raises:
        TooManyRequests: it got too many lately.
    """
    who = hashlib.sha256(f"contact {account_id} {contact}".encode()).digest()
    await admit_attempt(request, who, "code", CODES_OF_A_CONTACT, window_s=DAY_S)
