"""Why a ping is refused to the phone. Explained to users in docs/reference/refusals.md, checked by a test."""

from enum import IntEnum

import msgspec


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

    @property
    def why(self) -> str:
        """The stable word for it: `lat-out-of-range`."""
        return self.name.lower().replace("_", "-")


class Rejected(msgspec.Struct, frozen=True):
    """A ping that was refused: its place in what was sent, and the word for why."""

    index: int
    why: str
