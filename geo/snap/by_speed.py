"""Where a van is told to be when its fix is vague: between there and where its speed leads from the place told last."""

from collections.abc import Sequence

import numpy as np

from geo.numbers import SLOW_MPS
from geo.pings import Floats, Rows
from geo.plan.plans import Plan, places_at
from geo.snap.likelihood import Fix
from geo.snap.numbers import EVIDENCE_S, SHARP_M, SPEED_ERRORS, SPEED_MPS, SPEED_PART


def told_at(
    memory: Rows, plans: Sequence[Plan], fix: Fix, told_mps: Floats, place_m: tuple[Floats, Floats, Floats]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Place each of n vans between its fix and its way, as much nearer to one as the other is vaguer.

    Errors of fixes last while what a speed says adds up, so that a burst of errors among houses is driven through. The
    driver walks about with the phone: slower than SLOW_MPS the van stands.

    Args:
        memory: (n,) of dtype `geo.snap.snap.SNAP`, after the fix before.
        plans: (n) of whom.
        fix: (n,) the fixes.
        told_mps: (n,) speeds that phones told; NaN: none.
        place_m: (n,) each: along_m, x_m and y_m of the place on the path that is likeliest for the fix alone.

    Returns:
        (n,) each: along_m, x_m, y_m, and how far off along_m may be, metres, squared.

    Source: the Kalman filter of a place along a line, whose noise forgets itself after EVIDENCE_S.
    """
    along_m, x_m, y_m = place_m
    before_mps, here_mps = (np.where(mps < SLOW_MPS, 0.0, mps) for mps in (memory["speed_mps"], told_mps))
    mean_mps = (before_mps.astype(np.float64) + here_mps) / 2
    led_m = memory["along_m"] + mean_mps * fix.seconds
    unsure_mps = SPEED_PART * mean_mps + SPEED_MPS
    led_m2 = memory["told_m2"] + unsure_mps * unsure_mps * (fix.seconds * np.maximum(fix.seconds, EVIDENCE_S))
    fix_m2 = fix.error_m * fix.error_m
    led = (fix.error_m > SHARP_M) & (np.abs(along_m - led_m) <= SPEED_ERRORS * fix.error_m)
    rows = np.flatnonzero(led & (led_m2 > 0))
    if not len(rows):
        return along_m, x_m, y_m, fix_m2
    share = np.ones(len(along_m))
    weight = led_m2[rows] * fix.full[rows]
    share[rows] = weight / (weight + fix_m2[rows] - SHARP_M * SHARP_M)
    mine = [plans[row] for row in rows.tolist()]
    ends_m = np.minimum(led_m[rows], np.array([plan.length_m for plan in mine]))
    along_m, x_m, y_m = along_m.copy(), x_m.copy(), y_m.copy()
    along_m[rows] = ends_m + share[rows] * (along_m[rows] - ends_m)
    x_m[rows], y_m[rows] = places_at(mine, along_m[rows])
    return along_m, x_m, y_m, np.where(share < 1, (1 - share) * led_m2, fix_m2)
