"""Rows are picked and copied whole as numpy does it field by field."""

import numpy as np
import pytest

from geo.fold.state import TRACK, fresh
from geo.pings import copied, picked


def tracks(n: int) -> np.ndarray:
    chance = np.random.default_rng(4)
    rows = np.frombuffer(chance.bytes(n * TRACK.itemsize), TRACK).copy()
    rows[: n // 2] = fresh(np.arange(n // 2))
    return rows


@pytest.mark.parametrize("name", [None, "snap", "standing", "clean", "fences"])
def test_rows_are_picked_and_copied_as_by_numpy(name: str | None) -> None:
    rows = tracks(20) if name is None else tracks(20)[name]
    mask = np.arange(20) % 3 == 0
    for which in (mask, np.flatnonzero(mask), [7, 2, 2], np.zeros(0, np.int64)):
        some = picked(rows, which)
        assert some.dtype == rows.dtype
        assert some.shape == rows[which].shape
        assert some.tobytes() == rows[which].tobytes()
    assert copied(rows).tobytes() == rows.tobytes()


def test_a_copy_is_nobody_elses() -> None:
    rows = tracks(4)
    before = rows.tobytes()
    for mine in (copied(rows), picked(rows, [0, 1, 2, 3])):
        mine["at_ms"] = 7
        mine["snap"]["off_weight"] = 0.5
    assert rows.tobytes() == before
