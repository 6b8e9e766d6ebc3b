"""Which stops one standing serves: those of one building, and orders of one address wherever they are in the tour."""

from collections.abc import Sequence

import numpy as np

from geo.numbers import TYPICAL_MPS
from geo.pings import Floats
from geo.plan.numbers import (
    DEPOT_M,
    NEXT_DOOR_M,
    ONCE_MS,
    ROUND_THE_CORNER_M,
    SAME_PLACE_M,
    STOP_SLACK_M,
)


def together(
    xy_m: Floats, along_m: Floats, kinds: Sequence[str], reached_ms: Floats, depot_m: Floats
) -> list[tuple[int, ...]]:
    """Find for each stop those that are served by standing there.

    Two doors next to each other are when they are also served from one place of the path, and the tour stays round the
    corner between them. Two deliveries at the very same place are, wherever they are in the tour: whoever is there
    hands over both. A delivery and a collection with a tour in between are not, nor is what the plan has much later, or
    at the depot: there a tour begins, reloads and ends.

    Args:
        xy_m: (s, 2) the doors on the plan's plane, metres.
        along_m: (s,) places along the path.
        kinds: (s) of each.
        reached_ms: (s,) when the plan has the van there, by any clock.
        depot_m: (2,) the start of the path on the plane.

    Returns:
        (s) places in the tour, ascending, with its own.
    """
    apart_m = np.hypot(*(xy_m[:, None] - xy_m[None]).transpose(2, 0, 1))
    found: list[list[int]] = [[row] for row in range(len(xy_m))]
    at_depot = np.hypot(*(xy_m - depot_m).T) <= DEPOT_M
    for first, other in np.argwhere(np.triu(apart_m <= NEXT_DOOR_M, 1)).tolist():
        same = apart_m[first, other] <= SAME_PLACE_M
        slack_m = STOP_SLACK_M if same else SAME_PLACE_M
        stays = bool((apart_m[first, first:other] <= ROUND_THE_CORNER_M).all())
        if (stays and along_m[other] - along_m[first] <= slack_m) or (
            same
            and kinds[first] == kinds[other] == "delivery"
            and not at_depot[first]
            and reached_ms[other] - reached_ms[first] <= ONCE_MS
        ):
            found[first].append(other)
            found[other].append(first)
    return [tuple(sorted(rows)) for rows in found]


def paced_ms(along_m: Floats, service_s: Floats) -> Floats:
    """Tell how long after its start a tour reaches each stop at a typical speed.

    Args:
        along_m, service_s: (s,) of the stops.
    """
    before_s = np.cumsum(service_s) - service_s
    return np.asarray(1000 * (along_m / TYPICAL_MPS + before_s), np.float64)
