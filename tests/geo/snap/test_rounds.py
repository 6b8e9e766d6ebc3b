"""The likeliest places of all hypotheses at once are those of each alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.snap.candidates import _Nearest, _rounds
from geo.snap.likelihood import Spots
from geo.snap.numbers import APART_M, ROUNDS

_COST = st.sampled_from((0.5, 1.0, 1.0, 2.0, 7.0, np.inf, np.nan))
_ALONG_M = st.sampled_from([0.0, APART_M / 2, APART_M, 3 * APART_M, 9 * APART_M])


def alone(costs: list[float], along_m: list[float]) -> list[int]:
    """Pick one hypothesis's cheapest places, each apart from those before it."""
    left, picked = dict(enumerate(costs)), []
    while len(picked) < ROUNDS:
        left = {i: cost for i, cost in left.items() if np.isfinite(cost)}
        if not left:
            break
        best = min(left, key=lambda i: (left[i], i))
        picked.append(best)
        left = {i: cost for i, cost in left.items() if abs(along_m[i] - along_m[best]) > APART_M}
    return picked


@given(st.lists(st.lists(st.tuples(_COST, _ALONG_M), max_size=6), max_size=5))
def test_all_at_once_is_as_each_alone(hypotheses: list[list[tuple[float, float]]]) -> None:
    row = np.repeat(np.arange(len(hypotheses)), [len(one) for one in hypotheses])
    cost, along_m = np.array([place for one in hypotheses for place in one], np.float64).reshape(-1, 2).T
    table = np.stack((along_m, *(np.arange(len(row)) + 100.0 * k for k in range(3))))
    spots = Spots(row, along_m, along_m, along_m, along_m)
    places, costs = _rounds(_Nearest(table, spots), cost, len(hypotheses))
    begin = 0
    for n, one in enumerate(hypotheses):
        picked = [begin + i for i in alone([cost for cost, _ in one], [at_m for _, at_m in one])]
        assert costs[n, : len(picked)].tolist() == cost[picked].tolist()
        assert np.isinf(costs[n, len(picked) :]).all()
        assert places[:, n, : len(picked)].tolist() == table[:, picked].tolist()
        assert np.isnan(places[:, n, len(picked) :]).all()
        begin += len(one)
