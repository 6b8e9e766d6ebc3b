"""What is promised of strangers with a link is tried: by tests that are there."""

import re
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[3]


def test_each_promise_names_a_test_that_is_there() -> None:
    page = (HOUSE / "docs/explanation/strangers.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 20
    missing = [(file, test) for file, test in named if f"def {test}(" not in (HOUSE / file).read_text(encoding="utf-8")]
    assert missing == []
