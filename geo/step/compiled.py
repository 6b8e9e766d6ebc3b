"""The step compiled from C: the same bits as `geo.step.plain`, van by van.

Fences that are no circles are shapely's: vans whose plan has one are left to NumPy.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints, Rows, copied, picked
from geo.plan.plans import Plan
from geo.snap.snap import Snapped
from geo.step.plain import Plain
from geo.step.stepped import Stepped
from geo.step.told import TOLD
from geo.step.views import pointers, view_of
from geo.trust.fixes import Here
from geo.visits.numbers import BY_CLOCK
from geo.visits.standing import Stood

_SNAPPED = [field.name for field in fields(Snapped)]
_STOOD = [field.name for field in fields(Stood) if field.name != "certainty"]


class Compiled:
    """The step of m drivers; as `geo.step.stepped.FixStep`."""

    def __init__(self, m: int, library: ctypes.CDLL) -> None:
        self._library, self._plain = library, Plain(m)
        self._plans: list[Plan | None] = [None] * m
        self._views = np.zeros(m, np.int64)
        self._shaped = np.zeros(m, np.bool_)

    def __call__(self, vans: Ints, snap: Rows, standing: Rows, visits: NDArray[np.uint8], here: Here) -> Stepped:
        """Fold one fix each."""
        self._look_at_plans(vans, here.plans)
        new_snap, new_standing = copied(snap), copied(standing)
        told = self._call(self._views[vans], visits, here, new_snap, new_standing)
        certainty = np.interp(told["idle_ms"], *BY_CLOCK)
        some = np.flatnonzero(self._shaped[vans])
        if len(some):
            one = self._plain(
                vans[some], picked(snap, some), picked(standing, some), visits[some], here.rows_at(some.tolist())
            )
            new_snap[some], new_standing[some], certainty[some] = one.snap, one.standing, one.stood.certainty
            for told_of, names in ((one.snapped, _SNAPPED), (one.stood, _STOOD)):
                for name in names:
                    told[name][some] = getattr(told_of, name)
        return Stepped(
            snap=new_snap,
            standing=new_standing,
            snapped=Snapped(**{name: told[name] for name in _SNAPPED}),
            stood=Stood(**{name: told[name] for name in _STOOD}, certainty=certainty),
        )

    def next_stops(
        self, vans: Ints, plans: Sequence[Plan], visits: NDArray[np.uint8], going: Rows
    ) -> tuple[Ints, Floats]:
        """Find next stops."""
        self._look_at_plans(vans, plans)
        views, found, late_s = self._views[vans], np.empty(len(vans), np.int64), np.empty(len(vans))
        columns = (views, np.ascontiguousarray(visits), going, found, late_s)
        self._library.next_stops(ctypes.c_int64(len(vans)), *pointers(*columns))
        return found, late_s

    def places_at(self, vans: Ints, _plans: Sequence[Plan], along_m: Floats) -> tuple[Floats, Floats]:
        """Find places on paths."""
        views, x_m, y_m = self._views[vans], np.empty(len(vans)), np.empty(len(vans))
        columns = (views, np.ascontiguousarray(along_m), x_m, y_m)
        self._library.places_at(ctypes.c_int64(len(vans)), *pointers(*columns))
        return x_m, y_m

    def _look_at_plans(self, vans: Ints, plans: Sequence[Plan]) -> None:
        """See where the plans are that are new to somebody."""
        for van, plan in zip(vans.tolist(), plans, strict=True):
            if self._plans[van] is not plan:
                self._plans[van], self._views[van], self._shaped[van] = plan, view_of(plan), bool(plan.polygons)

    def _call(self, views: Ints, visits: NDArray[np.uint8], here: Here, snap: Rows, standing: Rows) -> Rows:
        """Have it done; writes into `snap` and `standing`.

        Returns:
            (n,) of dtype `TOLD`.

        Raises:
            MemoryError: there is none for what it lists.
        """
        told = np.zeros(len(views), TOLD)
        columns = [here.x_m, here.y_m, here.accuracy_m, here.speed_mps, here.heading_deg]
        given = [np.ascontiguousarray(column) for column in (visits, here.ms, *columns)]
        failed = self._library.step(
            ctypes.c_int64(len(views)),
            *pointers(views, *given[:2]),
            (ctypes.c_void_p * len(columns))(*pointers(*given[2:])),
            *pointers(snap, standing, told),
        )
        if failed:
            raise MemoryError("no memory for the step of a fix")
        return told
