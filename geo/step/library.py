"""The compiled step, if it was made of the sources that are here."""

import ctypes
import logging
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

import geo.numbers
import geo.plan.numbers
import geo.snap.numbers
import geo.visits.numbers
from geo.plan.numbers import MAX_STOPS
from geo.shape import plane
from geo.snap.numbers import HYPOTHESES, ROUNDS
from geo.snap.snap import SNAP
from geo.step.build import LIBRARY, source_hash
from geo.step.told import GOING, TOLD
from geo.step.views import VIEW, pointers
from geo.visits.standing import STANDING

log = logging.getLogger(__name__)

_PAGES: tuple[ModuleType, ...] = (geo.numbers, geo.plan.numbers, geo.snap.numbers, geo.visits.numbers)

KNOWN = {name: value for page in _PAGES for name, value in vars(page).items() if name.isupper()}
"""The numbers of the pages that the step asks, by name."""

SIZES = (HYPOTHESES, ROUNDS, MAX_STOPS, *(dtype.itemsize for dtype in (SNAP, STANDING, TOLD, GOING, VIEW)))
"""What the C code must have been written for."""


@cache
def library() -> ctypes.CDLL | None:
    """Give the compiled step, told the numbers of this geo; None where there is none: then NumPy does."""
    if not LIBRARY.exists():
        log.info("the step of a fix is not compiled here: NumPy does it, which takes two to three times as long")
        return None
    try:
        found = ctypes.CDLL(str(LIBRARY))
    except OSError as error:
        log.warning("the compiled step cannot be loaded (%s): NumPy does it", error)
        return None
    sizes = tuple((ctypes.c_int64 * len(SIZES)).in_dll(found, "step_sizes"))
    if _text(found, "step_source") != source_hash() or sizes != SIZES:
        log.warning("the compiled step was made of other sources: NumPy does it, until Reparto is installed anew")
        return None
    tell_numbers(found, KNOWN)
    return found


def tell_numbers(found: ctypes.CDLL, numbers: Mapping[str, Any]) -> None:
    """Tell a library the numbers that it asks."""
    values = np.array([numbers[name] for name in _text(found, "step_numbers").split()], np.float64)
    found.step_use(*pointers(values, plane.SIN, plane.COS))


def _text(found: ctypes.CDLL, name: str) -> str:
    return ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(found, name))).decode()
