"""The clock of this machine is held against that of the database."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.times import ms_of
from sql.clock import ServerClock
from sql.config import DatabaseConfig
from sql.pool import Pool, connect

NOW_S = 1_760_000_000.0


class Clocks:
    """Ours, which somebody sets, and one that nobody can."""

    def __init__(self) -> None:
        self.ours_s, self.steady_s = NOW_S, 50.0
        self.server = ServerClock(ours_s=lambda: self.ours_s, steady_s=lambda: self.steady_s)

    def hear(self, said_s: float, took_s: float = 0.0) -> None:
        self.server.hear(datetime.fromtimestamp(said_s, UTC), self.steady_s - took_s)


def test_a_clock_is_in_doubt_by_as_much_as_it_jumped_until_it_is_right_again() -> None:
    clocks = Clocks()
    assert clocks.server.doubt_ms == 0
    clocks.hear(NOW_S + 0.4)
    assert clocks.server.doubt_ms == 0
    clocks.steady_s, clocks.ours_s = 150.0, NOW_S + 100 - 7_200
    assert clocks.server.doubt_ms == pytest.approx(7_200_400)
    clocks.ours_s = NOW_S + 100
    assert clocks.server.doubt_ms == 0


def test_the_time_goes_on_by_the_servers_clock_however_ours_jumps() -> None:
    clocks = Clocks()
    assert clocks.server.now() == datetime.fromtimestamp(NOW_S, UTC), "by ours, while nothing was heard"
    clocks.hear(NOW_S + 5)
    clocks.steady_s, clocks.ours_s = 60.0, NOW_S - 2_000_000
    assert clocks.server.now() == datetime.fromtimestamp(NOW_S + 15, UTC)


@given(st.integers(0, 4_000_000_000_000))
def test_the_millisecond_is_that_of_the_time(ms: int) -> None:
    clocks = Clocks()
    clocks.ours_s = ms / 1000
    assert clocks.server.now_ms() == ms_of(clocks.server.now()) == ms
    clocks.hear(NOW_S + ms / 1e9)
    assert clocks.server.now_ms() == pytest.approx(ms_of(clocks.server.now()), abs=1)


def test_an_answer_that_took_long_says_nothing() -> None:
    clocks = Clocks()
    clocks.hear(NOW_S)
    clocks.hear(NOW_S + 600, took_s=2.0)
    assert clocks.server.doubt_ms == 0
    clocks.hear(NOW_S + 600, took_s=0.5)
    assert clocks.server.doubt_ms == pytest.approx(600_000, abs=500)


def test_the_time_does_not_jump_about_with_how_long_answers_take() -> None:
    clocks = Clocks()
    clocks.hear(NOW_S)
    for took_s in (0.9, 0.0, 0.4):
        clocks.steady_s += 1
        clocks.hear(NOW_S + clocks.steady_s - 50.0 - took_s, took_s)
        assert clocks.server.now() == datetime.fromtimestamp(NOW_S + clocks.steady_s - 50.0, UTC)
    clocks.hear(NOW_S + clocks.steady_s - 50.0 - 3_600)
    assert clocks.server.now() == datetime.fromtimestamp(NOW_S + clocks.steady_s - 50.0 - 3_600, UTC), "it was set"


async def test_a_connection_knows_it_too_inside_a_transaction(pool: Pool, database: DatabaseConfig) -> None:
    async with pool.acquire() as db, db.transaction():
        assert db.clock is pool.clock
    alone = await connect(database)
    assert abs(alone.clock.now() - datetime.now(UTC)) < timedelta(seconds=2)
    await alone.close()


async def test_a_pool_knows_the_servers_clock_from_its_first_connection_on(pool: Pool) -> None:
    assert pool.clock.doubt_ms == 0
    now_s = time.time
    pool.clock._ours_s = lambda: now_s() + 3_600
    assert pool.clock.doubt_ms == pytest.approx(3_600_000, abs=1_000)
