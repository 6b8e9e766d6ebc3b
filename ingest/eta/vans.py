"""The drivers whose ETAs are told: those who were folded in this take."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.pings import Bools, Ints, Rows
from geo.plan.plans import Plan, Timeline
from ingest.drivers.shown import Shown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vans:
    """The drivers who were folded, by driver_id ascending; every column has one entry a driver.

    Attributes:
        tracks: of dtype `geo.fold.fold.TRACK`, as they are now.
        plans: what each drives; None: nothing.
        caught_up: nothing of them waits to be folded.
        seen: something happened that who looks at the ETA sees too.
        shown: what others were told of their ETAs before.
    """

    lanes: Ints
    accounts: Ints
    tracks: Rows
    timelines: Sequence[Timeline]
    plans: Sequence[Plan | None]
    caught_up: Bools
    seen: Bools
    shown: Sequence[Shown]

    def __len__(self) -> int:
        return len(self.tracks)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Van:
    """One of them."""

    lane: int
    account_id: int
    track: np.void
    plan: Plan | None
