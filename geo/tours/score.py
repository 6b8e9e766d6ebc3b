"""How far an order is from the one that was driven: the score of the Amazon Last Mile Routing Research Challenge.

Source: its scoring code (MIT CTL, 2021): sequence deviation times edit distance with real penalty for each edit.
"""

from collections.abc import Sequence

import numpy as np

from geo.pings import Floats
from geo.tours.numbers import EDIT_GAP


def deviation(driven: Sequence[int], planned: Sequence[int]) -> float:
    """Tell how far visits that follow each other in the plan were apart on the drive; 0: never, 1: as far as can be."""
    count = len(driven)
    if count < 2:
        return 0.0
    place = {visit: row for row, visit in enumerate(driven)}
    at = np.array([place[visit] for visit in planned])
    return float(2 / (count * (count - 1)) * (np.abs(np.diff(at)) - 1).sum())


def score(driven: Sequence[int], planned: Sequence[int], apart: Floats) -> float:
    """Give the challenge's score; 0 is the order that was driven, less is better.

    Args:
        driven, planned: the same visits, rows of `apart`.
        apart: (n, n) how far places are apart, in any unit.
    """
    spread = float(apart.std())
    normal = (apart - apart.mean()) / spread if spread > 0 else np.zeros_like(apart)
    cost, edits = _edits(driven, planned, normal - normal.min())
    return deviation(driven, planned) * (cost / edits if edits else 0.0)


def _edits(driven: Sequence[int], planned: Sequence[int], apart: Floats) -> tuple[float, int]:
    before = [(EDIT_GAP * column, column) for column in range(len(planned) + 1)]
    for row, one in enumerate(driven, 1):
        now = [(EDIT_GAP * row, row)]
        for column, other in enumerate(planned, 1):
            now.append(
                min(
                    (before[column - 1][0] + float(apart[one, other]), before[column - 1][1] + (one != other)),
                    (before[column][0] + EDIT_GAP, before[column][1] + 1),
                    (now[column - 1][0] + EDIT_GAP, now[column - 1][1] + 1),
                )
            )
        before = now
    return before[-1]
