"""Where connections may go: an address that an account gives must not lead into the operator's own network.

A name is resolved once, by whoever connects, and the guard sits where the socket is made: what it lets through is what
is connected to, whatever a name says a moment later. Addresses given as numbers go the same way.
"""

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_OURS = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT; metadata of some clouds
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4: an IPv4 address inside
        "2001::/32",  # Teredo: likewise
        "fec0::/10",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotAllowedError(OSError):
    """The address is not one that may be reached. An OSError: clients give up on it as on one that is dead."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Which addresses may be reached; `allowed`: networks that may though they are private."""

    allowed: Sequence[Network] = ()

    def lets(self, host: str) -> bool:
        """Tell whether an address, given as numbers, may be reached.

        Raises:
            ValueError: it is not an address.
        """
        address = _inner(ipaddress.ip_address(host.partition("%")[0]))
        if any(address.version == network.version and address in network for network in self.allowed):
            return True
        if not address.is_global or address.is_multicast or address.is_reserved:
            return False
        return not any(address.version == network.version and address in network for network in _NOT_OURS)

    def socket_for(self, info: Any) -> socket.socket:
        """Make the socket for one result of `getaddrinfo`.

        Raises:
            NotAllowedError: it leads where nothing may be sent.
        """
        family, kind, protocol, _, place = info
        if not self.lets(str(place[0])):
            raise NotAllowedError(
                errno.EACCES, f"{place[0]} is not an address that may be reached (REPARTO_OUTGOING_ALLOW)"
            )
        return socket.socket(family, kind, protocol)

    async def connect(self, host: str, port: int, *, timeout_s: float) -> socket.socket:
        """Resolve a host once and connect to the first of its addresses that answers.

        Raises:
            OSError, TimeoutError: none does, or none may be reached (`NotAllowedError`).
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            why: OSError = NotAllowedError(errno.EACCES, f"{host} has no address")
            for info in found:
                try:
                    made = self.socket_for(info)
                except NotAllowedError as error:
                    why = error
                    continue
                made.setblocking(False)
                try:
                    await loop.sock_connect(made, info[4])
                except BaseException as error:
                    made.close()
                    if not isinstance(error, OSError):
                        raise
                    why = error
                    continue
                return made
        raise why

    def why_not(self, url: str) -> str | None:
        """Say what is wrong with an address that an account gives; None: nothing that shows before it is resolved."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return "is not an address like https://example.com/path"
        if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
            return "must be an address like https://example.com/path"
        if parts.username is not None or parts.password is not None:
            return "must not hold a user or a password"
        return self._why_not_there(parts.scheme, host.removesuffix("."))

    def _why_not_there(self, scheme: str, host: str) -> str | None:
        """Say why a host may not be reached, or not by plain http."""
        is_here = host == "localhost" or host.endswith(".localhost")
        numbers = "127.0.0.1" if is_here else _literal(host)
        if numbers is not None and not self.lets(numbers):
            return "leads to an address that may not be reached"
        if scheme == "http" and (numbers is None or not self._is_allowed(numbers)):
            return "must begin with https://"
        return None

    def _is_allowed(self, host: str) -> bool:
        address = _inner(ipaddress.ip_address(host))
        return any(address.version == network.version and address in network for network in self.allowed)


def networks_of(text: str) -> list[Network]:
    """Read REPARTO_OUTGOING_ALLOW.

    Raises:
        ValueError: one of them is not a network.
    """
    return [ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()]


def _literal(host: str) -> str | None:
    """Read a host that is an address in any way of writing that resolvers take (127.1, 0x7f000001), else None."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None


def _inner(address: Address) -> Address:
    """Look through IPv6 addresses that stand for an IPv4 one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
