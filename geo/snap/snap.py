"""Where on its path a van is, and whether it is on it at all: several hypotheses, weighed against each other.

On a delivery tour much of the path runs beside itself: out and back, round the block, twice along the main road. Which
pass a van is on cannot be read off one fix, so every pass that may be it is a hypothesis: a place along the path and a
weight. A fix moves each hypothesis to the places it may have driven to, and weighs how well they explain the fix. One
more hypothesis says that the van has left the path, and remembers where; from it the van may come back anywhere.

Source: a forward filter over the places nearest to each fix, as in Newson and Krumm (2009), "Hidden Markov Map Matching
Through Noise and Sparseness", with the path instead of a road network.
"""

from dataclasses import dataclass

import numpy as np

from geo.numbers import BELIEVED_MPS, REACH_MPS, SLOW_MPS, UNSAID_TO_SNAP_M, VAGUEST_M
from geo.pings import UNKNOWN_MS, Bools, Floats, Ints, Rows, copied
from geo.shape import plane
from geo.snap import likelihood
from geo.snap.by_speed import told_at
from geo.snap.candidates import candidates_of, least
from geo.snap.doors import Doors, pull
from geo.snap.left_out import OpenStops, weigh
from geo.snap.likelihood import Fix, From, exp
from geo.snap.numbers import (
    AHEAD_M,
    ALIKE,
    APART_M,
    BACK_AT,
    BEHIND_M,
    BEST_M,
    BY_THE_WAY,
    DOUBT_AT,
    EVIDENCE_S,
    FAST_MPS,
    HEADING_MPS,
    HYPOTHESES,
    JUMP_M,
    LEAST_WEIGHT,
    LEAVE_AT_MOST,
    LEAVE_M,
    MEANT_M,
    MEANT_SERVED_M,
    OFF_AT,
    OPTIMISM,
    PACE_S,
    RETURN_AT_MOST,
    RETURN_BEHIND_M,
    RETURN_S,
    ROUNDS,
    SEARCH_AT,
    STILL_S,
    SURE_AT,
    TOLD_MPS,
    TOLD_PART,
    TURN,
    UNTOLD_MPS,
    VAN_M,
    WALK_M,
)
from geo.trust.fixes import Here

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
        ("joined_m", "<f8"),  # where the stretch began that ends there: the van came upon it, not along the path
        ("before_m", "<f8"),  # where the path was left before; the same, once that stretch is long enough to be meant
        ("served", "?"),  # a stop was served on that stretch where the plan has it, or just before it
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
        ("told_m2", "<f4"),  # how far off that place may be, metres, squared; NaN: the last fix told none
        ("speed_mps", "<f4"),  # what the phone said with the last fix; NaN: nothing that is believed
    ]
)
"""What snapping remembers of a driver on a plan."""


def fresh(n: int, hint_m: float = 0.0) -> Rows:
    """Make the memory of drivers who begin a path, most likely at `hint_m` along it."""
    memory = np.zeros(n, SNAP)
    memory["along_m"] = memory["told_m2"] = memory["speed_mps"] = np.nan
    memory["off_weight"] = 1.0
    memory["left_m"] = memory["joined_m"] = memory["before_m"] = hint_m
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


def step(memory: Rows, here: Here, doors: Doors, open_stops: OpenStops) -> tuple[Rows, Snapped]:
    """Snap one fix each of n drivers.

    Args:
        memory: (n,) of dtype `SNAP`. Not changed.
        doors: where vans stand at the door of a stop.
        open_stops: of the tours of all n.

    Returns:
        The new memory, and the places.
    """
    new = copied(memory)
    began = memory["ms"] == UNKNOWN_MS
    seconds = np.where(began, 0.0, (here.ms - memory["ms"]) / 1000)
    fix, pace_mps = _seen(new, began, seconds, here)
    van, which = _asked(memory)
    start = _from(memory, van, which, seconds)
    found = candidates_of([here.plans[row] for row in van.tolist()], start, fix.rows_at(van))

    # what each hypothesis gives to each place; which -1, the last row, is the one off the path
    off = memory["off_weight"].astype(np.float64)
    leave = np.where(began, 0.0, np.clip(pace_mps * seconds / LEAVE_M, LEAST_WEIGHT, LEAVE_AT_MOST))
    back = np.where(began, RETURN_AT_MOST, np.minimum(seconds / RETURN_S, RETURN_AT_MOST))
    alike = exp(-ALIKE * fix.full - least(van, found.beside, len(memory)))
    stayed = (off * (1 - back) + leave * (1 - off)) * np.maximum(alike, 1.0)
    came = np.where(_everywhere(memory), off * back, (1 - off) * back * _by_the_way(memory))
    given = np.where(which < 0, came[van], memory["on"]["weight"][van, which] * (1 - leave[van]))
    row, place = np.nonzero(found.cost < np.inf)
    moved = given[row] * exp(-found.cost[row, place])
    nowhere = start.anywhere & np.isnan(memory["along_m"])[van]
    start_m = np.where(nowhere, np.nan, start.along_m)
    moved = weigh(moved, van[row], start.anywhere[row], start_m[row], found.along_m[row, place], open_stops)
    weight = np.zeros((len(memory), HYPOTHESES + 1, ROUNDS + 1))
    weight[van[row], which[row], place] = moved
    table = np.full((4, *weight.shape), np.nan)
    table[:, van, which] = found.along_m, found.x_m, found.y_m, found.offset_m
    picked, off, (along_m, path_x_m, path_y_m, offset_m) = _gathered(
        weight.reshape(len(memory), -1), table.reshape(4, len(memory), -1), stayed
    )
    for name, column in (("weight", picked), ("along_m", along_m), ("x_m", path_x_m), ("y_m", path_y_m)):
        new["on"][name] = column
    new["off_weight"], new["ms"] = off, here.ms
    pull(new, doors, fix, offset_m)
    return new, _told(memory, new, here, fix, offset_m[:, 0])


def _seen(new: Rows, began: Bools, seconds: Floats, here: Here) -> tuple[Fix, Floats]:
    """Say what each fix is worth, and how fast its phone moves; writes what is remembered of its motion."""
    told_mps = np.where(here.speed_mps <= BELIEVED_MPS, here.speed_mps, np.nan)
    paced_mps = _smoothed(new)
    pace_mps = _pace(new, began, seconds, here.x_m, here.y_m)
    before_mps = new["speed_mps"].astype(np.float64)
    crept_m = _crept_m(before_mps, told_mps, np.minimum(paced_mps, pace_mps), seconds)
    new["speed_mps"] = told_mps
    east, north, turn = _bearing(new, pace_mps, told_mps, here.heading_deg)
    pace_mps = np.where(np.isnan(told_mps), pace_mps, told_mps)
    accuracy_m = np.where(np.isnan(here.accuracy_m), UNSAID_TO_SNAP_M, here.accuracy_m)
    error_m = OPTIMISM * np.clip(accuracy_m, BEST_M, VAGUEST_M)
    fix = Fix(
        seconds=seconds,
        full=np.where(began, 1.0, np.minimum(seconds / EVIDENCE_S, 1.0)),
        x_m=here.x_m,
        y_m=here.y_m,
        error_m=error_m,
        sigma_m=np.sqrt(error_m * error_m + np.where(pace_mps < SLOW_MPS, WALK_M, VAN_M) ** 2),
        vague_mps=np.where(np.isnan(told_mps), UNTOLD_MPS, TOLD_PART * told_mps + TOLD_MPS),
        crept_m=crept_m,
        east=east,
        north=north,
        turn=turn,
    )
    return fix, pace_mps


def _crept_m(before_mps: Floats, told_mps: Floats, pace_mps: Floats, seconds: Floats) -> Floats:
    """Tell how far vans went that creep or stand by both speeds; inf for others, and where phones do not say.

    Phones tell zeros where they know nothing: those of a van whose fixes go on and on are not heeded.
    """
    slow = (before_mps < SLOW_MPS) & (told_mps < SLOW_MPS) & (pace_mps <= FAST_MPS)
    return np.where(slow & (seconds < STILL_S), (before_mps + told_mps) / 2 * seconds, np.inf)


def _asked(memory: Rows) -> tuple[Ints, Ints]:
    """List the hypotheses to be moved: whose, and which; -1 for the one off the path.

    Every one on the path looks around itself; the one off it, where it may matter, looks everywhere, and after a detour
    where the path was left.
    """
    van, which = np.nonzero(memory["on"]["weight"] > 0)
    searching = np.flatnonzero(_everywhere(memory) | _may_resume(memory))
    return np.append(van, searching), np.append(which, np.full(len(searching), -1))


def _everywhere(memory: Rows) -> Bools:
    """Tell whose whole path is searched: of vans that may be off it, or begin."""
    everywhere: Bools = (memory["ms"] == UNKNOWN_MS) | (memory["off_weight"].astype(np.float64) > SEARCH_AT)
    return everywhere


def _may_resume(memory: Rows) -> Bools:
    """Tell who came upon a pass and served nothing there: they may drive along it by the way."""
    may: Bools = (memory["before_m"] != memory["left_m"]) & ~memory["served"]
    return may


def _by_the_way(memory: Rows) -> Floats:
    """How likely vans drive by the way along the pass that they came upon, and come back where they left before."""
    return exp(np.minimum(likelihood.join(memory["joined_m"] - memory["before_m"]) - BY_THE_WAY, 0.0))


def _from(memory: Rows, van: Ints, which: Ints, seconds: Floats) -> From:
    on, off, everywhere = memory["on"], which < 0, _everywhere(memory)[van]
    left_m = np.where(everywhere, memory["left_m"][van], memory["before_m"][van])
    along_m = np.where(off, left_m, on["along_m"][van, which])
    behind_m = np.where(off, np.where(everywhere, np.inf, RETURN_BEHIND_M), BEHIND_M)
    ahead_m = np.where(off, np.where(everywhere, np.inf, MEANT_M), AHEAD_M + REACH_MPS * seconds[van])
    return From(
        anywhere=off,
        low_m=along_m - behind_m,
        high_m=along_m + ahead_m,
        along_m=along_m,
        before_m=memory["before_m"][van],
        x_m=on["x_m"][van, which].astype(np.float64),
        y_m=on["y_m"][van, which].astype(np.float64),
    )


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


def _told(memory: Rows, new: Rows, here: Here, fix: Fix, offset_m: Floats) -> Snapped:
    """Decide what is told, with hysteresis; writes it into the new memory."""
    off = new["off_weight"].astype(np.float64)
    first = new["on"][:, 0]
    never = np.isnan(memory["along_m"])
    is_off = np.where(memory["off"], off > BACK_AT, ~never & (off >= OFF_AT))
    doubt = is_off | (off > DOUBT_AT)
    since_ms = np.where(memory["doubt_ms"] == UNKNOWN_MS, here.ms, memory["doubt_ms"])
    new["off"], new["doubt_ms"] = is_off, np.where(doubt, since_ms, UNKNOWN_MS)
    tell = (first["weight"] > 0) & ~doubt
    place_m = first["along_m"], first["x_m"].astype(np.float64), first["y_m"].astype(np.float64)
    *told, told_m2 = told_at(memory, here.plans, fix, new["speed_mps"], place_m)
    for name, column in zip(("along_m", "path_x_m", "path_y_m"), told, strict=True):
        new[name] = np.where(tell, column, memory[name])
    new["told_m2"] = np.where(tell, told_m2, np.nan)
    _leave_from(memory, new, first["along_m"], tell & (off < SURE_AT), fix.seconds)

    nowhere = is_off | np.isnan(new["along_m"])
    spread = new["on"]["weight"] * (new["on"]["along_m"] - first["along_m"][:, None]) ** 2
    sd_m = np.sqrt(np.cumsum(spread, axis=1)[:, -1] + fix.sigma_m * fix.sigma_m)
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


def _leave_from(memory: Rows, new: Rows, along_m: Floats, sure: Bools, seconds: Floats) -> None:
    """Note from where vans that leave their path will come back to it; writes into the new memory."""
    ahead_m = along_m - memory["left_m"]
    jumped = sure & ((ahead_m < -JUMP_M) | (ahead_m > JUMP_M + REACH_MPS * seconds))
    is_one = memory["before_m"] == memory["left_m"]
    joined_m = np.where(jumped, along_m, memory["joined_m"])
    meant = sure & ~jumped & (is_one | (along_m - joined_m > MEANT_M))
    new["joined_m"], new["served"] = joined_m, memory["served"] & ~jumped
    new["left_m"] = np.where(sure, along_m, memory["left_m"])
    new["before_m"] = np.where(meant, along_m, memory["before_m"])


def served_off_path(memory: Rows, row: int, along_m: float) -> None:
    """Note that a van off its path was at a stop: it comes back to it near there, most likely; writes into the memory.

    Args:
        row: of the van.
        along_m: the stop's place along the path.
    """
    memory["before_m"][row] = memory["left_m"][row]
    memory["left_m"][row] = memory["joined_m"][row] = along_m
    memory["served"][row] = True


def served_on_path(memory: Rows, row: int) -> None:
    """Note that a van was at a stop where the plan has it: it means to be on that pass; writes into the memory.

    Args:
        row: of the van.
    """
    memory["served"][row] = True
    if memory["left_m"][row] - memory["joined_m"][row] > MEANT_SERVED_M:
        memory["before_m"][row] = memory["left_m"][row]


def _pace(memory: Rows, began: Bools, seconds: Floats, x_m: Floats, y_m: Floats) -> Floats:
    """Estimate how fast each phone moves over ground, for those that do not say; writes what it remembers."""
    since_s = np.maximum(seconds, 1e-3)
    share = np.where(began, 0.0, seconds / (seconds + PACE_S))
    for name, last, here in (("east_mps", "fix_x_m", x_m), ("north_mps", "fix_y_m", y_m)):
        now = np.where(began, 0.0, (here - memory[last]) / since_s)
        memory[name] = memory[name] + share * (now - memory[name])
        memory[last] = here
    return _smoothed(memory)


def _smoothed(memory: Rows) -> Floats:
    """Give the smoothed pace of each phone."""
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
