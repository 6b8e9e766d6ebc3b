"""Polls that cost little themselves: requests written beforehand, asked one after the other on some connections."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reparto.bench.ingest.wire import Wire, open_wires
from reparto.process.usage import cpu_s

CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Polled:
    """What a while of polling gave.

    Attributes:
        statuses: answers by their status.
        seconds: how long it took.
        cpu: seconds of CPU of each process that was looked at, by its name.
    """

    statuses: Counter[int]
    seconds: float
    body_bytes: int
    cpu: dict[str, float]

    @property
    def answers(self) -> int:
        """How many came."""
        return self.statuses.total()

    @property
    def per_s(self) -> float:
        """How many came a second."""
        return self.answers / self.seconds


async def poll_for(url: str, requests: Sequence[bytes], *, seconds: float, pids: dict[str, int]) -> Polled:
    """Ask as fast as answers come, each connection its own part of the requests again and again."""
    wires = await open_wires(url, min(CONNECTIONS, len(requests)))
    statuses: Counter[int] = Counter()
    body_bytes = 0

    async def ask(wire: Wire, mine: Sequence[bytes], until_s: float) -> None:
        nonlocal body_bytes
        while True:
            for request in mine:
                status, body = await wire.ask(request)
                statuses[status] += 1
                body_bytes += len(body)
                if time.perf_counter() >= until_s:
                    return

    try:
        before = {name: cpu_s(pid) for name, pid in pids.items()}
        began_s = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for nth, (_, wire) in enumerate(wires):
                tasks.create_task(ask(wire, requests[nth :: len(wires)], began_s + seconds))
        took_s = time.perf_counter() - began_s
        cpu = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
    finally:
        for transport, _ in wires:
            transport.close()
    return Polled(statuses=statuses, seconds=took_s, body_bytes=body_bytes, cpu=cpu)


async def tags_of(url: str, requests: Sequence[bytes]) -> list[str]:
    """Ask each once; give the tags of the answers, in their order."""
    tags = [""] * len(requests)
    wires = await open_wires(url, CONNECTIONS)

    async def ask(wire: Wire, first: int) -> None:
        for place in range(first, len(requests), len(wires)):
            await wire.ask(requests[place])
            tags[place] = wire.head.lower().partition(b"\r\netag:")[2].partition(b"\r\n")[0].strip().decode()

    try:
        async with asyncio.TaskGroup() as tasks:
            for nth, (_, wire) in enumerate(wires):
                tasks.create_task(ask(wire, nth))
    finally:
        for transport, _ in wires:
            transport.close()
    return [tag.replace("w/", "W/") for tag in tags]
