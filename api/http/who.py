"""Who is asking, as ledgers and the pool of connections know them."""

from collections.abc import Hashable
from typing import TypeAlias

from aiohttp import web

from sql.pool import ASKS

Party: TypeAlias = tuple[str, Hashable]
"""A kind of `ledger.TIMES`, and which one of that kind."""

_PARTIES: web.RequestKey[tuple[Party, ...]] = web.RequestKey("parties", tuple)


def is_of(request: web.Request, *parties: Party) -> None:
    """Note whose request this is, the largest party last; what it asks of the database is shared out by that one."""
    request[_PARTIES] = parties
    ASKS.set(parties[-1])


def is_of_device(request: web.Request, device_id: int, account_id: int) -> None:
    """Note that a driver's device sends this."""
    is_of(request, ("device", device_id), ("account", account_id))


def parties_of(request: web.Request) -> tuple[Party, ...]:
    """Give whose request this is: until it is known, whoever is at that address."""
    known: tuple[Party, ...] | None = request.get(_PARTIES)
    return known or (("address", request.remote),)


def nobody_yet(request: web.Request) -> None:
    """Begin a request: a connection may carry those of several parties, one after the other."""
    ASKS.set(("address", request.remote))
