"""The drivers whose ETAs are told: those who were folded in this take."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from geo.pings import Bools, Ints, Rows, picked
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

    def rows_at(self, which: Ints) -> Self:
        """Pick some."""
        some = which.tolist()
        return type(self)(
            lanes=self.lanes[which],
            accounts=self.accounts[which],
            tracks=picked(self.tracks, which),
            timelines=[self.timelines[i] for i in some],
            plans=[self.plans[i] for i in some],
            caught_up=self.caught_up[which],
            seen=self.seen[which],
            shown=[self.shown[i] for i in some],
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Van:
    """One of them."""

    lane: int
    account_id: int
    track: np.void
    plan: Plan | None
