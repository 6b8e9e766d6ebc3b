"""A product of real processes, and what stands between them: networks, a disk and clocks that can be made bad.

`reparto up` keeps its own Postgres. One more process of each role works on it too, through a network of ours.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from reparto.child import Child, free_port
from reparto.postgres.ending import command_of, pid_file
from reparto.postgres.place import PORT, ServerPlace
from tests.acceptance.network import Network, bad_network

UP = "up"
ROLES = ("ingest", "api", "track", "work")
SERVERS = (UP, "ingest", "api")
READY_S = 120.0

_DISK_BYTES = 768 * 1024**2
_LEFT_BYTES = 64 * 1024
_FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")
_LOOK_EVERY_S = 0.1
_RESTARTS_AFTER_S = 1.0
"""Of what ended by itself: it found no Postgres, and does not at once."""


@contextmanager
def disk_of_its_own(folder: Path) -> Iterator[bool]:
    """Put a small disk in place of a folder for the block, where root may; tell whether it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={_DISK_BYTES}"
    command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    is_there = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield is_there
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


@dataclass(slots=True)
class World:
    """The product under chaos.

    Attributes:
        folder: logs and clocks.
        data_dir: what the product keeps.
        networks: by what they lead to: `database` (of the roles, not of `up`), and each of `SERVERS`.
        why_not: faults that this machine cannot have, and why.
        ended: how often a process ended by itself, by its name.
    """

    folder: Path
    data_dir: Path
    networks: dict[str, Network]
    ports: dict[str, int]
    why_not: dict[str, str]
    settings: dict[str, str]
    children: dict[str, Child] = field(default_factory=dict)
    ended: Counter[str] = field(default_factory=Counter)
    _killed: set[int] = field(default_factory=set)

    @property
    def place(self) -> ServerPlace:
        return ServerPlace(data_dir=(self.data_dir / "postgres").resolve())

    @property
    def key(self) -> str:
        return (self.data_dir / "admin.key").read_text().strip()

    def url(self, name: str) -> str:
        """Where one of `SERVERS` listens, without a bad network before it."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def start(self, name: str) -> None:
        """Start a process; its clock is right at first."""
        self.set_clock(name, 0)
        settings = {"REPARTO_DATA_DIR": str(self.data_dir), **self.settings}
        if name in self.ports:
            settings["REPARTO_LISTEN"] = f"127.0.0.1:{self.ports[name]}"
        if name != UP:
            at = f"127.0.0.1:{self.networks['database'].port}"
            settings["REPARTO_DATABASE_URL"] = f"postgresql://reparto@{at}/reparto?sslmode=disable"
        if name != UP and "clock" not in self.why_not:  # under faketime 0.9.10 `time.sleep`, which `up` needs, fails
            settings |= {
                "LD_PRELOAD": str(_FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(self._clock(name)),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        self.children[name] = Child(name, settings=settings, log=self.folder / f"{name}.log")

    def set_clock(self, name: str, ahead_s: int) -> None:
        """Put the clock of a process, and of those it started, so far ahead. Postgres's is always right."""
        new = self._clock(name).with_suffix(".new")
        new.write_text(f"{ahead_s:+d}\n")
        new.replace(self._clock(name))

    def _clock(self, name: str) -> Path:
        return self.folder / f"{name}.clock"

    def pids(self, name: str) -> list[int]:
        """The process of a role; `tracker` is the one that `up` started, `postgres` the server with its backends.

        Empty: it does not run now.
        """
        if name == "tracker":
            return [pid for pid in children_of(self.children[UP].pid) if "track" in command_of(pid)]
        if name in ("postgres", "backend"):
            lines = pid_file(self.place)
            server = int(lines[0]) if lines and lines[0].isdecimal() else 0
            if not server or "postgres" not in " ".join(command_of(server)):
                return []
            return [server, *children_of(server)] if name == "postgres" else children_of(server)
        child = self.children[name]
        return [child.pid] if child.exit_code is None else []

    def kill(self, name: str, pids: list[int]) -> bool:
        """Kill the first of some processes; tell whether there was one."""
        if not pids:
            return False
        self._killed.add(pids[0])
        with suppress(ProcessLookupError):
            os.kill(pids[0], signal.SIGKILL)
        return True

    def fill_disk(self) -> None:
        """Leave no room on the disk."""
        free = shutil.disk_usage(self.data_dir).free
        if free > _LEFT_BYTES:
            with (self.data_dir / "filler").open("ab") as filler, suppress(OSError):
                os.posix_fallocate(filler.fileno(), filler.tell(), free - _LEFT_BYTES)

    def free_disk(self) -> None:
        """Leave room again."""
        (self.data_dir / "filler").unlink(missing_ok=True)

    async def keep(self) -> None:
        """Start again what ended, as whatever runs services does, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for name, child in list(self.children.items()):
                if child.exit_code is None:
                    continue
                if child.pid not in self._killed:
                    self.ended[name] += 1
                    await asyncio.sleep(_RESTARTS_AFTER_S)
                self.start(name)

    async def calm(self) -> None:
        """Heal everything, and wait until every server is ready.

        Raises:
            TimeoutError: one is not.
        """
        self.free_disk()
        for network in self.networks.values():
            network.flow()
        for name in ROLES:
            self.set_clock(name, 0)
        async with asyncio.timeout(READY_S), aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for name in SERVERS:
                while not await _is_ready(session, self.url(name)):
                    await asyncio.sleep(_LOOK_EVERY_S)


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/health/ready") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


@asynccontextmanager
async def living(folder: Path, *, has_disk: bool, settings: dict[str, str]) -> AsyncIterator[World]:
    """Run the product for the block; nothing of it survives.

    Args:
        folder: with `disk` in it, where the product's data are.
        has_disk: that is a small disk of its own.
        settings: REPARTO_* of all processes.
    """
    data_dir = folder / "disk" / "data"
    why_not = {} if has_disk else {"disk": "only root may make a small disk, where mount(8) works"}
    if not _FAKETIME.exists():
        why_not["clock"] = "faketime is not installed: apt-get install faketime"
    ports = {name: free_port() for name in SERVERS}
    async with AsyncExitStack() as stack:
        networks = {name: await stack.enter_async_context(bad_network(port)) for name, port in ports.items()}
        world = World(folder, data_dir, networks, ports, why_not, settings)
        place = world.place
        socket = (place.link or place.cluster) / f".s.PGSQL.{PORT}"
        networks["database"] = await stack.enter_async_context(bad_network(socket))
        keeping: asyncio.Task[None] | None = None
        try:
            world.start(UP)
            await world.children[UP].ready(world.url(UP))
            for name in ROLES:
                world.start(name)
            keeping = asyncio.create_task(world.keep())
            await world.calm()
            yield world
        finally:
            if keeping is not None:
                keeping.cancel()
            for name in (*ROLES, UP):
                if name in world.children:
                    for pid in world.pids(name):
                        os.kill(pid, signal.SIGCONT)
                    await asyncio.to_thread(_end, world.children[name])


def _end(child: Child) -> None:
    with suppress(Exception):
        child.stop()


def children_of(pid: int) -> list[int]:
    """Give the processes that a process started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found
