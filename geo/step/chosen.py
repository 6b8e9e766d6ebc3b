"""Which step folds: the compiled one, where it is."""

from geo.step.compiled import Compiled
from geo.step.library import library
from geo.step.plain import Plain
from geo.step.stepped import FixStep


def step_of(m: int) -> FixStep:
    """Make the step of m drivers."""
    found = library()
    return Plain(m) if found is None else Compiled(m, found)
