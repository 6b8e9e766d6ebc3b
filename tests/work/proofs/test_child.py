"""Whatever a file does to its reader, it does to a process of its own: within memory and time that are written down."""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from tests.api.proofs.pictures import PDF, photo
from tests.work.proofs.test_room import NOW, UTC, bomb
from work.proofs import pictures as processes
from work.proofs import room
from work.proofs.images import RefusedFile, ShownFile
from work.proofs.pictures import PictureLost, Pictures
from work.proofs.store import IMAGE_WORKERS

_NEVER_ENDS = """
from work.proofs import child


def judge(*_, **__):
    while True:
        pass


child.judge = judge
child.main()
"""

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the limits and /proc are Linux's")


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    """With processes of its own."""
    made = Pictures()
    yield made
    made.end()


def look(pictures: Pictures, content: bytes, *, kind: str = "photo", max_pixels: int = 100_000_000) -> ShownFile:
    return pictures.judge(kind, content, max_pixels=max_pixels, zone=UTC, now=NOW)


def why(pictures: Pictures, content: bytes, **options: int) -> str:
    with pytest.raises(RefusedFile) as refused:
        look(pictures, content, **options)
    return refused.value.why


def pids(pictures: Pictures) -> list[int]:
    return [process.pid for process in pictures._idle]


def test_files_one_after_the_other_are_looked_into_by_one_process(pictures: Pictures) -> None:
    first = look(pictures, photo())
    before = pids(pictures)
    assert (first.width_px, first.is_whole) == (800, True)
    assert first == look(pictures, photo())
    assert why(pictures, b"no photo") == "not-a-photo"
    assert look(pictures, PDF, kind="document").served == PDF
    assert pids(pictures) == before
    assert len(before) == 1


def test_one_that_went_for_want_of_work_is_started_again(pictures: Pictures) -> None:
    look(pictures, photo())
    for pid in pids(pictures):
        os.kill(pid, signal.SIGKILL)
    assert look(pictures, photo()).width_px == 800


def test_a_file_whose_process_is_ended_again_and_again_may_be_asked_again(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = processes._heard

    def killed(process: "processes.subprocess.Popen[bytes]") -> "processes.PictureSaid":
        process.kill()
        return heard(process)

    with monkeypatch.context() as patched:
        patched.setattr(processes, "_heard", killed)
        with pytest.raises(PictureLost):
            look(pictures, photo())
    assert look(pictures, photo()).width_px == 800


def test_one_that_hangs_is_ended(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    look(pictures, photo())
    monkeypatch.setattr(processes, "_HUNG_S", 0.3)
    monkeypatch.setattr(processes, "_TRIES", 1)
    for pid in pids(pictures):
        os.kill(pid, signal.SIGSTOP)
    with pytest.raises(PictureLost):
        look(pictures, photo())


@on_linux
def test_what_takes_more_memory_than_its_header_says_is_refused(
    pictures: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LEAST_BYTES", 2**20)
    assert why(pictures, photo(2_000, 1_500)) == "too-costly"
    monkeypatch.undo()
    assert look(pictures, photo(2_000, 1_500)).width_px == 2_000


@on_linux
def test_what_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a reader that never ends: how long any file takes is the machine's."""
    started, pictures = processes.subprocess.Popen, Pictures()
    with monkeypatch.context() as patched:
        patched.setattr(processes, "MOST_S", 0.0)
        patched.setattr(
            processes.subprocess, "Popen", lambda _, **options: started([sys.executable, "-c", _NEVER_ENDS], **options)
        )
        assert why(pictures, photo()) == "too-costly"
    assert look(pictures, photo()).width_px == 800
    pictures.end()


@on_linux
def test_bombs_at_once_take_no_more_than_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    most_pixels, content, done = 14_000_000, bomb(3_000, 3_000), threading.Event()
    started, peak, made = processes._started, 0, []

    def noted() -> "processes.subprocess.Popen[bytes]":
        made.append(started())
        return made[-1]

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, sum(_rss_bytes(process.pid) for process in made))

    monkeypatch.setattr(processes, "_started", noted)
    pictures, watcher = Pictures(), threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(IMAGE_WORKERS) as threads:
        shown = [threads.submit(look, pictures, content, max_pixels=most_pixels) for _ in range(4)]
    done.set()
    watcher.join()
    pictures.end()
    assert [one.result().width_px for one in shown] == [2_048] * 4
    assert peak <= room.most_bytes(IMAGE_WORKERS, max_pixels=most_pixels, max_file_bytes=len(content))


def test_a_webp_that_takes_more_than_all_may_is_refused_unread(pictures: Pictures) -> None:
    file = io.BytesIO()
    Image.new("RGB", (1_000, 700)).save(file, "WEBP", lossless=True)
    assert why(pictures, file.getvalue(), max_pixels=1_000_000) == "too-many-pixels"
    assert look(pictures, file.getvalue(), max_pixels=1_500_000).width_px == 1_000


def _rss_bytes(pid: int) -> int:
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
