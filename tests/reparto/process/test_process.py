"""The life of a process: what runs beside it ends with it, what dies is started again, what does not end is killed."""

import asyncio
import logging
import sys
from pathlib import Path

import pytest

from reparto.process.process import alongside, keep_running, stopped_within

PYTHON = [sys.executable, "-c"]


def started(file: Path) -> int:
    return len(file.read_text().splitlines()) if file.exists() else 0


async def until(file: Path, times: int) -> None:
    async with asyncio.timeout(60):
        while started(file) < times:
            await asyncio.sleep(0.02)


async def test_work_beside_a_block_is_asked_to_stop_when_the_block_ends() -> None:
    steps = []

    async def work(stop: asyncio.Event) -> None:
        await stop.wait()
        steps.append("work ended")

    async with alongside(work):
        steps.append("block")
    steps.append("after")
    assert steps == ["block", "work ended", "after"]


async def test_nothing_goes_on_half_when_the_work_fails() -> None:
    async def fails(stop: asyncio.Event) -> None:
        raise ValueError("broken")

    with pytest.raises(ExceptionGroup) as raised:
        async with alongside(fails):
            await asyncio.sleep(60)
    assert raised.group_contains(ValueError, match="broken")


async def test_waiting_ends_when_told_to_stop() -> None:
    stop = asyncio.Event()
    assert await stopped_within(stop, 0.01) is False
    stop.set()
    assert await stopped_within(stop, 3600) is True


async def test_a_child_that_dies_is_started_again_and_a_stopped_one_ends(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, stop = tmp_path / "starts", asyncio.Event()
    program = f"open({str(file)!r}, 'a').write('x\\n'); import sys; sys.exit(3)"
    running = asyncio.create_task(keep_running([*PYTHON, program], {}, stop=stop, patience_s=30))
    await until(file, 3)
    stop.set()
    await asyncio.wait_for(running, 60)
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) >= 2
    assert "ended with code 3" in said[0].getMessage()


async def test_a_child_that_does_not_end_is_killed(tmp_path: Path) -> None:
    file, stop = tmp_path / "starts", asyncio.Event()
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(file)!r}, 'a').write('x\\n'); time.sleep(600)"
    )
    running = asyncio.create_task(keep_running([*PYTHON, program], {}, stop=stop, patience_s=0.2))
    await until(file, 1)
    stop.set()
    await asyncio.wait_for(running, 60)
    assert started(file) == 1
