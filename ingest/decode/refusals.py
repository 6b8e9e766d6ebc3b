"""What a decoder refuses, and why. Reasons are explained to users in docs/reference/refusals.md, checked by a test.

A decoder does not know who asks: each door says a refusal in the manner of its clients.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Refusal(IntEnum):
    """A reason; where several are true the first is told."""

    NOT_AN_OBJECT = 1
    TIME_MISSING = 2
    TIME_UNREADABLE = 3
    TIME_WITHOUT_ZONE = 4
    TIME_TOO_OLD = 5
    TIME_TOO_FAR_AHEAD = 6
    LAT_MISSING = 7
    LAT_NOT_A_NUMBER = 8
    LAT_OUT_OF_RANGE = 9
    LON_MISSING = 10
    LON_NOT_A_NUMBER = 11
    LON_OUT_OF_RANGE = 12
    BODY_UNREADABLE = 13
    FIX_INVALID = 14
    ENCRYPTED = 15

    @property
    def why(self) -> str:
        """The stable word for it: `lat-out-of-range`."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A ping that was refused.

    Attributes:
        index: its place in what was sent.
        why: the word for the reason.
        sent: what was sent for it, as it was read; bytes where the message is one ping and could not be taken apart.
    """

    index: int
    why: str
    sent: Any = field(repr=False, compare=False)


class Unreadable(Exception):  # noqa: N818 (a refusal, as phones are told it)
    """A message of which nothing can be used.

    Attributes:
        detail: what is wrong, for whoever wrote the phone's program.
        at: JSON pointer to the part that is wrong; None: it is not of the expected kind at all.
        why: what is wrong with that part; None as `at`.
    """

    def __init__(self, detail: str, *, at: str | None = None, why: str | None = None) -> None:
        super().__init__(detail)
        self.detail, self.at, self.why = detail, at, why


class TooMuch(Exception):  # noqa: N818 (as above)
    """A message of more pings than one may hold; nothing of it is used.

    Attributes:
        detail: how many there are and may be, for whoever wrote the phone's program.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
