"""The planner's own process: `python -m work.planning.child`. Questions come in, signs of life and answers go out.

An engine is C++ that may take all memory, hold Python's lock, or fall; here it does none of it to whoever asks. The
process ends when its standard input does: with whoever started it, however that ended.
"""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import BinaryIO, Protocol

import msgspec

from geo.tours.problem import Nonsense, TourAnswer, require_sense
from work.planning.protocol import Found, PlanAsked, PlanRefused, Sign, decode_asked, encode, read_frame

ENGINES = {"pyvrp": "work.planning.with_pyvrp", "vroom": "work.planning.with_vroom"}
"""Module of each engine; imported when it is first asked."""


_FULL = "it needs more memory than it may take"


class TourEngine(Protocol):
    """A module that finds tours."""

    def solve(self, asked: PlanAsked, say: Callable[[float, int | None], None], began_s: float) -> TourAnswer:
        """Search until the time is over."""


def main(*warm: str) -> None:
    """Answer until nobody asks any more; `warm` engines are imported before the first question."""
    _end_with_parent()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what an engine prints must not come between the answers
    for name in warm:
        import_module(ENGINES[name])
    while (body := read_frame(sys.stdin.buffer)) is not None:
        _say(answers, _answer(body, lambda part, cost: _say(answers, Sign(progress=part, cost=cost))))


def _end_with_parent() -> None:
    """End when whoever asks does, also in the middle of a search; where there is no prctl, at the search's end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _answer(body: bytes, say: Callable[[float, int | None], None]) -> Found | PlanRefused:
    began_s = time.monotonic()
    try:
        asked = decode_asked(body)
        if asked.memory_bytes is not None:
            resource.setrlimit(resource.RLIMIT_AS, (asked.memory_bytes, resource.RLIM_INFINITY))
        require_sense(asked.problem)
        engine: TourEngine = import_module(ENGINES[asked.engine])
        return Found(answer=engine.solve(asked, say, began_s))
    except MemoryError:
        return PlanRefused(why=_FULL)
    except Nonsense as error:
        return PlanRefused(why=str(error))
    except ImportError as error:  # without memory, a library cannot be mapped
        return PlanRefused(why=_FULL if "map segment" in str(error) else f"{type(error).__name__}: {error}")
    except (msgspec.DecodeError, ValueError, RuntimeError, TypeError, IndexError, KeyError) as error:
        return PlanRefused(why=f"{type(error).__name__}: {error}")


def _say(answers: BinaryIO, message: Found | PlanRefused | Sign) -> None:
    answers.write(encode(message))
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
