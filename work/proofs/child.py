"""Pictures are unpacked here: `python -m work.proofs.child`. Files come in, what is shown of them goes out, in frames.

A file is a stranger's, and its reader is C: here it takes no more memory and time than was said, or falls, and nobody
else notices. The process ends when nothing is asked for a while, and when its standard input does: with whoever started
it, however that ended.
"""

import os
import resource
import select
import struct
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from work.proofs.images import LONGEST_PX, RefusedFile, ShownFile, judge, media_type_of
from work.proofs.room import BYTES_OF_ALL, COPIES, cost_of

FRAME = struct.Struct("!I")
"""Before each message: how many bytes it has."""

_IDLE_S = 60.0


class PictureAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the file in the next frame; see `images.judge`.

    Attributes:
        least_bytes: of memory, beside what its header says.
        most_s: of a processor, about.
    """

    kind: str
    max_pixels: int
    timezone: str
    now: datetime
    least_bytes: int
    most_s: float


class PictureNeeds(msgspec.Struct, frozen=True, tag=True):
    """So many bytes it takes to unpack it. It is begun when an empty frame says that there is room."""

    size: int


class PictureShown(msgspec.Struct, frozen=True, tag=True):
    """What is shown of it."""

    file: ShownFile


class PictureRefused(msgspec.Struct, frozen=True, tag=True):
    """It is no proof, and why; `file`: what can be shown of it all the same."""

    why: str
    file: ShownFile | None = None


PictureSaid: TypeAlias = PictureNeeds | PictureShown | PictureRefused


def main() -> None:
    """Look into files until nobody asks any more."""
    questions = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 (for as long as the process lives)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a reader prints must not come between the answers
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a picture is nobody's but its driver's
    base_bytes = _address_space()
    while select.select([questions], [], [], _IDLE_S)[0] and (asked := read_frame(questions)) is not None:
        content = read_frame(questions)
        if content is None:
            return
        look = msgspec.msgpack.decode(asked, type=PictureAsked)
        said: PictureSaid | None
        try:
            said = _looked(look, content, base_bytes, questions, answers)
        except MemoryError:
            said = PictureRefused("too-costly")
        except RefusedFile as refused:
            said = PictureRefused(refused.why, refused.shown)
        if said is None:
            return
        _say(answers, said)
        del content, said


def _looked(
    look: PictureAsked, content: bytes, base_bytes: int, questions: BinaryIO, answers: BinaryIO
) -> PictureShown | None:
    """Look into a file within its memory and time; None when nobody waits for it any more."""
    ours = base_bytes + look.least_bytes + COPIES * len(content)
    _limit(ours, look.most_s)
    needs = cost_of(content, media_type_of(content), draft_px=LONGEST_PX)
    if needs > BYTES_OF_ALL * look.max_pixels:
        raise RefusedFile("too-many-pixels")
    _say(answers, PictureNeeds(needs))
    if read_frame(questions) is None:
        return None
    _limit(ours + needs, look.most_s)
    return PictureShown(
        judge(look.kind, content, max_pixels=look.max_pixels, zone=ZoneInfo(look.timezone), now=look.now)
    )


def _limit(address_space: int, most_s: float) -> None:
    until_s = int(time.process_time() + most_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until_s, resource.RLIM_INFINITY))
    if sys.platform == "linux":  # elsewhere nobody holds to it
        resource.setrlimit(resource.RLIMIT_AS, (address_space, resource.RLIM_INFINITY))


def _address_space() -> int:
    """Tell what this process has of it, bytes; 0 where nobody tells."""
    said = Path("/proc/self/statm")
    return int(said.read_text().split()[0]) * resource.getpagesize() if said.exists() else 0


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read what comes next; None at the end."""
    head = _read(stream, FRAME.size)
    return None if head is None else _read(stream, *FRAME.unpack(head))


def _read(stream: BinaryIO, size: int) -> bytes | None:
    content = bytearray(size)
    left = memoryview(content)
    while left:
        come = stream.readinto(left)  # type: ignore[attr-defined]  # of a file without a buffer
        if not come:
            return None
        left = left[come:]
    return bytes(content)


def _say(answers: BinaryIO, said: PictureSaid) -> None:
    body = msgspec.msgpack.encode(said)
    answers.write(FRAME.pack(len(body)))
    answers.write(body)
    answers.flush()


if __name__ == "__main__":
    main()
