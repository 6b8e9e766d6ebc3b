"""What goes between the product and the process that plans: a question, signs of life, an answer; in frames."""

import struct
from typing import Any, BinaryIO, Literal, TypeAlias

import msgspec
import numpy as np
from msgspec import Struct

from geo.tours.problem import Matrix, TourAnswer, TourProblem, VanTour

FRAME = struct.Struct("!I")
"""Before each message: how many bytes it has."""

MOST_BYTES = 1 << 30
"""Of one message: two matrices of 5,000 places fit."""

Engine: TypeAlias = Literal["pyvrp", "vroom"]


class PlanAsked(Struct, frozen=True, kw_only=True):
    """A question.

    Attributes:
        engine: who is asked.
        limit_s: seconds of clock time that may be used.
        patience: rounds without a better answer after which it ends early; None: never.
        memory_bytes: the process may take no more; None: whatever there is.
        start: tours to begin with; empty: from nothing.
    """

    problem: TourProblem
    engine: Engine = "pyvrp"
    limit_s: float = 30.0
    seed: int = 1
    patience: int | None = None
    memory_bytes: int | None = None
    start: tuple[VanTour, ...] = ()


class Sign(Struct, frozen=True, kw_only=True, tag="sign"):
    """It lives, and is so far: part of the time limit, cost of the best so far (None: none that holds yet)."""

    progress: float
    cost: int | None


class Found(Struct, frozen=True, kw_only=True, tag="found"):
    """It is done."""

    answer: TourAnswer


class PlanRefused(Struct, frozen=True, kw_only=True, tag="refused"):
    """It cannot; a sentence says why."""

    why: str


Said: TypeAlias = Sign | Found | PlanRefused


class PlannerFailed(Exception):  # noqa: N818 (it reads better where it is raised)
    """There is no answer; the text follows "The planner failed: "."""


def encode(message: Any) -> bytes:
    """Write a message with its frame."""
    body = msgspec.msgpack.encode(message, enc_hook=to_plain)
    return FRAME.pack(len(body)) + body


def decode_asked(body: bytes) -> PlanAsked:
    """Read a question; raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(body, type=PlanAsked, dec_hook=from_plain)


def decode_said(body: bytes) -> Said:
    """Read an answer; raises msgspec.DecodeError."""
    return msgspec.msgpack.decode(body, type=Said)


def read_frame(stream: BinaryIO) -> bytes | None:
    """Read one message; None at the end of the stream."""
    head = stream.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    body = stream.read(*FRAME.unpack(head))
    return body if len(body) == FRAME.unpack(head)[0] else None


def to_plain(value: Any) -> Any:
    """Write what msgspec does not know: a matrix."""
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "bytes": np.ascontiguousarray(value, "<i8").tobytes()}
    raise NotImplementedError(type(value))


def from_plain(kind: type, value: Any) -> Any:
    """Read it."""
    # the only kind that msgspec does not know is Matrix
    matrix: Matrix = np.frombuffer(value["bytes"], "<i8").astype(np.int64).reshape(value["shape"])
    return matrix
