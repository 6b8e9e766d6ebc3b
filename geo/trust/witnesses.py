"""Whether a phone can be where it says: against where it was, and against what else speaks for the new place.

A place that cannot have been reached is suspected. It is believed after all when fixes that saw for themselves agree:
the same cached place sent again is the first witness once more, and a place that many fixes spoke for takes one more to
be given up.
"""

import math
from enum import Enum
from typing import Any

from geo.numbers import BELIEVED_MPS
from geo.pings import UNKNOWN_MS
from geo.trust.numbers import ESTABLISHED, JUMP_SLACK_M, SAME_FIX_M, SAME_FIX_MS


class Verdict(Enum):
    """What becomes of a fix."""

    BELIEVED = 1  # it follows from where the phone was
    AGREED = 2  # and so is the suspect before it, after all
    DOUBTED = 3  # it is the suspect now
    SAME_AGAIN = 4  # doubted, and only what the suspect said before


class Place:
    """A believed or suspected fix: when, where in space (metres, `geo.shape.plane.in_space`), how sure."""

    __slots__ = ("accuracy_m", "at_ms", "spot")

    def __init__(self, at_ms: int, spot: list[float], accuracy_m: float) -> None:
        self.at_ms, self.spot, self.accuracy_m = at_ms, spot, accuracy_m

    def is_at(self, other: "Place") -> bool:
        """Tell whether the two may be one place, given twice."""
        return math.dist(self.spot, other.spot) < SAME_FIX_M

    def reachable_from(self, other: "Place") -> bool:
        """Tell whether a van can have come here from there."""
        apart_m = math.dist(self.spot, other.spot)
        return bool(possible(apart_m, self.at_ms, other.at_ms, self.accuracy_m, other.accuracy_m))


class Witnesses:
    """What speaks for the place of one phone, fix by fix."""

    __slots__ = ("agreeing", "believed", "in_a_row", "suspect")

    def __init__(self, *, believed: Place, suspect: Place | None, in_a_row: int, agreeing: int) -> None:
        """Take up what is known.

        Args:
            believed: the newest believed place; its at_ms UNKNOWN_MS: none yet.
            suspect: the last one that could not be reached from there; None: none.
            in_a_row: fixes believed one after the other, up to ESTABLISHED.
            agreeing: fixes that agree on the suspect.
        """
        self.believed, self.suspect, self.in_a_row, self.agreeing = believed, suspect, in_a_row, agreeing

    def hear(self, place: Place) -> Verdict:
        """Judge the next fix."""
        suspect = self.suspect
        if self.believed.at_ms == UNKNOWN_MS or place.reachable_from(self.believed):
            self._believe(place, min(self.in_a_row + 1, ESTABLISHED))
            return Verdict.BELIEVED
        if suspect is not None and place.reachable_from(suspect):
            stays = place.is_at(suspect)
            if stays and place.at_ms - suspect.at_ms < SAME_FIX_MS:
                return Verdict.SAME_AGAIN
            self.agreeing += 1
            if stays or self.agreeing > 1 + (self.in_a_row >= ESTABLISHED):
                self._believe(place, min(self.agreeing, ESTABLISHED))
                return Verdict.AGREED
        else:
            self.agreeing = 1
        self.suspect = place
        return Verdict.DOUBTED

    def _believe(self, place: Place, in_a_row: int) -> None:
        self.believed, self.suspect, self.in_a_row, self.agreeing = place, None, in_a_row, 0


def possible(apart_m: Any, ms: Any, from_ms: Any, accuracy_m: Any, from_accuracy_m: Any) -> Any:
    """Tell whether a van can have come so far in the time: bools for columns, a bool for one pair of fixes."""
    return apart_m - (accuracy_m + from_accuracy_m) - JUMP_SLACK_M <= BELIEVED_MPS * ((ms - from_ms) / 1000)
