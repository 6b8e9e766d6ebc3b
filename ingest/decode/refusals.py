"""Why a ping is refused to the phone. Explained to users in docs/reference/refusals.md, checked by a test."""

from collections.abc import Mapping
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


SENTENCES: Mapping[Refusal, str] = {
    Refusal.NOT_AN_OBJECT: "The ping is not an object with fields.",
    Refusal.TIME_MISSING: "There is no `time`.",
    Refusal.TIME_UNREADABLE: "`time` is neither RFC 3339 text nor whole milliseconds since 1970.",
    Refusal.TIME_WITHOUT_ZONE: "`time` does not say its zone: end it with `Z` or an offset such as `-06:00`.",
    Refusal.TIME_TOO_OLD: "`time` is older than REPARTO_OLDEST_PING_DAYS. Are these seconds, not milliseconds?",
    Refusal.TIME_TOO_FAR_AHEAD: "`time` is more than 24 hours in the future.",
    Refusal.LAT_MISSING: "There is no `lat`.",
    Refusal.LAT_NOT_A_NUMBER: "`lat` is not a number.",
    Refusal.LAT_OUT_OF_RANGE: "`lat` is not between -90 and 90 degrees.",
    Refusal.LON_MISSING: "There is no `lon`.",
    Refusal.LON_NOT_A_NUMBER: "`lon` is not a number.",
    Refusal.LON_OUT_OF_RANGE: "`lon` is not between -180 and 180 degrees.",
    Refusal.BODY_UNREADABLE: "The message cannot be read, or holds nothing that its app is known to send.",
    Refusal.FIX_INVALID: "The phone itself says that the place is not valid.",
}
"""Each reason in a sentence that a person understands."""


class Rejected(msgspec.Struct, frozen=True):
    """A ping that was refused: its place in what was sent, and the word for why."""

    index: int
    why: str
