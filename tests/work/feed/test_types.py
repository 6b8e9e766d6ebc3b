"""The one table of event types, and that SQL names no type or group of types that is not in it."""

import re
from pathlib import Path
from uuid import UUID

import pytest

from geo.fold.fold import FactType
from work.feed.types import ARRIVALS, DEPARTURES, EVENT_TYPES, GROUPS, NAMES, OF_FACT, SAID, Maker, fact_id

SQL = Path(__file__).resolve().parents[3] / "sql"
FILES = sorted(path for path in SQL.rglob("*.sql") if path.parent.name != "migrations")
_SUBJECTS = {name.split(".")[0] for name in NAMES}
_NAMED = re.compile(rf"'((?:{'|'.join(sorted(_SUBJECTS))})\.[a-z_]+)'")
_LISTED = re.compile(r"\btype IN \(([^)]*)\)")


def test_a_type_is_named_once() -> None:
    assert len(set(NAMES)) == len(NAMES) == 48


def test_what_the_fold_finds_and_what_drivers_say_has_a_type() -> None:
    assert set(FactType) == OF_FACT.keys()
    assert {one.maker for one in SAID.values()} == {Maker.DRIVER}
    for one in EVENT_TYPES:
        assert (one.fact is not None) == (one.maker in (Maker.FOLD, Maker.SILENCE)), one
        assert (one.said is not None) == (one.maker is Maker.DRIVER), one


def test_a_visit_has_one_begin_and_one_end() -> None:
    assert all(one.of_a_visit for one in EVENT_TYPES if one.name in ARRIVALS | DEPARTURES)
    assert len(ARRIVALS) == len(DEPARTURES) == 2


def test_facts_keep_the_names_they_have() -> None:
    """A fact that was told by an earlier release is the same fact."""
    assert fact_id("stop.arrived", 1, 2, 3) == UUID("aa74157e-2ad1-7977-0c24-e56072c56050")
    assert fact_id("eta.late", 1, 2, 3) != fact_id("stop.arrived", 1, 2, 3)


def test_sql_names_types_at_all() -> None:
    assert sum(len(_NAMED.findall(path.read_text())) for path in FILES) > 20


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_sql_names_types_of_the_table(path: Path) -> None:
    text = path.read_text()
    assert set(_NAMED.findall(text)) <= set(NAMES)
    for listed in _LISTED.findall(text):
        names = frozenset(_NAMED.findall(listed))
        assert not names or names in GROUPS, listed
