"""Where on its path a van is, and whether it is on it at all: several hypotheses, weighed against each other.

On a delivery tour much of the path runs beside itself: out and back, round the block, twice along the main road. Which
pass a van is on cannot be read off one fix, so every pass that may be it is a hypothesis: a place along the path and a
weight. A fix moves each hypothesis to the places it may have driven to, and weighs how well they explain the fix. One
more hypothesis says that the van has left the path, and remembers where; from it the van may come back anywhere.

Source: a forward filter over the places nearest to each fix, as in Newson and Krumm (2009), "Hidden Markov Map Matching
Through Noise and Sparseness", with the path instead of a road network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.fold.numbers import (
    AHEAD_M,
    ANYWHERE,
    APART_M,
    BACK_AT,
    BACK_M,
    BEHIND_M,
    BEST_M,
    BEYOND_M,
    DETOUR,
    DETOUR_M,
    DETOUR_MPS,
    DOUBT_AT,
    EVIDENCE_S,
    FAR_COST,
    FAST_MPS,
    HEADING_MPS,
    HYPOTHESES,
    LEAST_WEIGHT,
    LEAVE_AT_MOST,
    LEAVE_M,
    NEAR_GAIN,
    OFF_AT,
    OPTIMISM,
    OVER_ERROR,
    OVER_M,
    OVER_MOVED,
    PACE_S,
    RETURN_AHEAD_M,
    RETURN_AT_MOST,
    RETURN_BEHIND_M,
    RETURN_S,
    ROUNDS,
    SEARCH_AT,
    SURE_AT,
    TOLD_MPS,
    TOLD_PART,
    TURN,
    TURN_FREE,
    TURN_ROUND_S,
    UNDER_ERROR,
    UNDER_M,
    UNDER_MOVED,
    UNTOLD_MPS,
    VAN_M,
    WALK_M,
)
from geo.numbers import BELIEVED_MPS, REACH_MPS, SLOW_MPS, UNSAID_TO_SNAP_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows
from geo.plan.numbers import BIN_M
from geo.plan.plans import ALONG, DX, DY, INVERSE, LENGTH, Plan, X, Y, windows
from geo.shape import plane

SNAP = np.dtype(
    [
        (
            "on",
            [
                ("weight", "<f4"),  # 0: no hypothesis
                ("x_m", "<f4"),  # the place on the plan's plane
                ("y_m", "<f4"),
                ("along_m", "<f8"),
            ],
            (HYPOTHESES,),
        ),
        ("off_weight", "<f4"),  # of being off the path; all weights sum to 1
        ("left_m", "<f8"),  # where the path was left, or is likely to be entered
        ("ms", "<i8"),  # when; UNKNOWN_MS: no fix yet
        ("doubt_ms", "<i8"),  # since when it is likelier than not that the path was left; UNKNOWN_MS: it is not
        ("off", "?"),
        ("fix_x_m", "<f4"),  # the last fix
        ("fix_y_m", "<f4"),
        ("east_mps", "<f4"),  # how it moves, smoothed over PACE_S
        ("north_mps", "<f4"),
        ("along_m", "<f8"),  # the last place on the path that was told; NaN: none yet
        ("path_x_m", "<f8"),
        ("path_y_m", "<f8"),
    ]
)
"""What snapping remembers of a driver on a plan."""


def fresh(n: int, hint_m: float = 0.0) -> Rows:
    """Make the memory of drivers who begin a path, most likely at `hint_m` along it."""
    memory = np.zeros(n, SNAP)
    memory["along_m"] = np.nan
    memory["off_weight"], memory["left_m"] = 1.0, hint_m
    memory["ms"] = memory["doubt_ms"] = UNKNOWN_MS
    return memory


@dataclass(frozen=True, slots=True, eq=False)
class Snapped:
    """Where n drivers are on their paths.

    Attributes:
        along_m: (n,) metres along the path; NaN off the route.
        offset_m: (n,) of the fix from the path, metres, left positive; NaN off the route.
        x_m, y_m: (n,) the place on the path, on the plan's plane; NaN off the route.
        along_sd_m: (n,) how far the hypotheses are spread along the path, metres; NaN where there is none.
        on_route_p: (n,) probability of being on the route.
        on_route: (n,) bool.
        went_off, came_back: (n,) bool: this fix decided it.
        off_ms: (n,) when the spell off the route began; only for those two.
    """

    along_m: Floats
    offset_m: Floats
    x_m: Floats
    y_m: Floats
    along_sd_m: Floats
    on_route_p: Floats
    on_route: Bools
    went_off: Bools
    came_back: Bools
    off_ms: Ints


def step(
    memory: Rows, plans: Sequence[Plan],
    ms: Ints, x_m: Floats, y_m: Floats, accuracy_m: Floats, speed_mps: Floats, heading_deg: Floats,
) -> tuple[Rows, Snapped]:  # fmt: skip
    """Snap one fix each of n drivers.

    Args:
        memory: (n,) of dtype `SNAP`. Not changed.
        plans: (n) whose path.
        ms: (n,) when, never before the fix before.
        x_m, y_m: (n,) where, metres on the plan's plane.
        accuracy_m, speed_mps, heading_deg: (n,) NaN where the phone did not say.

    Returns:
        The new memory, and the places.
    """
    new = memory.copy()
    began = memory["ms"] == UNKNOWN_MS
    seconds = np.where(began, 0.0, (ms - memory["ms"]) / 1000)
    told_mps = np.where(speed_mps <= BELIEVED_MPS, speed_mps, np.nan)
    pace_mps = _pace(new, began, seconds, x_m, y_m)
    east, north, turn = _bearing(new, pace_mps, told_mps, heading_deg)
    pace_mps = np.where(np.isnan(told_mps), pace_mps, told_mps)
    error_m = OPTIMISM * np.clip(np.where(np.isnan(accuracy_m), UNSAID_TO_SNAP_M, accuracy_m), BEST_M, VAGUEST_M)
    sigma_m = np.sqrt(error_m * error_m + np.where(pace_mps < SLOW_MPS, WALK_M, VAN_M) ** 2)

    # every hypothesis on the path looks around itself; the one off it, where it may matter, looks everywhere
    on, off = memory["on"], memory["off_weight"].astype(np.float64)
    van, which = np.nonzero(on["weight"] > 0)
    searching = np.flatnonzero(began | (off > SEARCH_AT))
    van, which = np.append(van, searching), np.append(which, np.full(len(searching), -1))
    places = _places(
        [plans[row] for row in van.tolist()],
        _From(
            anywhere=which < 0,
            along_m=np.where(which < 0, memory["left_m"][van], on["along_m"][van, which]),
            x_m=on["x_m"][van, which].astype(np.float64),
            y_m=on["y_m"][van, which].astype(np.float64),
        ),
        _Fix(
            seconds=seconds[van], full=np.where(began, 1.0, np.minimum(seconds / EVIDENCE_S, 1.0))[van],
            x_m=x_m[van], y_m=y_m[van], error_m=error_m[van], sigma_m=sigma_m[van],
            vague_mps=np.where(np.isnan(told_mps), UNTOLD_MPS, TOLD_PART * told_mps + TOLD_MPS)[van],
            east=east[van], north=north[van], turn=turn[van],
        ),
    )  # fmt: skip

    # what each hypothesis gives to each place
    leave = np.where(began, 0.0, np.clip(pace_mps * seconds / LEAVE_M, LEAST_WEIGHT, LEAVE_AT_MOST))
    back = np.where(began, RETURN_AT_MOST, np.minimum(seconds / RETURN_S, RETURN_AT_MOST))
    stayed = off * (1 - back) + leave * (1 - off)
    given = np.where(which < 0, off[van] * back[van], on["weight"][van, which] * (1 - leave[van]))
    weight = np.zeros((len(memory), HYPOTHESES + 1, ROUNDS + 1))
    weight[van, which] = given[:, None] * _exp(-places.cost)
    table = np.full((4, *weight.shape), np.nan)
    table[:, van, which] = places.along_m, places.x_m, places.y_m, places.offset_m
    picked, off, (along_m, path_x_m, path_y_m, offset_m) = _gathered(
        weight.reshape(len(memory), -1), table.reshape(4, len(memory), -1), stayed
    )
    for name, column in (("weight", picked), ("along_m", along_m), ("x_m", path_x_m), ("y_m", path_y_m)):
        new["on"][name] = column
    new["off_weight"], new["ms"] = off, ms
    return new, _told(memory, new, ms, sigma_m, offset_m[:, 0])


def _gathered(weight: Floats, table: Floats, stayed: Floats) -> tuple[Floats, Floats, Floats]:
    """Make one hypothesis of places that are one, keep the heaviest, and make all weights sum to 1.

    Args:
        weight: (n, k) of every place.
        table: (4, n, k) along_m and more of each.
        stayed: (n,) weight of being off the path.

    Returns:
        (n, HYPOTHESES) weights, the heaviest first, 0 for none; (n,) weight of being off the path; (4, n, HYPOTHESES)
        the table of those kept, 0 for none.
    """
    rows = np.arange(len(weight))
    along_m = table[0]
    picked = np.zeros((len(weight), HYPOTHESES))
    best = np.zeros((len(weight), HYPOTHESES), np.int64)
    for k in range(HYPOTHESES):
        if not weight.any():
            break
        best[:, k] = np.argmax(weight, axis=1)
        same = np.abs(along_m - along_m[rows, best[:, k]][:, None]) <= APART_M
        picked[:, k] = np.cumsum(np.where(same, weight, 0.0), axis=1)[:, -1]  # in one order, whatever the batch
        weight = np.where(same, 0.0, weight)
    total = np.cumsum(picked, axis=1)[:, -1] + stayed
    picked = picked / total[:, None]
    order = np.argsort(-picked, axis=1, kind="stable")
    picked, best = np.take_along_axis(picked, order, 1), np.take_along_axis(best, order, 1)
    kept = picked >= LEAST_WEIGHT
    return np.where(kept, picked, 0.0), stayed / total, np.where(kept, np.take_along_axis(table, best[None], 2), 0.0)


def _told(memory: Rows, new: Rows, ms: Ints, sigma_m: Floats, offset_m: Floats) -> Snapped:
    """Decide what is told, with hysteresis; writes it into the new memory."""
    off = new["off_weight"].astype(np.float64)
    first = new["on"][:, 0]
    never = np.isnan(memory["along_m"])
    is_off = np.where(memory["off"], off > BACK_AT, ~never & (off >= OFF_AT))
    doubt = is_off | (off > DOUBT_AT)
    since_ms = np.where(memory["doubt_ms"] == UNKNOWN_MS, ms, memory["doubt_ms"])
    new["off"], new["doubt_ms"] = is_off, np.where(doubt, since_ms, UNKNOWN_MS)
    tell = (first["weight"] > 0) & ~doubt
    for name, source in (("along_m", "along_m"), ("path_x_m", "x_m"), ("path_y_m", "y_m")):
        new[name] = np.where(tell, first[source], memory[name])
    new["left_m"] = np.where(tell & (off < SURE_AT), first["along_m"], memory["left_m"])

    nowhere = is_off | np.isnan(new["along_m"])
    spread = new["on"]["weight"] * (new["on"]["along_m"] - first["along_m"][:, None]) ** 2
    sd_m = np.sqrt(np.cumsum(spread, axis=1)[:, -1] + sigma_m * sigma_m)
    return Snapped(
        along_m=np.where(nowhere, np.nan, new["along_m"]),
        offset_m=np.where(nowhere, np.nan, offset_m),
        x_m=np.where(nowhere, np.nan, new["path_x_m"]),
        y_m=np.where(nowhere, np.nan, new["path_y_m"]),
        along_sd_m=np.where(nowhere, np.nan, sd_m),
        on_route_p=1 - off,
        on_route=~nowhere,
        went_off=is_off & ~memory["off"],
        came_back=memory["off"] & ~is_off,
        off_ms=since_ms,
    )


def _pace(memory: Rows, began: Bools, seconds: Floats, x_m: Floats, y_m: Floats) -> Floats:
    """Estimate how fast each phone moves over ground, for those that do not say; writes what it remembers."""
    since_s = np.maximum(seconds, 1e-3)
    share = np.where(began, 0.0, seconds / (seconds + PACE_S))
    for name, last, here in (("east_mps", "fix_x_m", x_m), ("north_mps", "fix_y_m", y_m)):
        now = np.where(began, 0.0, (here - memory[last]) / since_s)
        memory[name] = memory[name] + share * (now - memory[name])
        memory[last] = here
    east, north = memory["east_mps"].astype(np.float64), memory["north_mps"].astype(np.float64)
    return np.sqrt(east * east + north * north)


def _bearing(memory: Rows, pace_mps: Floats, told_mps: Floats, heading_deg: Floats) -> tuple[Floats, Floats, Floats]:
    """Tell which way each phone moves: what it says, else how its fixes move.

    Returns:
        East and north of a unit vector, and how much it counts: TURN, or 0 where nothing is known.
    """
    told = ~np.isnan(heading_deg) & (told_mps > HEADING_MPS)
    moving = ~told & (pace_mps > FAST_MPS) & ~(told_mps <= HEADING_MPS)
    east, north = plane.sin_cos(np.where(told, heading_deg, 0.0))
    east = np.where(moving, memory["east_mps"] / np.maximum(pace_mps, 1.0), east)
    north = np.where(moving, memory["north_mps"] / np.maximum(pace_mps, 1.0), north)
    return east, north, np.where(told | moving, TURN, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _From:
    """(r,) hypotheses: where they were, along the path and on the plane; or anywhere, after leaving it at along_m."""

    anywhere: Bools
    along_m: Floats
    x_m: Floats
    y_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Fix:
    """(r,) the fix of each hypothesis's van.

    Attributes:
        seconds: since the fix before.
        full: 0 to 1, how much it counts as evidence.
        x_m, y_m: where, on the plan's plane.
        error_m: how far off it may be, sigma_m: with how far the phone may be beside the path.
        vague_mps: how little is known of the way between the fixes.
        east, north, turn: as `_bearing` gives them.
    """

    seconds: Floats
    full: Floats
    x_m: Floats
    y_m: Floats
    error_m: Floats
    sigma_m: Floats
    vague_mps: Floats
    east: Floats
    north: Floats
    turn: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """(r, ROUNDS + 1) places that each hypothesis may be at now, the last one where it was; cost inf: there is none."""

    along_m: Floats
    x_m: Floats
    y_m: Floats
    offset_m: Floats
    cost: Floats


def _places(plans: Sequence[Plan], start: _From, fix: _Fix) -> _Places:
    """Find where on the path the fix of each of r hypotheses is likeliest to belong."""
    n = len(plans)
    bins = np.array([len(plan.segment_at) for plan in plans], np.int64) - 1
    reach_m = start.along_m + AHEAD_M + REACH_MPS * fix.seconds
    first = np.where(start.anywhere, 0, np.clip((start.along_m - BEHIND_M) / BIN_M, 0, bins)).astype(np.int64)
    final = np.where(start.anywhere, bins, np.clip(reach_m / BIN_M + 1, 0, bins)).astype(np.int64)
    pieces, starts = windows(
        [plan.segments for plan in plans],
        [plan.segment_at[bin_] for plan, bin_ in zip(plans, first.tolist(), strict=True)],
        [plan.segment_at[bin_] + 1 for plan, bin_ in zip(plans, final.tolist(), strict=True)],
    )
    row = np.repeat(np.arange(n), np.diff(starts))
    px, py = fix.x_m[row] - pieces[:, X], fix.y_m[row] - pieces[:, Y]
    part = (px * pieces[:, DX] + py * pieces[:, DY]) * pieces[:, INVERSE]

    # only where the path comes nearest: a place beside that is the same pass, worse explained. At the edge of the
    # window the path may come nearer outside of it, but for its own ends
    is_first, is_last = np.zeros((2, len(row)), np.bool_)
    is_first[starts[:-1]], is_last[starts[1:] - 1] = True, True
    corner = (part >= 1) & np.where(is_last, (final == bins)[row], np.append(part[1:] <= 0, True))
    near = np.flatnonzero(((part > 0) & (part < 1)) | corner | (is_first & (part <= 0) & (first == 0)[row]))
    row, px, py, part, pieces = row[near], px[near], py[near], np.clip(part[near], 0.0, 1.0), pieces[near]

    dx, dy = pieces[:, DX], pieces[:, DY]
    ex, ey = px - part * dx, py - part * dy
    squared = ex * ex + ey * ey
    along_m = pieces[:, ALONG] + part * pieces[:, LENGTH]
    cost = _cost(start, fix, row, squared, along_m, dx * np.sqrt(pieces[:, INVERSE]), dy * np.sqrt(pieces[:, INVERSE]))

    moved_m = np.sqrt((fix.x_m - start.x_m) ** 2 + (fix.y_m - start.y_m) ** 2)
    table = np.full((4, n, ROUNDS + 1), np.nan)
    table[:, :, ROUNDS] = start.along_m, start.x_m, start.y_m, moved_m
    costs = np.full((n, ROUNDS + 1), np.inf)
    costs[:, ROUNDS] = np.where(start.anywhere, np.inf, FAR_COST * fix.full)
    beside = dx * py - dy * px
    for k in range(ROUNDS):
        # the cheapest place of each hypothesis that has one left, the first of equals
        order = np.flatnonzero(np.isfinite(cost))
        if not len(order):
            break
        order = order[np.lexsort((cost[order], row[order]))]
        mine = row[order]
        begins = np.concatenate(([True], mine[1:] != mine[:-1]))
        mine, best = mine[begins], order[begins]
        offset_m = np.copysign(np.sqrt(squared[best]), np.where(beside[best] >= 0, 1.0, -1.0))
        table[:, mine, k] = (
            along_m[best], pieces[best, X] + part[best] * dx[best], pieces[best, Y] + part[best] * dy[best], offset_m
        )  # fmt: skip
        costs[mine, k] = cost[best]
        taken = table[0, :, k][row]
        cost = np.where(np.abs(along_m - taken) <= APART_M, np.inf, cost)

    # of the same place, moved or kept, the better explanation counts
    same = np.abs(table[0] - start.along_m[:, None]) <= APART_M
    same[:, ROUNDS] = False
    kept = costs[:, ROUNDS] < np.where(same, costs, np.inf).min(axis=1)
    costs = np.where(same & kept[:, None], np.inf, costs)
    costs[:, ROUNDS] = np.where(kept, costs[:, ROUNDS], np.inf)
    return _Places(table[0], table[1], table[2], table[3], costs)


def _cost(start: _From, fix: _Fix, row: Ints, squared: Floats, along_m: Floats, east: Floats, north: Floats) -> Floats:
    """How unlikely places on the path are, as the negative logarithm of a likelihood.

    Args:
        row: (p,) which hypothesis.
        squared: (p,) metres from the fix, squared.
        along_m: (p,) along the path.
        east, north: (p,) which way the path leads there, a unit vector.
    """
    cost = squared * (0.5 / (fix.sigma_m * fix.sigma_m))[row] - NEAR_GAIN
    cost += fix.turn[row] * (TURN_FREE - east * fix.east[row] - north * fix.north[row])
    cost *= fix.full[row]

    ahead_m = along_m - start.along_m[row]
    join = np.where(ahead_m > 0, ahead_m * (1 / RETURN_AHEAD_M), -ahead_m * (1 / RETURN_BEHIND_M))
    join = np.minimum(join, ANYWHERE)
    # how far the phone moved along the path, against how far the van would have driven along it
    squared_m = (fix.x_m - start.x_m) ** 2 + (fix.y_m - start.y_m) ** 2
    moved_m = np.sqrt(squared_m)
    over = (1 / (OVER_M + OVER_MOVED * moved_m + OVER_ERROR * fix.error_m + fix.vague_mps * fix.seconds))[row]
    under = (1 / (UNDER_M + UNDER_ERROR * fix.error_m + UNDER_MOVED * moved_m))[row]
    excess_m = np.abs(ahead_m) - np.sqrt(np.maximum(squared_m[row] - squared, 0.0))
    detour = (DETOUR + TURN_ROUND_S / np.maximum(fix.seconds, 0.1))[row]
    longest_m = (DETOUR_MPS * fix.seconds + fix.error_m + DETOUR_M)[row]
    longer = np.minimum(excess_m * over, detour) + np.maximum(excess_m - longest_m, 0.0) * (1 / BEYOND_M)
    behind_m = np.maximum(-ahead_m - (fix.error_m * np.sqrt(fix.full))[row], 0.0)
    drive = np.where(excess_m > 0, longer, -excess_m * under) + behind_m * (1 / BACK_M)
    return cost + np.where(start.anywhere[row], join, drive)


_POWERS = 2.0 ** np.arange(-200, 61)


def _exp(x: Floats) -> Floats:
    """Raise e to x, to 1e-9, the same bits everywhere (see `geo.shape.plane`); 0 below -138, no more above 41."""
    y = np.minimum(np.maximum(x, -138.0), 41.0) * 1.4426950408889634
    whole = np.rint(y)
    r = (y - whole) * 0.6931471805599453
    series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040)))))))
    return np.where(x < -138.0, 0.0, _POWERS[whole.astype(np.int64) + 200] * series)
