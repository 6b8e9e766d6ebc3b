"""One driver at the border of one geofence: in, out, or nothing but jitter."""

import math
from dataclasses import dataclass

from geo.numbers import BELIEVED_MPS, SLOW_MPS
from geo.plan.numbers import (
    CLEARLY_M,
    CLEARLY_OUT_M,
    CLEARLY_PART,
    JITTER_FIXES,
    JITTER_M,
    OUTS,
    SCATTERS,
    STANDS_FAR_M,
    STANDS_MOVED_M,
    STANDS_OUT_MS,
)


@dataclass(frozen=True, slots=True)
class AtBorder:
    """One fix.

    Attributes:
        row: in the columns.
        ms, lon, lat: when and where.
        accuracy_m: how sure.
        speed_mps: as the phone says; NaN: it does not.
        from_ms: when the fix before was.
        way: the straight way back to that, degrees east and north; None: there is none.
        moved_m: how long that is; infinite where there is none.
    """

    row: int
    ms: int
    lon: float
    lat: float
    accuracy_m: float
    speed_mps: float
    from_ms: int
    way: tuple[float, float] | None
    moved_m: float

    @property
    def clearly_m(self) -> float:
        """So deep inside a fence it is so at once."""
        return max(CLEARLY_M, CLEARLY_PART * self.accuracy_m)

    @property
    def drives(self) -> bool:
        """Whether the phone says so."""
        return SLOW_MPS < self.speed_mps <= BELIEVED_MPS

    @property
    def stands(self) -> bool:
        """Whether the phone says so; one that says nothing may do either."""
        return self.speed_mps <= SLOW_MPS

    @property
    def moved(self) -> bool:
        """Whether it came here from the fix before, and did not only jitter."""
        if self.stands:
            return self.moved_m > STANDS_MOVED_M
        return self.drives or self.moved_m > 2 * max(CLEARLY_M, self.accuracy_m) + CLEARLY_OUT_M


@dataclass(slots=True)
class Border:
    """What is remembered of a driver in a fence: as in `geo.plan.fence.FENCE_VISIT`."""

    entered_ms: int
    inside_ms: int
    outs: int
    sure: bool
    dwelled: bool
    seen: int = 0
    mean_m: float = 0.0
    scatter_m2: float = 0.0

    def look(self, fix: AtBorder, out_m: float) -> bool:
        """Take a fix; tell whether the driver has left.

        Who drives has with two fixes outside. Who stands, or does not say, has not before the fixes are farther outside
        than they jitter, for a minute, or at once by so much that the van must have moved.

        Args:
            out_m: how far outside the fence it is; negative inside.
        """
        if out_m <= 0:
            self.inside_ms, self.outs = fix.ms, 0
            self._measure(fix, out_m)
            return False
        margin_m = self._margin_m(fix)
        if fix.drives or out_m > margin_m:
            self.outs = min(self.outs + 1, 255)
        if not self.sure:
            return True
        self._measure(fix, out_m)
        if fix.drives:
            return self.outs >= OUTS or out_m > fix.clearly_m + CLEARLY_OUT_M
        lasts = self.outs >= OUTS and out_m > margin_m and fix.ms - self.inside_ms >= STANDS_OUT_MS
        return lasts or out_m > margin_m + (STANDS_FAR_M if fix.stands else CLEARLY_OUT_M)

    def _margin_m(self, fix: AtBorder) -> float:
        """Tell how far fixes here jitter: what the phone says, or what was seen, whichever is more."""
        scatter_m = SCATTERS * math.sqrt(self.scatter_m2) if self.seen >= JITTER_FIXES[0] else 0.0
        return max(CLEARLY_M, min(max(fix.accuracy_m, scatter_m), JITTER_M))

    def _measure(self, fix: AtBorder, out_m: float) -> None:
        """Learn how far the distances of a standing phone scatter."""
        if fix.drives:
            self.seen, self.mean_m, self.scatter_m2 = 0, 0.0, 0.0
        elif math.isfinite(out_m):
            self.seen = min(self.seen + 1, JITTER_FIXES[1])
            off_m = out_m - self.mean_m if self.seen > 1 else 0.0
            self.mean_m = self.mean_m + off_m / self.seen if self.seen > 1 else out_m
            self.scatter_m2 += (off_m * off_m - self.scatter_m2) / self.seen
