"""The walls of the house: rooms that say what they are for, and that stay small enough to be read."""

import re
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import grimp
import pytest

from tests.reparto.walls import HOUSE, PACKAGES, Function, classes, clocks_asked, functions, modules, repeated, rooms

MOST_MODULES, MOST_CODE_LINES, MOST_PARAMETERS, MOST_COMPLEXITY = 15, 50, 7, 15


def longer(wall: str, most: int) -> dict[str, int]:
    attribute = wall.replace(" ", "_")
    return {one.name: getattr(one, attribute) for one in functions() if getattr(one, attribute) > most}


@pytest.mark.parametrize("room", rooms(), ids=str)
def test_a_room_says_what_may_live_there(room: Path) -> None:
    said = (HOUSE / room / "__init__.py").read_text().split('"""')[1]
    assert "may live here" in said.lower()


def test_rooms_are_small() -> None:
    sizes = Counter(file.parent.as_posix() for file in modules() if file.name != "__init__.py")
    assert {room: size for room, size in sizes.items() if size > MOST_MODULES} == {}


def test_no_room_is_above_and_below_another() -> None:
    spec = spec_from_file_location("rooms", HOUSE / ".ci/rooms.py")
    assert spec is not None
    assert spec.loader is not None
    plan = module_from_spec(spec)
    spec.loader.exec_module(plan)
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert [circle for one in PACKAGES if (circle := plan.floors_of(plan.arrows_in(one, graph, HOUSE))[1])] == []
    assert plan.floors_of({"a": {"b"}, "b": {"a"}})[1] == ["a", "b"]


def test_functions_are_short() -> None:
    assert longer("code lines", MOST_CODE_LINES) == {}


def test_functions_take_few_things() -> None:
    assert longer("parameters", MOST_PARAMETERS) == {}


def test_functions_are_simple() -> None:
    assert longer("complexity", MOST_COMPLEXITY) == {}


BESIDE_PHONES = ("bench", "client", "data", "evaluate", "simulate")
"""Rooms of `reparto` that play phones, planners and whoever looks on, against a product that may be elsewhere."""

ASKS_THIS_MACHINE = {
    "sql/clock.py": "holds it against the database's, and goes by it while nothing was heard of that",
    "work/retention/guard.py": "deletes nothing while the two differ",
    "reparto/operate/doctor.py": "says by how much they differ",
}


def test_only_the_clock_of_the_database_says_what_time_it_is() -> None:
    """`db.clock.now()`, `pool.clock.now()`, in the API `now_of(request)`: any machine's own may be a week off."""
    asked = [
        file for file in clocks_asked() if not file.startswith(tuple(f"reparto/{room}/" for room in BESIDE_PHONES))
    ]
    assert sorted(asked) == sorted(ASKS_THIS_MACHINE)


def test_a_class_name_means_one_thing() -> None:
    assert list(classes()) == []


def test_no_function_is_written_twice(tmp_path: Path) -> None:
    """From about ten lines on: shorter ones may ask the same of two tables."""
    assert repeated((HOUSE / file for file in modules()), least=90) == []
    written = tmp_path / "some.py"
    written.write_text("def first(a):\n    return a.go(1) + a\ndef second(b):\n    return b.go(2) + b\n")
    assert repeated([written], least=5) == [["some.py:first", "some.py:second"]]


def test_the_measure_measures() -> None:
    """One known function, so that a reader of sources that finds nothing is noticed."""
    assert len(functions()) > 1_500
    assert Function("reparto/settings/config.py:ServerConfig.contradictions", 10, 0, 10) in functions()


def test_the_signposts_of_contributing_lead_somewhere() -> None:
    table = (HOUSE / "CONTRIBUTING.md").read_text().partition("| where is")[2].partition("\n\n")[0]
    paths = re.findall(r"`([\w/]+\.py)`", table)
    assert len(paths) >= 5
    assert [path for path in paths if not (HOUSE / path).is_file()] == []
