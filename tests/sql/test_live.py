"""Live positions, as trackers write them."""

from collections.abc import Mapping

import numpy as np
import pytest

from geo.fold.fold import TRACK
from geo.pings import UNKNOWN_MS
from sql.pool import Pool
from sql.track.live import move_live_positions

MS = 1_772_359_200_000

Drivers = Mapping[str, int]


@pytest.fixture
async def drivers(pool: Pool) -> Drivers:
    """Three of one account, by name; each in lane 3."""
    await pool.execute("INSERT INTO account (id, name) VALUES (1000, 'mensajeria')")
    rows = await pool.fetch(
        """INSERT INTO driver (account_id, lane, external_id, name)
           SELECT 1000, 3, name, name FROM unnest(ARRAY['ana', 'beto', 'caro']) AS name RETURNING external_id, id"""
    )
    return {row["external_id"]: row["id"] for row in rows}


async def show(pool: Pool, drivers: Drivers, seconds: Mapping[str, float | None], *, caught_up: bool) -> None:
    """Show some where they were then, as far north as seconds; None: nothing of theirs is believed."""
    tracks = np.zeros(len(seconds), TRACK)
    tracks["driver_id"] = [drivers[name] for name in seconds]
    tracks["recorded_ms"] = [UNKNOWN_MS if at is None else MS + at * 1000 for at in seconds.values()]
    tracks["received_ms"] = tracks["recorded_ms"]
    tracks["lat_e6"] = [0 if at is None else at for at in seconds.values()]
    tracks["along_m"] = np.nan
    n = len(tracks)
    async with pool.acquire() as db:
        await move_live_positions(
            db, np.full(n, 3), np.full(n, 1000), tracks, np.full(n, caught_up), np.arange(n, dtype=np.int64)
        )


async def shown(pool: Pool) -> dict[str, int]:
    rows = await pool.fetch("SELECT external_id, lat_e6 FROM live JOIN driver ON driver.id = live.driver_id")
    return {row["external_id"]: row["lat_e6"] for row in rows}


async def test_who_was_never_shown_is_shown_beside_those_who_move(pool: Pool, drivers: Drivers):
    await show(pool, drivers, {"ana": 10}, caught_up=True)
    await show(pool, drivers, {"ana": 20, "beto": 5}, caught_up=True)
    assert await shown(pool) == {"ana": 20, "beto": 5}
    look_at = await pool.fetch("SELECT look_at <= now() AS is_due FROM live")
    assert [row["is_due"] for row in look_at] == [True, True]


async def test_in_the_middle_of_a_re_run_a_driver_only_moves_forward(pool: Pool, drivers: Drivers):
    await show(pool, drivers, {"ana": 10, "beto": 10}, caught_up=True)
    await show(pool, drivers, {"ana": 4, "beto": 12, "caro": 3}, caught_up=False)
    assert await shown(pool) == {"ana": 10, "beto": 12, "caro": 3}
    await show(pool, drivers, {"ana": 4, "beto": 4}, caught_up=True)
    assert await shown(pool) == {"ana": 4, "beto": 4, "caro": 3}


async def test_who_is_not_believed_any_more_is_not_shown(pool: Pool, drivers: Drivers):
    await show(pool, drivers, {"ana": 10, "beto": 10}, caught_up=True)
    await show(pool, drivers, {"ana": None}, caught_up=False)
    assert await shown(pool) == {"ana": 10, "beto": 10}
    await show(pool, drivers, {"ana": None, "beto": 11}, caught_up=True)
    assert await shown(pool) == {"beto": 11}


async def test_silence_is_looked_at_when_it_was_meant_to_be(pool: Pool, drivers: Drivers):
    """And now where nobody meant to."""
    await show(pool, drivers, {"ana": 10}, caught_up=True)
    await pool.execute("UPDATE live SET look_at = now() + interval '1 minute'")
    look_at = await pool.fetchval("SELECT look_at FROM live")
    await show(pool, drivers, {"ana": 20}, caught_up=True)
    assert await pool.fetchval("SELECT look_at FROM live") == look_at
    await pool.execute("UPDATE live SET look_at = 'infinity'")
    await show(pool, drivers, {"ana": 30}, caught_up=True)
    assert await pool.fetchval("SELECT look_at <= now() FROM live")
