"""Numbers that mean something have their home in Python; queries get them as parameters."""

import re
from pathlib import Path

import pytest

SQL = Path(__file__).resolve().parents[2] / "sql"
QUERIES = sorted(
    path for path in [*(SQL / "track").glob("*.sql"), *(SQL / "feed").glob("*.sql"), SQL / "delivery/plans.sql"]
)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_no_query_writes_out_flags_or_the_hours_of_a_route(path: Path) -> None:
    """`geo.trust.clean.Flag` numbers flags, `geo.plan.plans` says how long before and after its hours one is driven."""
    text = path.read_text()
    assert not re.findall(r"flags\s*[&|#]\s*~?\s*\d+|flag \d+", text)
    assert not re.findall(r"interval\s+'\d+ hours?'", text)
