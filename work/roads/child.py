"""The engine's own process: `python -m work.roads.child ENGINE FOLDER`. Questions come in, answers go out, in frames.

An engine is C++ that may hold Python's lock for seconds, or fall; here it does neither to the server that asks. The
process ends when its standard input does: with whoever started it, however that ended.
"""

import os
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from work.roads.answer import RoadAnswer
from work.roads.engine import Question

ENGINES = {"osrm": ("work.roads.osrm", "Osrm"), "valhalla": ("work.roads.valhalla", "Valhalla")}
"""Module and class of each engine: called with the folder of its data, it answers questions."""

FRAME = struct.Struct("!I")
"""Before each message: how many bytes it has."""


class Engine(Protocol):
    """What runs here; RuntimeError is a "no"."""

    def answer(self, question: Question) -> RoadAnswer:
        """Answer one question."""


def main(engine: str, folder: str) -> None:
    """Answer until nobody asks any more. The first frame says whether the engine could be opened."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the engine prints must not come between the answers
    try:
        opened = _open(engine, Path(folder))
    except Exception as error:
        _write(answers, RoadAnswer(code="Closed", message=f"{type(error).__name__}: {error}"))
        return
    _write(answers, RoadAnswer(code="Ok"))
    while (head := sys.stdin.buffer.read(FRAME.size)) and len(head) == FRAME.size:
        question = msgspec.msgpack.decode(sys.stdin.buffer.read(*FRAME.unpack(head)), type=Question)
        try:
            answer = opened.answer(question)
        except RuntimeError as refusal:
            answer = RoadAnswer(code="Refused", message=str(refusal))
        _write(answers, answer)


def _open(engine: str, folder: Path) -> Engine:
    module, name = ENGINES[engine]
    opened: Engine = getattr(import_module(module), name)(folder)
    return opened


def _write(answers: BinaryIO, answer: RoadAnswer) -> None:
    body = msgspec.msgpack.encode(answer)
    answers.write(FRAME.pack(len(body)) + body)
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
