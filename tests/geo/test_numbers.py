"""Every number of `geo` is on one page of its room, with what it means; no bare weight is left in the likelihood."""

import ast
from pathlib import Path

import pytest

GEO = Path(__file__).resolve().parents[2] / "geo"
PAGES = [GEO / "numbers.py", *sorted(GEO.glob("*/numbers.py"))]
STAY = {
    "tour.py": {"DONE", "AWAITED", "HERE", "VISITS"},
    "state.py": {"STATE_VERSION"},
    "rows.py": {"ANY"},
    "plane.py": {"WGS84_A_M"},
}
"""What is made up, bits, a version, a mark and a measured earth: no choice of ours."""


def assigned(path):
    """Give (names, value, the statement after it) of each assignment at the top of a file."""
    body = ast.parse(path.read_text()).body
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.Assign):
            names = [node.id for target in statement.targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            yield names, statement.value, after


def is_text(statement):
    value = getattr(statement, "value", None)
    return isinstance(statement, ast.Expr) and isinstance(value, ast.Constant) and isinstance(value.value, str)


def is_number(value):
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_number_says_what_it_means(page):
    silent = [names for names, _, after in assigned(page) if not is_text(after)]
    limits = ["MAX_RADIUS_M", "MAX_BUFFER_M", "MAX_VERTICES"]  # one sentence for the four limits of a fence
    assert [names for names in silent if not set(names) <= set(limits)] == []


def test_a_number_has_one_name_and_a_name_one_number():
    known = [name for page in PAGES for names, _, _ in assigned(page) for name in names]
    assert len(known) == len(set(known))


def test_numbers_are_nowhere_else():
    stray = {
        path.name: names
        for path in sorted(GEO.rglob("*.py"))
        if path not in PAGES
        for names, value, _ in assigned(path)
        if is_number(value) and not set(names) <= STAY.get(path.name, set())
    }
    assert stray == {}


def test_every_number_is_used():
    code = "\n".join(path.read_text() for path in GEO.rglob("*.py") if path.name != "numbers.py")
    known = {name for page in PAGES for names, _, _ in assigned(page) for name in names}
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    assert known - used <= {"SIGHT_S"}  # asked by those who read traces


@pytest.mark.parametrize(
    "name", ["snap/snap", "snap/candidates", "snap/likelihood", "visits/standing", "visits/stops", "trust/clean"]
)
def test_no_weight_is_bare(name):
    """What is left are counts, halves of squares and thousands of milliseconds."""
    path = GEO / f"{name}.py"
    numbers = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if is_number(node) and isinstance(node.value, float)
    }
    plain = {0.0, 0.5, 1.0, 2.0, 1e-3, 1e-6, 1e6, 0.1}
    exponential = {138.0, 41.0, 1.4426950408889634, 0.6931471805599453}
    assert numbers - plain - exponential == set()
