"""The order of one tour when it matters who comes before whom, not only who comes after whom.

Engines know costs of drives; habits are about pairs ("the market before the hill"). This is a local search over both:
turning a stretch around, and changing two neighbouring stretches, each move of each kind judged at once by sums over
the matrix of pairs. For tours of one van, up to a few hundred visits. `short` and `shorter` are for drives alone: what
engines begin with, and go on with.
"""

import numpy as np

from geo.pings import Floats, Ints
from geo.tours.numbers import LEAST_GAIN, LONGEST_STRETCH


def in_order(
    drive: Floats, before: Floats, first: Ints, *, rng: np.random.Generator, tries: int = 0
) -> tuple[Ints, float]:
    """Improve an order until no move helps, and again from disturbed ones.

    Args:
        drive: (n + 2, n + 2) cost of each visit directly after each other; row and column n are where the tour begins,
            n + 1 where it ends (zeros where that is open).
        before: (n, n) cost of each visit (row) being somewhere before each other (column).
        first: (n,) the order to begin with.
        rng: decides how orders are disturbed.
        tries: how often.

    Returns:
        (n,) the best order that was found, and its cost.
    """
    best, cost = _improved(drive, before, np.asarray(first, np.int64))
    for _ in range(tries if len(best) >= 4 else 0):
        a, b, c = np.sort(rng.choice(np.arange(1, len(best)), 3, replace=False))
        other, its_cost = _improved(drive, before, np.concatenate((best[:a], best[b:c], best[a:b], best[c:])))
        if its_cost < cost - LEAST_GAIN:
            best, cost = other, its_cost
    return best, cost


def cost_of(drive: Floats, before: Floats, order: Ints) -> float:
    """Count what an order costs."""
    row = np.concatenate(([len(order)], order, [len(order) + 1]))
    return float(drive[row[:-1], row[1:]].sum() + np.triu(before[np.ix_(order, order)], 1).sum())


def short(drive: Floats) -> Ints:
    """Find a short order within a tenth of a second: the best of three beginnings, each with moves until none helps.

    Args:
        drive: as `in_order` has it.
    """
    orders = [shorter(drive, begin(drive)) for begin in (on_to_nearest, _by_shortest_drives, _from_far_to_near)]
    return min(orders, key=lambda order: _length(drive, order))


def shorter(drive: Floats, order: Ints) -> Ints:
    """Move and turn stretches until none helps.

    Engines for many vans change little inside of a tour; stretches here may be of any length.

    Args:
        drive: as `in_order` has it.
        order: (n,) visits.
    """
    row = np.concatenate(([len(order)], order, [len(order) + 1]))
    while len(order) > 1:
        at_turn = drive[np.ix_(row, row)]
        moves = (_exchange_of_any_length(at_turn), _reversal(at_turn, np.zeros_like(at_turn)))
        gain, (i, j, k) = min(moves, key=lambda found: found[0])
        if gain > -LEAST_GAIN:
            break
        row = np.concatenate((row[:i], row[j:k][::-1] if i == j else row[j:k], row[i:j], row[k:]))
    return row[1:-1]


def _length(drive: Floats, order: Ints) -> float:
    row = np.concatenate(([len(order)], order, [len(order) + 1]))
    return float(drive[row[:-1], row[1:]].sum())


def on_to_nearest(drive: Floats) -> Ints:
    """Give the order that goes on to the nearest visit, again and again.

    Args:
        drive: as `in_order` has it.
    """
    count = len(drive) - 2
    left, at, order = np.ones(count, bool), count, np.zeros(count, np.int64)
    for turn in range(count):
        at = int(np.where(left, drive[at, :count], np.inf).argmin())
        order[turn], left[at] = at, False
    return order


def _by_shortest_drives(drive: Floats) -> Ints:
    """Begin with an order that is put together of the shortest drives that fit."""
    count = len(drive) - 2
    start, end = count, count + 1
    size = count + 2
    then, before, other_end = [-1] * size, [-1] * size, list(range(size))
    sources, targets = np.unravel_index(np.argsort(drive, axis=None, kind="stable"), drive.shape)
    for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
        if then[source] >= 0 or before[target] >= 0 or source in (end, target) or target == start:
            continue
        first, last = other_end[source], other_end[target]
        if first == target or (first, last) == (start, end):
            continue  # a circle, or all of a tour without the rest
        then[source], before[target] = target, source
        other_end[first], other_end[last] = last, first
    loose = [visit for visit in range(count) if before[visit] < 0]
    order: list[int] = []
    for at in (then[start], *loose):
        while 0 <= at < count:
            order.append(at)
            at = then[at]
    return np.array(order, np.int64)


def _from_far_to_near(drive: Floats) -> Ints:
    """Begin with an order into which the visit that is farthest off is put, where it costs least, again and again."""
    count = len(drive) - 2
    row, left = [count, count + 1], list(range(count))
    while left:
        way = np.array(row)
        detour = drive[way[:-1, None], left] + drive[left, way[1:, None]] - drive[way[:-1], way[1:]][:, None]
        farthest = int(detour.min(axis=0).argmax())
        row.insert(int(detour[:, farthest].argmin()) + 1, left.pop(farthest))
    return np.array(row[1:-1], np.int64)


def _exchange_of_any_length(at: Floats) -> tuple[float, tuple[int, int, int]]:
    """Find the best [i, j) and [j, k) to change places, of those whose first new drive is shorter than the old one."""
    size = len(at)
    now = np.concatenate(([0.0], np.diagonal(at, 1)))
    i, j = np.nonzero(np.triu(now[1:, None] - at[:-1] > LEAST_GAIN, 2))
    i = i + 1
    i, j = i[j < size - 1], j[j < size - 1]
    if not len(i):
        return 0.0, (1, 1, 1)
    on = at[:-1].T[i] + at[j - 1, 1:] - now[1:]  # what ends at k, for each k from 1
    on[np.arange(1, size) <= j[:, None]] = np.inf
    k = on.argmin(axis=1)
    gains = on[np.arange(len(i)), k] + at[i - 1, j] - now[i] - now[j]
    best = int(gains.argmin())
    return float(gains[best]), (int(i[best]), int(j[best]), int(k[best]) + 1)


def _improved(drive: Floats, before: Floats, order: Ints) -> tuple[Ints, float]:
    count = len(order)
    if count < 2:
        return order, cost_of(drive, before, order)
    while True:
        row = np.concatenate(([count], order, [count + 1]))
        at = drive[np.ix_(row, row)]
        turned = np.zeros((count + 2, count + 2))
        turned[1:-1, 1:-1] = (before.T - before)[np.ix_(order, order)]  # what a pair costs more when it is turned
        sums = turned.cumsum(0).cumsum(1)
        gain, move = min((_reversal(at, turned), _exchange(at, sums)), key=lambda found: found[0])
        if gain > -LEAST_GAIN:
            return order, cost_of(drive, before, order)
        i, j, k = move
        inner = [row[:i], row[j:k][::-1] if i == j else row[j:k], row[i:j], row[k:]]
        order = np.concatenate(inner)[1:-1]


def _reversal(at: Floats, turned: Floats) -> tuple[float, tuple[int, int, int]]:
    """Find the best stretch to turn around."""
    size = len(at)
    ahead = np.concatenate(([0.0], np.diagonal(at, 1).cumsum()))
    back = np.concatenate(([0.0], np.diagonal(at, -1).cumsum()))
    inside = np.triu(turned, 1).cumsum(0)[::1]
    # pairs within rows a..b: the sum over columns b of the column's part below row a
    columns = inside[np.arange(size), np.arange(size)]
    below = columns[None, :] - np.concatenate((np.zeros((1, size)), inside[:-1]))
    below = np.where(np.arange(size)[:, None] <= np.arange(size)[None], below, 0.0)
    pairs = below.cumsum(1)
    a, b = np.triu_indices(size - 2, 1)
    a, b = a + 1, b + 1
    if not len(a):
        return 0.0, (1, 1, 1)
    drives = at[a - 1, b] + at[a, b + 1] - at[a - 1, a] - at[b, b + 1] + (back[b] - back[a]) - (ahead[b] - ahead[a])
    gains = drives + pairs[a, b]
    best = int(gains.argmin())
    return float(gains[best]), (int(a[best]), int(a[best]), int(b[best]) + 1)


def _exchange(at: Floats, sums: Floats) -> tuple[float, tuple[int, int, int]]:
    """Find the best two neighbouring stretches, [i, j) and [j, k), to change places."""
    size = len(at)
    found: tuple[float, tuple[int, int, int]] = (0.0, (1, 1, 1))
    for length in range(1, min(LONGEST_STRETCH, size - 3) + 1):
        i, k = np.triu_indices(size - 1, length + 1)
        keep = i >= 1
        i, k = i[keep], k[keep]
        for j in (i + length, k - length):
            drives = at[i - 1, j] + at[k - 1, i] + at[j - 1, k] - at[i - 1, i] - at[j - 1, j] - at[k - 1, k]
            pairs = sums[j - 1, k - 1] - sums[i - 1, k - 1] - sums[j - 1, j - 1] + sums[i - 1, j - 1]
            gains = drives + pairs
            if len(gains) and float(gains.min()) < found[0]:
                best = int(gains.argmin())
                found = float(gains[best]), (int(i[best]), int(j[best]), int(k[best]))
    return found
