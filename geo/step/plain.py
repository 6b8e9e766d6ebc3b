"""The step in NumPy: what it is, and what runs where nothing could be compiled."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints, Rows
from geo.plan.plans import Plan, places_at
from geo.snap import snap
from geo.step.doors import StopsLeft, doors_of
from geo.step.stepped import Stepped
from geo.trust.fixes import Here
from geo.visits import tour
from geo.visits.standing import look, stand


class Plain:
    """The step of m drivers; as `geo.step.stepped.FixStep`."""

    def __init__(self, m: int) -> None:
        self._left = StopsLeft(m)

    def __call__(self, vans: Ints, snap_: Rows, standing: Rows, visits: NDArray[np.uint8], here: Here) -> Stepped:
        """Fold one fix each."""
        stands = stand(standing, here)
        doors, open_stops = doors_of(stands, visits, here), self._left.of(vans, here.plans, visits)
        memory, snapped = snap.step(snap_, here, doors, open_stops)
        stood = look(stands, visits, here, snapped.along_m)
        return Stepped(snap=memory, standing=stands.memory, snapped=snapped, stood=stood)

    def next_stops(
        self, _vans: Ints, plans: Sequence[Plan], visits: NDArray[np.uint8], going: Rows
    ) -> tuple[Ints, Floats]:
        """Find next stops."""
        found, late_s = np.zeros(len(plans), np.int64), np.full(len(plans), np.nan)
        for i, (plan, mine, one) in enumerate(zip(plans, visits, going, strict=True)):
            along_m, ms, arrived_ms, last, at_stop, worded = one.tolist()
            row = tour.next_row(plan, mine, last, along_m, worded=worded)
            at = tour.rows_here(mine) if at_stop else ()
            found[i] = plan.stop_ids[row] if row < len(plan.stop_ids) else 0
            late_s[i] = tour.delay_s(plan, row, along_m, ms, at=at, arrived_ms=arrived_ms)
        return found, late_s

    def places_at(self, _vans: Ints, plans: Sequence[Plan], along_m: Floats) -> tuple[Floats, Floats]:
        """Find places on paths."""
        return places_at(plans, along_m)
