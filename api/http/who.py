"""Who is asking, as ledgers and the pool of connections know them; strangers by their address."""

import ipaddress
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import TypeAlias

from aiohttp import web

from api.http.app_keys import CONFIG
from sql.pool import ASKS
from work.outgoing.guard import networks_of

Party: TypeAlias = tuple[str, Hashable]
"""A kind of `ledger.TIMES`, and which one of that kind."""

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_ONE_HOUSEHOLD_BITS = 64
"""Of an IPv6 address: whoever has one there has all that begin so."""

_AT_ITS_END: web.RequestKey[list[Callable[[], None]]] = web.RequestKey("at_its_end", list)
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
    return known or (("address", address_of(request)),)


def nobody_yet(request: web.Request) -> None:
    """Begin a request: a connection may carry those of several parties, one after the other."""
    ASKS.set(("address", address_of(request)))


def at_its_end(request: web.Request, let_go: Callable[[], None]) -> None:
    """Call something when the request is answered, however that ends."""
    request.setdefault(_AT_ITS_END, []).append(let_go)


def over(request: web.Request) -> None:
    """End a request: what was held for it is free."""
    for let_go in request.pop(_AT_ITS_END, []):
        let_go()


def address_of(request: web.Request) -> str:
    """Give the address that a request comes from: in IPv6 the network that one household has.

    `X-Forwarded-For` is read from its end, and believed as long as it was written by one of
    `REPARTO_TRUSTED_PROXIES`: whoever else is at its beginning may have made it up.
    """
    remote = request.remote or ""
    config = request.app.get(CONFIG)  # an application of nothing but /health has none
    text = config.trusted_proxies if config else ""
    said = ",".join(request.headers.getall("X-Forwarded-For", ())) if text else ""
    return _address(remote, said, text)


@lru_cache(maxsize=4_096)
def _address(remote: str, said: str, proxies_text: str) -> str:
    address = _read(remote)
    if address is None:
        return remote
    proxies, hops = networks_of(proxies_text), [one.strip() for one in said.split(",")]
    while hops and any(address in network for network in proxies):
        before = _read(hops.pop())
        if before is None:
            break
        address = before
    if address.version == 6:
        return str(ipaddress.ip_network((address, _ONE_HOUSEHOLD_BITS), strict=False))
    return str(address)


def _read(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
