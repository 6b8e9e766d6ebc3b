"""Planning in a process of its own: one question at a time, ended at once when nobody waits for the answer any more."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from typing import Self

import msgspec

from geo.tours.check import Checked, check
from geo.tours.problem import Nonsense, TourAnswer, TourProblem, VanTour, require_sense
from work.planning.protocol import FRAME, Engine, Found, PlanAsked, PlannerFailed, Sign, decode_said, encode

GRACE_S = 15.0
"""How long after its time limit a planner may still take to say what it found."""

ENDING_S = 2.0
"""How long a process that says nothing any more may take to end by itself."""

PLAN_BYTES = 4 << 30
"""Address space of one planner; 1,000 stops take a tenth of it."""

MODULES = {"pyvrp": "pyvrp", "vroom": "vroom"}
"""What each engine is installed as."""


class PlannerProcess:
    """A process that plans; is started when it is asked, and again when it fell."""

    def __init__(self) -> None:
        self._running: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def started(cls, *warm: Engine) -> AsyncIterator[Self]:
        """Start one, with engines ready; it ends with the block."""
        process = cls()
        try:
            if warm:
                await process._start(*warm)
            yield process
        finally:
            await process.end()

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return self._running.pid if self._running else None

    async def ask(self, asked: PlanAsked, hear: Callable[[Sign], None] = lambda _: None) -> TourAnswer:
        """Ask; `hear` is told how far it is. Cancelling ends the process at once.

        Raises:
            PlannerFailed: it fell, was ended, took too long, or refuses; a sentence says which.
        """
        async with self._turn:
            running = self._running if self._running and self._running.returncode is None else await self._start()
            try:
                async with asyncio.timeout(asked.limit_s + GRACE_S):
                    return await _ask(running, asked, hear)
            except TimeoutError as error:
                await self.end()
                raise PlannerFailed(f"it did not end within {asked.limit_s + GRACE_S:g} s") from error
            except (EOFError, OSError, msgspec.DecodeError) as error:
                code = await self._ended()
                raise PlannerFailed(f"its process was ended ({_words(code)})") from error
            except BaseException:
                await self.end()  # its answer would be taken for that of the next question
                raise

    async def _start(self, *warm: str) -> asyncio.subprocess.Process:
        await self.end()
        own_packages = [] if os.getcwd() in sys.path else ["-P"]  # no folder that happens to be called `api`
        self._running = await asyncio.create_subprocess_exec(
            *(sys.executable, *own_packages, "-m", "work.planning.child", *warm),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal is for us
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        )
        return self._running

    async def _ended(self) -> int | None:
        """Tell how a process ended that says nothing any more; one that only closed its output is ended."""
        running = self._running
        if running is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(ENDING_S):  # to kill it now would take its code from whoever waits for it
                    await running.wait()
        await self.end()
        return running.returncode if running else None

    async def end(self) -> None:
        """End the process, whatever it does; it writes nothing that could be half."""
        running, self._running = self._running, None
        if running is None:
            return
        with suppress(ProcessLookupError):
            running.kill()
        assert running.stdin is not None
        running.stdin.close()
        await running.communicate()


async def _ask(running: asyncio.subprocess.Process, asked: PlanAsked, hear: Callable[[Sign], None]) -> TourAnswer:
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(encode(asked))
    await running.stdin.drain()
    while True:
        (size,) = FRAME.unpack(await running.stdout.readexactly(FRAME.size))
        said = decode_said(await running.stdout.readexactly(size))
        if isinstance(said, Found):
            return said.answer
        if not isinstance(said, Sign):
            raise PlannerFailed(said.why)
        hear(said)


def _words(code: int | None) -> str:
    if code is None:
        return "it is not known why"
    if code == -signal.SIGKILL:
        return "signal 9: by hand, or because the machine had no memory left"
    return f"signal {-code}" if code < 0 else f"code {code}"


def engine_for(problem: TourProblem) -> Engine:
    """Choose who is asked: PyVRP, and VROOM for what it cannot.

    Raises:
        PlannerFailed: the one that can is not installed.
    """
    engine: Engine = "pyvrp" if _plain(problem) else "vroom"
    require_installed(engine)
    return engine


def require_installed(engine: Engine) -> None:
    """Raise PlannerFailed, with how to install it, unless an engine is there."""
    if find_spec(MODULES[engine]) is None:
        raise PlannerFailed(f"{MODULES[engine]} is not installed: pip install 'reparto[plan]'")


def _plain(problem: TourProblem) -> bool:
    paired = {job.after for job in problem.jobs if job.after is not None}
    return not any(vehicle.breaks for vehicle in problem.vehicles) and all(
        len(job.windows) <= 1 and not job.ready_s
        for row, job in enumerate(problem.jobs)
        if job.after is not None or row in paired
    )


async def plan(
    problem: TourProblem,
    planner: PlannerProcess,
    *,
    limit_s: float,
    seed: int = 1,
    patience: int | None = None,
    start: Sequence[VanTour] = (),
    hear: Callable[[Sign], None] = lambda _: None,
) -> tuple[TourAnswer, Checked]:
    """Find tours and have them checked. What the checker refuses is no answer.

    Args:
        start: tours that are there, for an engine that can begin with some.

    Raises:
        PlannerFailed: there are no tours that hold; a sentence says why.
    """
    try:
        require_sense(problem)
    except Nonsense as error:
        raise PlannerFailed(str(error)) from error
    asked = PlanAsked(
        problem=problem,
        engine=engine_for(problem),
        limit_s=limit_s,
        seed=seed,
        patience=patience,
        memory_bytes=PLAN_BYTES,
        start=tuple(start),
    )
    answer = await planner.ask(asked, hear)
    return answer, check(problem, answer.tours)
