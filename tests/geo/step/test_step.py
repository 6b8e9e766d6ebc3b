"""The compiled step: the bits of NumPy's, the numbers of `geo`'s pages, and NumPy where there is none."""

import ctypes
import logging
import re
import subprocess
import sys

import numpy as np
import pytest

from geo.fold import steps
from geo.step import build, chosen
from geo.step import library as made
from geo.step.library import library
from geo.step.plain import Plain
from geo.step.views import address
from tests.geo.step.held import Held
from tests.tours.driver import KINDS
from tests.tours.measure import tracked
from tests.tours.tours import made as made_tour

needs_library = pytest.mark.skipif(library() is None, reason="the step is not compiled here: there is no C compiler")


@needs_library
def test_drivers_of_every_kind_are_tracked_to_the_same_bits(monkeypatch):
    held = []
    found = library()

    def step_of(m):
        held.append(m)
        return Held(m, found)

    monkeypatch.setattr(steps, "step_of", step_of)
    tours = [made_tour(77_000 + i, kind, "open") for i, kind in enumerate(KINDS)]
    tracked(tours, [(1, 2, 5, 10, 15, 30)[i % 6] for i in range(len(tours))])
    assert held


@needs_library
def test_another_number_would_be_noticed():
    """What holds the two against each other can fail: told other numbers, the compiled step says something else."""
    found = library()
    made.tell_numbers(found, made.KNOWN | {"LEAVE_M": 2 * made.KNOWN["LEAVE_M"]})
    try:
        with pytest.raises(AssertionError, match="Arrays are not equal"):
            tracked([made_tour(77_100, next(iter(KINDS)), "open")], [5])
    finally:
        made.tell_numbers(found, made.KNOWN)
    tracked([made_tour(77_100, next(iter(KINDS)), "open")], [5])


def test_no_number_is_bare_in_c():
    """What is left are the series of sines and of the exponential, halves, and thousands of milliseconds."""
    code = "\n".join(path.read_text() for path in sorted(build.ROOM.glob("*.c")) if path.name != "math.c")
    code = re.sub(r'/\*.*?\*/|"[^"]*"', "", code, flags=re.DOTALL)
    numbers = set(re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?:e-?\d+)?(?!\w)", code))
    assert numbers <= {"0", "1", "2", "3", "4", "5", "0.0", "0.1", "0.5", "1.0", "1e-3", "255", "1000"}


@needs_library
def test_a_library_of_other_sources_is_left_alone(monkeypatch, caplog):
    monkeypatch.setattr(made, "source_hash", lambda: "other")
    with caplog.at_level(logging.WARNING):
        assert library.__wrapped__() is None
    assert "made of other sources" in caplog.text


def test_without_a_library_numpy_does_it(monkeypatch, tmp_path):
    monkeypatch.setattr(made, "LIBRARY", tmp_path / "none.so")
    assert library.__wrapped__() is None
    monkeypatch.setattr(chosen, "library", lambda: None)
    assert isinstance(chosen.step_of(1), Plain)


@pytest.mark.parametrize(("compiler", "why"), [("/nowhere/cc", "No such file"), ("false", "failed")])
def test_what_cannot_be_compiled_says_why_and_leaves_what_is_there(monkeypatch, compiler, why):
    was = build.LIBRARY.read_bytes() if build.LIBRARY.exists() else None
    monkeypatch.setenv("CC", compiler)
    assert why in build.build()
    assert (build.LIBRARY.read_bytes() if build.LIBRARY.exists() else None) == was


def test_an_address_is_that_of_the_first_element():
    column = np.arange(3.0)
    assert ctypes.c_double.from_address(address(column) + 8).value == 1.0


@needs_library
def test_it_is_made_anew_where_it_is(tmp_path):
    """Beside processes that have the old one open."""
    for path in [*build.ROOM.glob("*.c"), *build.ROOM.glob("*.h"), build.ROOM / "build.py"]:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for _ in range(2):
        subprocess.run([sys.executable, tmp_path / "build.py"], check=True)
        found = ctypes.CDLL(str(tmp_path / "step.so"))
        assert found.step(0, None, None, None, None, None, None, None) == 0
