"""How the bench of the fold makes its takes; never how fast anything is."""

from reparto.bench.fold import measure


def test_every_size_is_measured() -> None:
    rows = measure([(3, 1), (2, 5)], fixes=20)
    assert [(row.drivers, row.each) for row in rows] == [(3, 1), (2, 5)]
    assert all(row.fix_us > 0 for row in rows)
