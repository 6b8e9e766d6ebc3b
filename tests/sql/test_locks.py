"""Advisory locks and channels have their numbers and names in one place, and no two subjects share one."""

import re
from pathlib import Path

import pytest

from sql import locks

SQL = Path(__file__).resolve().parents[2] / "sql"
QUERIES = sorted(path for path in SQL.rglob("*.sql") if path.parent.name not in ("migrations", "schema"))


def test_no_two_subjects_share_a_number() -> None:
    numbers = [value for name, value in vars(locks).items() if name.isupper()]
    assert len(numbers) >= 8
    assert len(set(numbers)) == len(numbers)


def test_every_number_is_its_letters() -> None:
    """`pg_locks` shows numbers: whoever reads them in ASCII finds who holds what."""
    for name, value in vars(locks).items():
        if name.isupper():
            letters = value.to_bytes((value.bit_length() + 7) // 8).decode("ascii")
            assert f'"""`{letters}`' in Path(locks.__file__).read_text().split(f"\n{name} = ")[1].split("\n")[1]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_queries_get_locks_and_channels_as_parameters(path: Path) -> None:
    for call in re.findall(r"(?:pg_\w*advisory\w*|pg_notify)\(([^)]*)", path.read_text()):
        assert call.startswith("$"), call
