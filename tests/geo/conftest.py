"""Every fold of the tests of `geo` is done twice: what is compiled must give the bits of what is written in NumPy."""

import pytest

from geo.fold import steps
from geo.step.library import library
from tests.geo.step.held import Held


@pytest.fixture(autouse=True)
def _held(monkeypatch: pytest.MonkeyPatch) -> None:
    found = library()
    if found is not None:
        monkeypatch.setattr(steps, "step_of", lambda m: Held(m, found))
