"""An engine in a process of its own (`work.roads.child`): one question at a time, started again when it falls."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

import msgspec

from work.roads.answer import RoadAnswer
from work.roads.child import FRAME
from work.roads.engine import Question
from work.roads.protocol import RoadsAway

log = logging.getLogger(__name__)

OPEN_S, ANSWER_S = 120.0, 60.0
"""How long an engine may take to open the data of a country, and to answer."""


class EngineProcess:
    """An engine in a process of its own. `at_most`: as many places as a route or a detour can have."""

    at_most = 100_000

    def __init__(self, engine: str, folder: Path, *, answer_s: float = ANSWER_S) -> None:
        self._engine = engine
        self._folder = folder
        self._answer_s = answer_s
        self._running: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def on(cls, engine: str, folder: Path, *, answer_s: float = ANSWER_S) -> AsyncIterator[Self]:
        """Start an engine on the data in a folder; it ends with the block.

        Raises:
            RoadsAway: it cannot be opened.
        """
        process = cls(engine, folder, answer_s=answer_s)
        try:
            await process._start()
            yield process
        finally:
            await process._end()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return self._running.pid if self._running else None

    async def ask(self, question: Question) -> RoadAnswer:
        """Ask the engine; see `Asked`. It waits until its turn has come."""
        async with self._turn:
            running = self._running if self._running and self._running.returncode is None else await self._start()
            try:
                async with asyncio.timeout(self._answer_s):
                    return await _ask(running, msgspec.msgpack.encode(question))
            except TimeoutError as error:
                raise await self._given_up(f"it did not answer within {self._answer_s:g} s") from error
            except (EOFError, OSError, msgspec.DecodeError) as error:
                raise await self._given_up("it fell") from error
            except BaseException:
                await self._end()  # its answer would be taken for that of the next question
                raise

    async def _start(self) -> asyncio.subprocess.Process:
        await self._end()
        own_packages = [] if os.getcwd() in sys.path else ["-P"]  # no folder that happens to be called `api`
        running = self._running = await asyncio.create_subprocess_exec(
            *(sys.executable, *own_packages, "-m", "work.roads.child", self._engine, str(self._folder)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # an engine's own words may hold coordinates
            start_new_session=True,  # Ctrl-C in a terminal is for us
        )
        try:
            async with asyncio.timeout(OPEN_S):
                opened = await _read(running)
        except (TimeoutError, EOFError, OSError, msgspec.DecodeError) as error:
            raise await self._given_up("it does not start") from error
        if opened.code != "Ok":
            raise await self._given_up(f"it cannot open {self._folder} ({opened.message})")
        return running

    async def _given_up(self, why: str) -> RoadsAway:
        log.warning("the road engine %s is ended: %s", self._engine, why)
        await self._end()
        return RoadsAway(f"the road engine {self._engine} failed: {why}")

    async def _end(self) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        with suppress(ProcessLookupError):
            running.kill()  # it writes nothing
        assert running.stdin is not None
        running.stdin.close()
        await running.communicate()


async def _ask(running: asyncio.subprocess.Process, body: bytes) -> RoadAnswer:
    assert running.stdin is not None
    running.stdin.write(FRAME.pack(len(body)) + body)
    await running.stdin.drain()
    return await _read(running)


async def _read(running: asyncio.subprocess.Process) -> RoadAnswer:
    assert running.stdout is not None
    (size,) = FRAME.unpack(await running.stdout.readexactly(FRAME.size))
    return msgspec.msgpack.decode(await running.stdout.readexactly(size), type=RoadAnswer)
