"""`make soak MINUTES=60`: a steady load on `reparto up`, and what grows that should not.

500 pings a second of 100 vans that drive to and fro, 50 polls a second of tracking pages, 200 open event streams.
"""

import argparse
import asyncio
import itertools
import math
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import asyncpg

from reparto.child import Child, free_port
from reparto.client.client import Client, Phone, together
from reparto.client.recordings import SentPing
from reparto.client.tally import Tally
from reparto.command import CannotRun
from reparto.postgres import dsn_of
from reparto.postgres.ending import command_of
from reparto.simulate.fleet import enlist
from tests.acceptance.chaos.world import children_of

VANS, PINGS_A_SECOND, POLLS_A_SECOND, STREAMS, STOPS = 100, 500, 50, 200, 20
HISTORY = (
    "ping",
    "event",
    "visit",
    "checkpoint",
    "eta_",
    "message",
    "notice",
    "driver_event",
    "arrival",
    "account_day",
)
"""Tables that keep what happened, by how their names begin: they grow, and retention ends that."""

SLACK = {"MiB": 24.0, "files": 10.0, "KiB": 1_024.0}
_GROWS = 1.10
_SAMPLES = 60
_ROUND_TRIP_S = 600.0


@dataclass(slots=True)
class Course:
    """How a measure went: its unit, and its values in order."""

    unit: str
    values: list[float] = field(default_factory=list)

    def grows(self) -> bool:
        """Tell whether the last third is above the one before by more than a tenth and what may vary by itself."""
        third = len(self.values) // 3
        if not third:
            return False
        before, last = median(self.values[third : 2 * third]), median(self.values[-third:])
        return last > before * _GROWS and last > before + SLACK[self.unit]

    def line(self, name: str) -> str:
        """Say it: at first, in the middle, at last, and whether it grows."""
        first, middle, last = (self.values[at] for at in (0, len(self.values) // 2, -1))
        verdict = "GROWS" if self.grows() else ""
        return f"{name:<44} {first:>12,.0f} {middle:>12,.0f} {last:>12,.0f} {self.unit:<6} {verdict}".rstrip()


def processes(up: Child) -> dict[str, list[int]]:
    """Give the processes of the product: `up`, its tracker, and Postgres with its backends."""
    found: dict[str, list[int]] = {"up": [up.pid]}
    for pid in children_of(up.pid):
        words = command_of(pid)
        if "track" in words:
            found["tracker"] = [pid]
        elif words and "postgres" in words[0]:
            found["postgres"] = [pid, *children_of(pid)]
    return found


def of_process(pid: int) -> tuple[float, float]:
    """Give the memory that is a process's own, MiB, and its open files."""
    with suppress(OSError):
        rollup = Path("/proc", str(pid), "smaps_rollup").read_text()
        private_kib = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
        return private_kib / 1024, float(len(os.listdir(f"/proc/{pid}/fd")))
    return 0.0, 0.0


async def sample(up: Child, db: asyncpg.Connection, courses: dict[str, Course]) -> None:
    """Measure everything once."""
    for name, pids in processes(up).items():
        measured = [of_process(pid) for pid in pids]
        courses.setdefault(f"memory of {name}", Course("MiB")).values.append(sum(one[0] for one in measured))
        courses.setdefault(f"files of {name}", Course("files")).values.append(sum(one[1] for one in measured))
    sizes: Counter[str] = Counter()
    for row in await db.fetch(
        "SELECT relname, relkind IN ('i', 'I') AS is_index, pg_relation_size(pg_class.oid) AS size"
        " FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('r', 'i')"
    ):
        if not row["relname"].startswith(HISTORY):
            sizes[f"{'index' if row['is_index'] else 'table'} {row['relname']}"] += row["size"]
    for name, size in sizes.items():
        courses.setdefault(name, Course("KiB")).values.append(size / 1024)


def route(number: int, now: datetime) -> dict[str, Any]:
    """A tour along a straight street of its own."""
    lat = 4.0 + number * 0.01
    stops = [
        {"external_id": f"{stop}", "kind": "delivery", "name": "Ana", "lat": lat, "lon": -74.0 + stop * 0.002}
        for stop in range(1, STOPS + 1)
    ]
    return {"driver": f"van-{number}", "date": now.date().isoformat(), "timezone": "America/Bogota",
            "start_at": (now - timedelta(minutes=10)).isoformat(), "end_at": (now + timedelta(hours=12)).isoformat(),
            "depot": {"name": "d", "lat": lat, "lon": -74.0}, "stops": stops}  # fmt: skip


@dataclass(slots=True)
class Load:
    """The load: a client, what it counts, and when it is over (`time.monotonic`)."""

    client: Client
    until_s: float
    tally: Tally = field(default_factory=Tally)
    polls: Counter[int] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)

    async def drive(self, number: int, token: str) -> None:
        """Send five pings a second, of a van that goes to and fro."""
        phone = Phone(self.client.session, self.client.url, token, self.tally, random.Random(number))
        each = PINGS_A_SECOND // VANS
        await asyncio.sleep(number / VANS)
        while time.monotonic() < self.until_s:
            began_s, now_ms = time.monotonic(), round(time.time() * 1000)
            pings = [self._ping(number, now_ms - 1000 + 1000 * (one + 1) // each) for one in range(each)]
            await phone.send(pings)
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began_s)))

    def _ping(self, number: int, at_ms: int) -> SentPing:
        share = (1 - math.cos(2 * math.pi * at_ms / 1000 / _ROUND_TRIP_S)) / 2
        lon = round(-74.0 + share * STOPS * 0.002, 6)
        return SentPing(time=at_ms, lat=4.0 + number * 0.01, lon=lon, accuracy_m=5.0, speed_mps=8.0)

    async def poll(self, links: Sequence[str]) -> None:
        """Ask for one tracking page after the other."""
        for link in itertools.cycle(links):
            if time.monotonic() > self.until_s:
                return
            began_s = time.monotonic()
            with suppress(aiohttp.ClientError, TimeoutError):
                async with self.client.session.get(f"{self.client.url}/v1/track/{link}") as response:
                    await response.read()
                    self.polls[response.status] += 1
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - began_s)))

    async def listen(self, link: str) -> None:
        """Keep a stream open, again whenever it ends."""
        endless = aiohttp.ClientTimeout(total=None, sock_read=120)
        while time.monotonic() < self.until_s:
            with suppress(aiohttp.ClientError, TimeoutError):
                url = f"{self.client.url}/v1/track/{link}/stream"
                async with self.client.session.get(url, timeout=endless) as response:
                    self.streams["opened"] += 1
                    async for _ in response.content:
                        self.streams["lines"] += 1
                        if time.monotonic() > self.until_s:
                            return
            await asyncio.sleep(1)


async def soak(up: Child, url: str, data: Path, minutes: float) -> tuple[Load, Mapping[str, Course]]:
    """Load a product for so long; give what was counted and measured."""
    await up.ready(url)
    courses: dict[str, Course] = {}
    key = (data / "admin.key").read_text().strip()
    async with Client(url, key, connections=VANS + POLLS_A_SECOND + STREAMS + 20) as client:
        tokens, links = [], []
        for number in range(VANS):
            _, _, token = await enlist(client, f"van-{number}", "Ana")
            put = await client.ask("PUT", f"/v1/routes/tour-{number}", body=route(number, datetime.now(UTC)))
            tokens.append(token)
            links += [stop["tracking_url"].rpartition("/")[2] for stop in put["stops"][:3]]
        load = Load(client, time.monotonic() + minutes * 60)
        works = [load.drive(number, token) for number, token in enumerate(tokens)]
        works += [load.poll(links[one::POLLS_A_SECOND]) for one in range(POLLS_A_SECOND)]
        works += [load.listen(links[one % len(links)]) for one in range(STREAMS)]
        db = await asyncpg.connect(dsn_of(data / "postgres"))
        loading = asyncio.create_task(together(works))
        while not (await asyncio.wait({loading}, timeout=minutes * 60 / _SAMPLES))[0]:
            await sample(up, db, courses)
        await loading
        await db.close()
    return load, courses


def main() -> int:
    """Soak; give 1 when anything grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="(%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reparto-soak-") as folder:
        listen, data = f"127.0.0.1:{free_port()}", Path(folder, "data")
        settings = {"REPARTO_LISTEN": listen, "REPARTO_DATA_DIR": str(data)}
        up = Child("up", settings=settings, log=Path(folder, "up.log"))
        try:
            load, courses = asyncio.run(soak(up, f"http://{listen}", data, args.minutes))
        finally:
            with suppress(CannotRun):
                up.stop()
    print(*load.tally.lines(), f"polls: {dict(load.polls)}; streams: {dict(load.streams)}", sep="\n")
    print(f"{'':<44} {'at first':>12} {'in the middle':>12} {'at last':>12}")
    small = {name for name, course in courses.items() if course.unit == "KiB" and max(course.values) < SLACK["KiB"]}
    for name, course in courses.items():
        if name not in small:
            print(course.line(name))
    print(f"{len(small)} tables and indexes stay below 1 MiB")
    growing = [name for name, course in courses.items() if course.grows()]
    print(f"grows: {', '.join(growing) or 'nothing'}")
    return 1 if growing else 0


if __name__ == "__main__":
    raise SystemExit(main())
