"""How right tracking is about made-up tours."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from geo.pings import Bools, Floats, Ints, Pings, Rows
from geo.plan.facts import FactType
from geo.plan.plans import Plan, Timeline
from reparto.evaluate.answers import live
from tests.tours.tours import EVERY_S, Tour, kept_by

GROSS_M, NEAR_M, AMBIGUOUS_M = 150.0, 75.0, 20.0
"""Farther off along the path is grossly wrong; and the wrong pass, where the place told is so near to the true one.
A place is ambiguous where another pass of the path is so near."""

MATCHED_MS = -120_000, 240_000
"""A visit that was told is a true one when it begins (or ends) so long before or after it."""


LONG_MS = 60_000
"""Who was off the path, or on it, for a shorter time is not asked whether they came back."""


@dataclass(slots=True, eq=False)
class Measured:
    """What came of some tours.

    Attributes:
        error_m: along the path, at every fix that is scored.
        wrong_pass: of those in ambiguous places.
        arrived, departed: found, told and true ones.
        back_s: from when a van was on its path again to when it was told to be there; NaN: never before the next time.
    """

    error_m: list[float] = field(default_factory=list)
    wrong_pass: list[bool] = field(default_factory=list)
    arrived: list[int] = field(default_factory=lambda: [0, 0, 0])
    departed: list[int] = field(default_factory=lambda: [0, 0, 0])
    back_s: list[float] = field(default_factory=list)

    def add(self, other: "Measured") -> None:
        """Count other tours too."""
        self.error_m += other.error_m
        self.wrong_pass += other.wrong_pass
        self.back_s += other.back_s
        for mine, theirs in ((self.arrived, other.arrived), (self.departed, other.departed)):
            mine[:] = [a + b for a, b in zip(mine, theirs, strict=True)]

    @property
    def gross(self) -> float:
        """Give the part of the fixes that is grossly wrong; NaN without any."""
        return float(np.mean(~(np.array(self.error_m) <= GROSS_M))) if self.error_m else float("nan")

    def line(self) -> list[str]:
        """Write the figures that `HEADINGS` name."""
        back_s = np.nan_to_num(np.array(self.back_s), nan=np.inf)
        return [
            f"{100 * self.gross:.2f}",
            f"{np.percentile(self.error_m, 95):.0f}" if self.error_m else "–",
            f"{100 * np.mean(self.wrong_pass):.2f}" if self.wrong_pass else "–",
            *(
                f"{found / max(told, 1):.3f}/{found / max(true, 1):.3f}"
                for found, told, true in (self.arrived, self.departed)
            ),
            f"{np.quantile(back_s, 0.5, method='nearest'):.0f}/{np.quantile(back_s, 0.9, method='nearest'):.0f}"
            if len(back_s)
            else "–",
        ]


HEADINGS = ["gross %", "p95 m", "wrong pass %", "arrive P/R", "depart P/R", "back s"]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What live tracking said of a tour.

    Attributes:
        kept: of all its pings, those that were sent.
        along_m, off, visits: as in `live.Answers`, of those.
    """

    kept: Bools
    along_m: Floats
    off: Bools
    visits: Rows


def tracked(tours: Sequence[Tour], every_s: Sequence[int]) -> list[Told]:
    """Track tours as live tracking does, each thinned to so many seconds between fixes."""
    kept = [kept_by(tour.pings, seconds) for tour, seconds in zip(tours, every_s, strict=True)]
    pings = [tour.pings.rows_at(mine) for tour, mine in zip(tours, kept, strict=True)]
    for driver_id, some in enumerate(pings, 1):
        some.rows["driver_id"] = driver_id
    plans = [replace(tour.plan, driver_id=driver_id) for driver_id, tour in enumerate(tours, 1)]
    told = live.answer(Pings.concat(pings), [Timeline(driver_id=i, plans=(plan,)) for i, plan in enumerate(plans, 1)])
    cuts = np.cumsum([len(some) for some in pings])[:-1]
    columns = zip(kept, np.split(told.along_m, cuts), np.split(told.off, cuts), strict=True)
    return [Told(*mine, told.visits[told.visits["track"] == row]) for row, mine in enumerate(columns)]


def by_rate(tours: Sequence[Tour]) -> dict[int, list[Told]]:
    """Track each tour once for every number of seconds between fixes."""
    many = [(tour, seconds) for seconds in EVERY_S for tour in tours]
    told = tracked([tour for tour, _ in many], [seconds for _, seconds in many])
    return {seconds: told[k * len(tours) : (k + 1) * len(tours)] for k, seconds in enumerate(EVERY_S)}


def measured(tour: Tour, told: Told) -> Measured:
    """Hold what was said of a tour against the truth."""
    true_m, scored = tour.along_m[told.kept], tour.scored[told.kept]
    error_m = np.abs(told.along_m - true_m)
    apart_m = np.hypot(*(_places(tour.plan, told.along_m) - _places(tour.plan, true_m)).T)
    wrong_pass = ~(error_m <= GROSS_M) & (apart_m <= NEAR_M)
    found = Measured(
        error_m=np.nan_to_num(error_m[scored], nan=np.inf).tolist(),
        wrong_pass=wrong_pass[scored & _ambiguous(tour.plan, true_m)].tolist(),
        back_s=_back_s(tour.left, tour.pings.rows["recorded_ms"][told.kept], error_m, told.off),
    )
    kinds = (1, FactType.STOP_ARRIVED, found.arrived), (2, FactType.STOP_DEPARTED, found.departed)
    for column, kind, counts in kinds:
        of_kind = told.visits[told.visits["type"] == kind]
        for stop, stop_id in list(enumerate(tour.plan.stop_ids.tolist()))[tour.depot :]:
            true_ms = tour.came[tour.came[:, 0] == stop, column]
            told_ms = of_kind["occurred_ms"][of_kind["stop_id"] == stop_id]
            for i, count in enumerate((_matched(true_ms, told_ms), len(told_ms), len(true_ms))):
                counts[i] += count
    return found


@dataclass(frozen=True, slots=True)
class Apart:
    """How far the same drive, sent more seldom, is told otherwise than at a fix a second.

    Attributes:
        places: part of the moments on the path at which both were asked, that are told more than GROSS_M apart.
        last_m: how far apart along the path the two are at the last moment at which both were asked.
        visits: stops that only one of them has, or has more often.
    """

    places: float
    last_m: float
    visits: tuple[int, ...]


def apart(tour: Tour, often: Told, seldom: Told) -> Apart:
    """Compare what was said of one drive that was sent often and seldom."""
    often_m, seldom_m = (np.full(len(tour.along_m), np.nan) for _ in range(2))
    often_m[often.kept], seldom_m[seldom.kept] = often.along_m, seldom.along_m
    shared = often.kept & seldom.kept
    last, both = np.flatnonzero(shared)[-1], shared & tour.scored
    counts = [
        np.bincount(told.visits["stop_id"][told.visits["type"] == FactType.STOP_ARRIVED], minlength=600)
        for told in (often, seldom)
    ]
    return Apart(
        places=float(np.mean(~(np.abs(often_m - seldom_m)[both] <= GROSS_M))),
        last_m=float(abs(often_m[last] - seldom_m[last])),
        visits=tuple(np.flatnonzero(counts[0] != counts[1]).tolist()),
    )


def _places(plan: Plan, along_m: Floats) -> Floats:
    """Find places along a path, (n, 2) metres; NaN where there is none."""
    xy_m = np.concatenate((plan.segments[:, :2], plan.segments[-1:, :2] + plan.segments[-1:, 2:4]))
    return np.column_stack([np.interp(along_m, plan.path_along_m, column) for column in xy_m.T])


def _ambiguous(plan: Plan, along_m: Floats) -> Bools:
    """Tell where another pass of the path is near."""
    every_m = np.arange(0, plan.length_m + 10, 10.0)
    xy_m = _places(plan, every_m)
    places = shapely.points(xy_m)
    one, other = shapely.STRtree(places).query(places, predicate="dwithin", distance=AMBIGUOUS_M)
    ambiguous = np.zeros(len(every_m), np.bool_)
    ambiguous[one[np.abs(every_m[one] - every_m[other]) > GROSS_M]] = True
    there: Bools = ambiguous[np.rint(np.nan_to_num(along_m) / 10).astype(np.int64)]
    return there


def _matched(true_ms: Ints, told_ms: Ints) -> int:
    """Count the visits that were found: each true one by one that was told, nearest first."""
    after_ms = told_ms[None] - true_ms[:, None]
    pairs = np.argwhere((after_ms >= MATCHED_MS[0]) & (after_ms <= MATCHED_MS[1])).tolist()
    true, told = set[int](), set[int]()
    for i, j in sorted(pairs, key=lambda pair: abs(int(after_ms[tuple(pair)]))):
        if i not in true and j not in told:
            true.add(i)
            told.add(j)
    return len(true)


def _back_s(left: Ints, ms: Ints, error_m: Floats, off: Bools) -> list[float]:
    """Tell how long it took to see that a van was back, each time that it left its path for a while."""
    found = []
    until_ms = [*left[1:, 0].tolist(), int(ms[-1])] if len(left) else []
    for (began_ms, back_ms), next_ms in zip(left.tolist(), until_ms, strict=True):
        if back_ms - began_ms < LONG_MS or next_ms - back_ms < LONG_MS:
            continue
        right = np.flatnonzero((ms >= back_ms) & (ms < next_ms) & ~off & (error_m <= GROSS_M))
        found.append((int(ms[right[0]]) - back_ms) / 1000 if len(right) else float("nan"))
    return found
