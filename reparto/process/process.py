"""The life of a process: it runs until it is asked to stop, ends in order, and leaves nothing behind."""

import asyncio
import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop

log = logging.getLogger(__name__)

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_FIRST_BACK_OFF_S, _LONGEST_BACK_OFF_S = 0.2, 10.0
_LONG_LIFE_S = 60.0  # a child that lived so long is started again at once

_GARBAGE = (50_000, 5, 5)
"""When Python looks for cycles: once there are so many more objects than at the last look, not 700. More are under way
at once, so that looks found nothing, and now and then went through all that is remembered of phones and drivers."""


def run_until_stopped(main: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run `main` in an event loop. SIGINT and SIGTERM set its event; a second Ctrl-C ends the process now.

    Call it in the main thread.
    """

    async def with_signals() -> None:
        stop = asyncio.Event()

        def ask(sign: signal.Signals) -> None:
            if stop.is_set() and sign is signal.SIGINT:
                os._exit(130)  # children end with us (end_with_parent); Postgres replays its log at the next start
            if not stop.is_set():
                log.info("stopping")
            stop.set()

        loop = asyncio.get_running_loop()
        for sign in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(sign, ask, sign)
        await main(stop)

    gc.set_threshold(*_GARBAGE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(with_signals())


@asynccontextmanager
async def alongside(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run `work` beside the block; when the block ends, set the event it was given and wait for it.

    If the work fails the block is cancelled: nothing goes on half.
    """
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work(stop))
        try:
            yield
        finally:
            stop.set()


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until `stop` is set, but not longer than that; tell whether it is."""
    try:
        async with asyncio.timeout(seconds):
            return await stop.wait()
    except TimeoutError:
        return False


async def keep_running(command: list[str], env: dict[str, str], *, stop: asyncio.Event, patience_s: float) -> None:
    """Run a command as a child until asked to stop; when it dies start it again, waiting longer each time.

    Args:
        command: is given `--parent` and our process id, so that it ends with us (`end_with_parent`).
        env: its whole environment.
        patience_s: how long it may take to end after SIGTERM; then it is killed.
    """
    name, back_off_s = command[-1], _FIRST_BACK_OFF_S
    while not stop.is_set():
        started_s = time.monotonic()
        try:
            child = await asyncio.create_subprocess_exec(
                *command,
                "--parent",
                str(os.getpid()),
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in a terminal is for us; we stop it when its turn comes
            )
        except OSError as error:  # no memory, no process left: it may have them in a while
            log.error("%s cannot be started (%s) and is tried again", name, error.strerror)
            await stopped_within(stop, back_off_s)
            back_off_s = min(2 * back_off_s, _LONGEST_BACK_OFF_S)
            continue
        try:
            await _ended_or_stopped(child, stop)
        finally:
            await _end(child, patience_s)
        if stop.is_set():
            return
        if time.monotonic() - started_s > _LONG_LIFE_S:
            back_off_s = _FIRST_BACK_OFF_S
        log.error("%s (process %d) ended with code %s and is started again", name, child.pid, child.returncode)
        await stopped_within(stop, back_off_s)
        back_off_s = min(2 * back_off_s, _LONGEST_BACK_OFF_S)


async def _ended_or_stopped(child: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(child.wait()), asyncio.ensure_future(stop.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


async def _end(child: asyncio.subprocess.Process, patience_s: float) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(patience_s):
            await child.wait()
    except TimeoutError:
        log.error("process %d did not end within %.0f s and is killed", child.pid, patience_s)
        child.kill()
        await child.wait()


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends, however that ends. Call it early, in the main thread."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    else:
        threading.Thread(target=_watch, args=(parent,), name="parent", daemon=True).start()
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
