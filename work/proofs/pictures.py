"""Files are looked into in processes of their own (`work.proofs.child`), one file at a time in each. For threads."""

import atexit
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from work.away import Away
from work.proofs.child import FRAME, PictureAsked, PictureNeeds, PictureRefused, PictureSaid, PictureShown, read_frame
from work.proofs.images import RefusedFile, ShownFile, judge
from work.proofs.room import BYTES_OF_ALL, LEAST_BYTES, MOST_S, PictureRoom
from work.proofs.unpack import TooManyPixels

log = logging.getLogger(__name__)

_HUNG_S = 120.0  # whatever it waits for: its time of a processor has ended it long before
_TRIES = 2  # it may have gone for want of work just when it was asked
_OUT_OF_TIME = 24  # SIGXCPU


class PictureLost(Away):
    """The process that looked into a file ended before it told what it saw."""

    def __init__(self) -> None:
        super().__init__("This file could not be looked into now; it is kept. Please try again.")


class _FellError(Exception):
    """A process ended. `code`: how, as `subprocess.Popen` tells it."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Pictures:
    """Looks into files; a process for each thread that asks, started when there is none."""

    def __init__(self) -> None:
        self._room = PictureRoom()
        self._idle: list[subprocess.Popen[bytes]] = []

    def judge(self, kind: str, content: bytes, *, max_pixels: int, zone: ZoneInfo, now: datetime) -> ShownFile:
        """Look into an upload and make what is shown of it: `images.judge`, within memory and time of its own.

        Raises:
            RefusedFile: it is something else, damaged, too large, or takes too much to look into.
            PictureLost: it may be asked again.
        """
        if kind == "document":
            return judge(kind, content, max_pixels=max_pixels, zone=zone, now=now)
        look = PictureAsked(
            kind=kind,
            max_pixels=max_pixels,
            timezone=zone.key,
            now=now,
            least_bytes=LEAST_BYTES,
            most_s=MOST_S,
        )
        for _ in range(_TRIES):
            try:
                said = self._ask(look, content)
            except TooManyPixels:
                raise RefusedFile("too-many-pixels") from None
            except _FellError as fell:
                log.warning("the process that looked into a file of %d bytes ended (%s)", len(content), fell.code)
                if fell.code == -_OUT_OF_TIME:
                    raise RefusedFile("too-costly") from fell
                continue
            if isinstance(said, PictureRefused):
                raise RefusedFile(said.why, said.file)
            assert isinstance(said, PictureShown)
            return said.file
        raise PictureLost

    def _ask(self, look: PictureAsked, content: bytes) -> PictureSaid:
        with self._process() as process:
            with _not_hung(process):
                _send(process, msgspec.msgpack.encode(look))
                _send(process, content)
                said = _heard(process)
            if not isinstance(said, PictureNeeds):
                return said
            with self._room.held(said.size, BYTES_OF_ALL * look.max_pixels), _not_hung(process):
                _send(process, b"")
                return _heard(process)

    @contextmanager
    def _process(self) -> Iterator[subprocess.Popen[bytes]]:
        """Have a process during the block; it stays for the next file unless something goes wrong."""
        process = self._waiting() or _started()
        try:
            yield process
        except BaseException:
            _end(process)
            raise
        self._idle.append(process)

    def _waiting(self) -> subprocess.Popen[bytes] | None:
        while True:
            try:
                process = self._idle.pop()
            except IndexError:
                return None
            if process.poll() is None:
                return process
            _end(process)

    def end(self) -> None:
        """End the processes that have nothing to do."""
        while (process := self._waiting()) is not None:
            _end(process)


PICTURES = Pictures()
"""Those of this process."""

atexit.register(PICTURES.end)


def _started() -> subprocess.Popen[bytes]:
    own_packages = [] if os.getcwd() in sys.path else ["-P"]  # no folder that happens to be called `api`
    return subprocess.Popen(  # noqa: S603 (this very program)
        [sys.executable, *own_packages, "-m", "work.proofs.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,  # Ctrl-C in a terminal is for us
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )


@contextmanager
def _not_hung(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process that does not answer."""
    timer = threading.Timer(_HUNG_S, process.kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _send(process: subprocess.Popen[bytes], body: bytes) -> None:
    assert process.stdin is not None
    try:
        for part in (FRAME.pack(len(body)), body):
            left = memoryview(part)
            while left:
                left = left[os.write(process.stdin.fileno(), left) :]
    except OSError:
        raise _FellError(_end(process)) from None


def _heard(process: subprocess.Popen[bytes]) -> PictureSaid:
    stream: BinaryIO | None = process.stdout  # type: ignore[assignment]
    assert stream is not None
    body = read_frame(stream)
    if body is None:
        raise _FellError(_end(process))
    said: PictureSaid = msgspec.msgpack.decode(body, type=PictureSaid)
    return said


def _end(process: subprocess.Popen[bytes]) -> int | None:
    """End a process, and tell how it ended."""
    process.kill()  # of no effect on one that has ended
    code = process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    return code
