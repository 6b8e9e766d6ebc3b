"""Patterns of what is sent mean all of a text: `$` alone leaves a line break behind it out."""

import re
from pathlib import Path

import sql

HOUSE = Path(sql.__file__).resolve().parents[1]


def test_every_pattern_that_has_an_end_has_no_line_break_behind_it():
    found = [
        f"{path.relative_to(HOUSE)}: {pattern}"
        for room in ("api", "sql", "work")
        for path in (HOUSE / room).rglob("*.py")
        for pattern in re.findall(r'pattern=r?"([^"]*\$)"', path.read_text(encoding="utf-8"))
    ]
    assert found == []
