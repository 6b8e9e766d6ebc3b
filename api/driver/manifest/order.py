"""Numbers for the order of a tour that stay when it changes: a stop put between two others changes only itself."""

from bisect import bisect_left
from collections.abc import Sequence

GAP = 1_000
"""Between the numbers of two stops of a new tour: halved ten times before all of them must change."""


def keep_order(ranks: Sequence[int | None]) -> list[int]:
    """Number a tour, changing as few numbers as can be.

    Args:
        ranks: of the stops in the order of the tour, the number that each had, > 0; None: it is new.

    Returns:
        Ascending numbers, one a stop.
    """
    kept = _longest_ascending(ranks)
    new: list[int] = []
    before = 0
    for place, rank in [*((place, ranks[place]) for place in kept), (len(ranks), None)]:
        missing = place - len(new)
        step = GAP if rank is None else (rank - before) // (missing + 1)
        if step == 0:
            return [GAP * (place + 1) for place in range(len(ranks))]
        new += [before + step * (nth + 1) for nth in range(missing)]
        if rank is not None:
            new.append(rank)
            before = rank
    return new


def _longest_ascending(ranks: Sequence[int | None]) -> list[int]:
    """Find the places of as many numbers as possible that ascend."""
    ends: list[int] = []  # of the ascending runs of 1, 2, … numbers the smallest last number, and its place
    at: list[int] = []
    before: dict[int, int | None] = {}
    for place, rank in enumerate(ranks):
        if rank is None:
            continue
        length = bisect_left(ends, rank)
        before[place] = at[length - 1] if length else None
        ends[length : length + 1] = [rank]
        at[length : length + 1] = [place]
    run: list[int] = []
    place_or_none = at[-1] if at else None
    while place_or_none is not None:
        run.append(place_or_none)
        place_or_none = before[place_or_none]
    return run[::-1]
