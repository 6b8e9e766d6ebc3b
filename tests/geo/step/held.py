"""A step that is done both ways, compiled and in NumPy, and held against itself."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from geo.pings import Floats, Ints, Rows
from geo.plan.plans import Plan
from geo.step.compiled import Compiled
from geo.step.plain import Plain
from geo.step.stepped import Stepped
from geo.trust.fixes import Here


class Held:
    """As `geo.step.stepped.FixStep`."""

    def __init__(self, m: int, library: ctypes.CDLL) -> None:
        self._plain, self._compiled = Plain(m), Compiled(m, library)

    def __call__(self, vans: Ints, snap: Rows, standing: Rows, visits: Any, here: Here) -> Stepped:
        before = [rows.tobytes() for rows in (snap, standing, visits)]
        plain = self._plain(vans, snap, standing, visits, here)
        compiled = self._compiled(vans, snap, standing, visits, here)
        assert [rows.tobytes() for rows in (snap, standing, visits)] == before
        assert_same(plain, compiled)
        return compiled

    def next_stops(self, *asked: Any) -> tuple[Ints, Floats]:
        (stop_ids, late_s), compiled = self._plain.next_stops(*asked), self._compiled.next_stops(*asked)
        np.testing.assert_array_equal(stop_ids, compiled[0], strict=True)
        np.testing.assert_array_equal(late_s, compiled[1], strict=True)
        return compiled

    def places_at(self, vans: Ints, plans: Sequence[Plan], along_m: Floats) -> tuple[Floats, Floats]:
        plain, compiled = self._plain.places_at(vans, plans, along_m), self._compiled.places_at(vans, plans, along_m)
        np.testing.assert_array_equal(plain, compiled, strict=True)
        return compiled


def assert_same(plain: Stepped, compiled: Stepped) -> None:
    """Hold what came of two steps against each other, to the last bit of every column; any NaN is like any other."""
    for (name, told), (_, other) in zip(_columns(plain), _columns(compiled), strict=True):
        if told.tobytes() != other.tobytes():
            for column in told.dtype.names or ("",):
                of = (told[column], other[column]) if column else (told, other)
                np.testing.assert_array_equal(*of, err_msg=f"{name} {column}")


def _columns(stepped: Stepped) -> Iterator[tuple[str, Rows]]:
    yield from (("snap", stepped.snap), ("standing", stepped.standing))
    for part in (stepped.snapped, stepped.stood):
        yield from ((field.name, np.asarray(getattr(part, field.name))) for field in fields(part))
