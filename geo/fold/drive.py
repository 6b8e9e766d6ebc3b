"""The part of the fold that goes step by step: the tour, fix by fix, and what drivers say in between."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.fold.in_force import InForce
from geo.fold.moments import Diary
from geo.fold.numbers import AT_ONCE
from geo.fold.results import Results
from geo.fold.shown import show_fixes, show_next
from geo.fold.steps import Steps
from geo.fold.turns import Turns
from geo.pings import Bools, Ints, Rows
from geo.plan.plans import Timeline
from geo.trust.fixes import Fixes


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """What came of some fixes and claims.

    Attributes:
        judged: (f,) of dtype `JUDGED`, of each fix.
        diary: what was said and what happened.
    """

    judged: Rows
    diary: Diary


def drive(tracks: Rows, was: Rows, fixes: Fixes, timelines: Sequence[Timeline], settles: Bools) -> Driven:
    """Fold all fixes, the k-th of all drivers at a time, and the claims between them; writes into `tracks`.

    Args:
        tracks: (m,) to be moved on; their position is that of the last ping already.
        was: (m,) the same with the position before.
        settles: (m,) whose claims after their last ping are folded too.
    """
    diary, results = Diary(), Results(fixes)
    in_force = InForce(tracks, timelines, diary)
    turns = Turns(tracks, was, fixes, timelines, in_force, diary)
    steps = Steps(tracks, results, in_force, diary)
    count = np.diff(fixes.starts)
    for k in range(int(count.max(initial=0))):
        vans = np.flatnonzero(count > k)
        which = fixes.starts[vans] + k
        _take_turns(turns, results, vans, which)
        for name in ("route_id", "route_version"):
            results.rows[name][which] = tracks[name][vans]
        driving = np.flatnonzero(in_force.planned[vans])
        for begin in range(0, len(driving), AT_ONCE):
            some = driving[begin : begin + AT_ONCE]
            steps.fold(vans[some], which[some])
    judged = results.judged()
    show_fixes(tracks, results, judged, in_force.planned)
    changed = count > 0
    for van in turns.next_claim:
        changed[van] |= turns.end(van, settles=bool(settles[van]))
    show_next(tracks, np.flatnonzero(changed), in_force.plans, steps.step)
    return Driven(judged, diary)


def _take_turns(turns: Turns, results: Results, vans: Ints, which: Ints) -> None:
    """Put those whose plan may have changed, or who said something, on their plans, and their fixes on its plane."""
    due = turns.due(vans, which)
    if not len(due):
        return
    turns.come_to(vans[due], which[due])
    on = due[turns.in_force.planned[vans[due]]]
    results.project(which[on], results.fixes.starts[vans[on] + 1], turns.in_force.plans_of(vans[on]))
