"""What comes of one fix each of some drivers, before what happened is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints, Rows
from geo.plan.plans import Plan
from geo.snap.snap import Snapped
from geo.trust.fixes import Here
from geo.visits.standing import Stood


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stepped:
    """What comes of one fix each of n drivers.

    Attributes:
        snap: (n,) of dtype `geo.snap.snap.SNAP`, what is remembered of the path.
        standing: (n,) of dtype `geo.visits.standing.STANDING`, what is remembered of stops.
        snapped: where they are.
        stood: who stood at a stop, and who has left one.
    """

    snap: Rows
    standing: Rows
    snapped: Snapped
    stood: Stood


class FixStep(Protocol):
    """Folds one fix each of drivers, of whom it may remember what it likes."""

    def __call__(self, vans: Ints, snap: Rows, standing: Rows, visits: NDArray[np.uint8], here: Here, /) -> Stepped:
        """Fold.

        Args:
            vans: (n,) which of the drivers.
            snap, standing: (n,) what is remembered of them. Not changed.
            visits: (n, MAX_STOPS) of each stop so far, as `geo.visits.tour` reads them. Not changed.
            here: the fixes.
        """
        ...

    def next_stops(
        self, vans: Ints, plans: Sequence[Plan], visits: NDArray[np.uint8], going: Rows, /
    ) -> tuple[Ints, Floats]:
        """Find the stops that drivers come to next, and how late they are.

        Args:
            vans, plans, visits: as above, of drivers on plans.
            going: (n,) of dtype `geo.step.told.GOING`.

        Returns:
            (n,) ids of the stops, 0 where none is left; (n,) seconds behind the plan, NaN where that cannot be told.
        """
        ...

    def places_at(self, vans: Ints, plans: Sequence[Plan], along_m: Floats, /) -> tuple[Floats, Floats]:
        """Find places on the paths of drivers of whom it folded a fix: as `geo.plan.plans.places_at`."""
        ...
