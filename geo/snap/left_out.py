"""What the stops behind a place say: the fewer of them nobody was at, the likelier the van is there."""

from dataclasses import dataclass

import numpy as np

from geo.pings import Bools, Floats, Ints
from geo.snap.numbers import LONGEST_MM, PAST_M


@dataclass(frozen=True, slots=True, eq=False)
class OpenStops:
    """How many stops of each of m tours are open before each: nobody was there, or said that there is nothing to do.

    Attributes:
        key: (s,) ascending, places of all stops along their paths, whole millimetres, those of the k-th tour after
            k * LONGEST_MM: whole numbers are the same in any batch.
        before: (s + m,) of each stop, and past the last one of each tour: how many open ones come before it.
        tours: (n,) the tour of each van.
    """

    key: Ints
    before: Ints
    tours: Ints

    def behind(self, van: Ints, along_m: Floats) -> Ints:
        """Count the open ones that lie behind (p,) places on paths, not only beside them; none behind NaN."""
        tour = self.tours[van]
        behind: Ints = self.before[self.key.searchsorted(keys_of(tour, np.fmax(along_m - PAST_M, 0.0))) + tour]
        return behind


def keys_of(tour: Ints, along_m: Floats) -> Ints:
    """Give places along the paths of tours as `OpenStops.key`."""
    return tour * LONGEST_MM + np.rint(along_m * 1000).astype(np.int64)


def weigh(weight: Floats, van: Ints, off: Bools, start_m: Floats, along_m: Floats, stops: OpenStops) -> Floats:
    """Weigh the places that hypotheses move to by how many open stops more or less would be left out there.

    Having left out n stops is (1 + n)^-1.5 as likely as none: who left out some leaves out more, and who serves nothing
    that is seen is judged by it no more. What counts is what the move adds, so that the same drive weighs the same in
    fewer fixes. Passes are weighed against each other: a van that passes a stop is on its path as likely as before.

    Args:
        weight: (p,) of each place.
        van: (p,) whose.
        off: (p,) the hypothesis off the path moves there: weighed against staying off.
        start_m: (p,) where that hypothesis was, or left the path; NaN: nobody knows, and nothing is weighed.
        along_m: (p,) the places.
    """
    was, is_now = stops.behind(van, start_m), stops.behind(van, along_m)
    passes = (is_now != was) & ~np.isnan(start_m)
    if not passes.any():
        return weight
    ratio = np.where(passes, (1 + was) / (1 + is_now), 1.0)
    weighed = weight * ratio * np.sqrt(ratio)
    before, after = (np.bincount(van, np.where(off, 0.0, each)) for each in (weight, weighed))
    kept = np.where(after > 0, before / np.where(after > 0, after, 1.0), 1.0)
    return np.where(off, 1.0, kept[van]) * weighed
