"""No test reaches beyond this machine: every connection of the process is seen, whoever makes it."""

import ipaddress
import sys
from typing import Any

from work.outgoing.guard import Guard, networks_of

LOCAL = Guard(networks_of("127.0.0.0/8"))
"""The guard of whatever a test sends by."""

beyond: list[str] = []
"""Addresses that somebody tried to connect to, other than this machine's own."""

_watching = False


def watch() -> None:
    """Begin to watch; it does not end before the process does."""
    global _watching
    if not _watching:
        _watching = True
        sys.addaudithook(_see)


def _see(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = str(args[1][0]).partition("%")[0]
        try:
            is_here = ipaddress.ip_address(host).is_loopback
        except ValueError:
            is_here = host == "localhost"
        if not is_here:
            beyond.append(host)
