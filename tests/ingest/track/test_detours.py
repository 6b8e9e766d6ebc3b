"""From pings to a detour, through the real tracker: the same however late its middle comes."""

import numpy as np
import pytest

from sql.feed.events import number_events
from sql.pool import Pool
from tests.ingest.track.conftest import Fleet
from tests.ingest.track.street import LAT
from work.roads.choose import STRAIGHT
from work.roads.detours import match_detours

NORTH = 1 / 111_000
PLACES = [(10 * n, 80 * n) for n in range(80)]  # 8 m/s along the street
BESIDE_M = np.where((np.arange(80) >= 25) & (np.arange(80) < 55), 400, 0)  # and five minutes on the one north of it


async def detours(fleet: Fleet) -> list[tuple]:
    """What detours there are when all is settled."""
    await fleet.settle()
    async with fleet.pool.acquire() as db:
        while await number_events(db):
            pass
    while await match_detours(fleet.pool, STRAIGHT):
        pass
    rows = await fleet.pool.fetch("SELECT from_at, to_at, source, round(length_m) AS m, path, pings FROM detour")
    return [tuple(row) for row in rows]


def drive(east, rows):
    return east(
        [PLACES[row] for row in rows], lat_e6=np.round((LAT + BESIDE_M[rows] * NORTH) * 1e6).astype(int), speed_mps=8
    )


@pytest.fixture
async def phone(fleet: Fleet):
    driver = await fleet.driver()
    await fleet.route(driver, [3000, 6600])
    return await fleet.phone(driver)


@pytest.mark.parametrize("late", [[], [*range(30, 50)], [*range(20, 35)], [*range(40, 60)]])
async def test_a_detour_is_the_same_however_late_its_middle_comes(fleet: Fleet, pool: Pool, east, phone, late):
    rows = [row for row in range(80) if row not in late]
    await fleet.send(phone, drive(east, rows))
    await detours(fleet)
    if late:
        await fleet.send(phone, drive(east, late))
    ((_, _, source, metres, path, pings),) = await detours(fleet)
    assert source == "straight"
    assert 25 <= pings <= 40
    assert 1_500 < metres < 4_500
    assert max(lat for line in path for _, lat in line) == pytest.approx(LAT + 400 * NORTH, abs=1e-5)
