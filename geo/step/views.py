"""Where the arrays of a plan are, for code that is compiled."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from geo.plan.plans import Plan

VIEW = np.dtype(
    [
        ("segments", "<i8"),
        ("path_along_m", "<i8"),
        ("stops", "<i8"),
        ("segment_at", "<i8"),
        ("next_from", "<i8"),
        ("near_until", "<i8"),
        ("together", "<i8"),
        ("together_starts", "<i8"),
        ("owed", "<i8"),
        ("stop_ids", "<i8"),
        ("timetable", "<i8"),
        ("segment_count", "<i8"),
        ("path_count", "<i8"),
        ("stop_count", "<i8"),
        ("bin_count", "<i8"),
        ("is_timed", "<i8"),
        ("start_ms", "<i8"),
    ]
)
"""Addresses, how many there are, and more: `Plan` of step.h."""


@dataclass(frozen=True, slots=True, eq=False)
class PlanView:
    """A plan as compiled code sees it.

    Attributes:
        address: of its row of dtype `VIEW`.
        kept: that row and all it points to.
    """

    address: int
    kept: tuple[NDArray[Any], ...]


_VIEWS: WeakKeyDictionary[Plan, PlanView] = WeakKeyDictionary()


def view_of(plan: Plan) -> int:
    """Give the address of a plan's view, which lives as long as the plan."""
    view = _VIEWS.get(plan)
    if view is None:
        view = _VIEWS[plan] = _view(plan)
    return view.address


def address(array: NDArray[Any]) -> int:
    """Tell where an array is; it must outlive whoever looks there."""
    place: int = array.__array_interface__["data"][0]
    return place


def pointers(*arrays: NDArray[Any]) -> Iterator[ctypes.c_void_p]:
    """Point to arrays, as C takes them; as `address`."""
    return (ctypes.c_void_p(address(array)) for array in arrays)


def _view(plan: Plan) -> PlanView:
    counts = [len(rows) for rows in plan.together]
    kept = (
        _plain(plan.segments, np.float64),
        _plain(plan.path_along_m, np.float64),
        _plain(plan.stops, np.float64),
        *(_plain(bins, np.int32) for bins in (plan.segment_at, plan.next_from, plan.near_until)),
        _plain([row for rows in plan.together for row in rows], np.int32),
        _plain(np.cumsum([0, *counts]), np.int32),
        _plain(plan.owed, np.bool_),
        _plain(plan.stop_ids, np.int64),
        _plain(plan.timetable, np.float64),
    )
    sizes = len(plan.segments), len(plan.path_along_m), len(plan.stops), len(plan.segment_at)
    row = np.array([(*map(address, kept), *sizes, bool(plan.timetable), plan.start_ms)], VIEW)
    return PlanView(address(row), (row, *kept))


def _plain(column: Sequence[Any] | NDArray[Any], kind: type[np.generic]) -> NDArray[Any]:
    return np.ascontiguousarray(column, kind)
