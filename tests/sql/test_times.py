"""One millisecond for one moment: in Python and in Postgres, whoever wrote it down."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from geo.pings import UNKNOWN_MS
from geo.times import SINCE_EVER, ms_of, time_of
from sql.pool import Pool

MOMENT = datetime(2026, 3, 2, 15, 19, tzinfo=UTC)


@pytest.mark.parametrize(("us", "ms"), [(0, 0), (499, 0), (500, 0), (999, 0), (1_000, 1), (1_500, 1), (-1, -1)])
def test_a_time_is_cut_to_the_millisecond_that_it_lies_in(us: int, ms: int) -> None:
    assert ms_of(MOMENT + timedelta(microseconds=us)) == ms_of(MOMENT) + ms


async def test_postgres_cuts_as_python_does(pool: Pool) -> None:
    chance = random.Random(4)
    century_us = 100 * 366 * 86_400 * 1_000_000
    moments = [MOMENT + timedelta(microseconds=chance.randrange(-century_us, century_us)) for _ in range(1_000)]
    moments += [MOMENT + timedelta(microseconds=us) for us in (0, 499, 500, 501, 999, -1)]
    rows = await pool.fetch(
        "SELECT to_ms(at) AS ms, from_ms(to_ms(at)) AS cut FROM unnest($1::timestamptz[]) AS at", moments
    )
    assert [row["ms"] for row in rows] == [ms_of(at) for at in moments]
    assert [row["cut"] for row in rows] == [time_of(ms_of(at)) for at in moments]


async def test_since_ever_is_the_same_everywhere(pool: Pool) -> None:
    assert ms_of(SINCE_EVER) == UNKNOWN_MS == await pool.fetchval("SELECT to_ms($1)", SINCE_EVER)
    assert time_of(UNKNOWN_MS) == SINCE_EVER
    assert ms_of(await pool.fetchval("SELECT from_ms($1)", UNKNOWN_MS)) == UNKNOWN_MS


async def test_queries_write_them_in_place(pool: Pool) -> None:
    plan = await pool.fetch("EXPLAIN (VERBOSE) SELECT to_ms(recorded_at), from_ms(driver_id) FROM live")
    text = "\n".join(row[0] for row in plan)
    assert "CASE" in text
    assert "_ms(" not in text
