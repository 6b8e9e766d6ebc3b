"""Accounts that keep only what was recorded while somebody works: in a shift, or in the hours of a tour."""

import numpy as np
import pytest

from geo.plan.numbers import EARLY_MS, LATE_MS
from ingest.track.working import EVE_MS, MARGIN_MS, USED_MS, working_spells
from sql.pings.held import REACH_MS, SPELL
from tests.ingest.track.conftest import START, Fleet, Phone
from tests.ingest.track.test_held import count, say, seconds_kept, send, set_policy

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
HOUR = 3600.0


def rows(*spells: tuple[float, float], driver: int = 7) -> np.ndarray:
    """Spells in hours of the hundredth day."""
    base = 100 * DAY_MS
    return np.array([(driver, base + int(a * HOUR_MS), base + int(b * HOUR_MS)) for a, b in spells], SPELL)


def hours(found: np.ndarray) -> list[tuple[float, float]]:
    base = 100 * DAY_MS
    return [((row["from_ms"] - base) / HOUR_MS, (row["until_ms"] - base) / HOUR_MS) for row in found]


NONE = rows()
WHOLE_BEFORE, WHOLE_AFTER = -2400.0, ((1 << 44) - 1 - 100 * DAY_MS) / HOUR_MS


def test_who_uses_neither_is_kept_whole() -> None:
    assert hours(working_spells(np.array([7]), NONE, NONE)) == [(WHOLE_BEFORE, WHOLE_AFTER)]
    assert not len(working_spells(np.array([], np.int64), NONE, NONE))


def test_shifts_and_tours_are_kept_with_a_margin_and_nothing_between() -> None:
    found = hours(working_spells(np.array([7]), rows((8, 12), (20, 22)), rows((7, 11), (30, 36))))
    assert found[1:-1] == [(7, 12), (19.5, 22), (30, 36)]
    assert found[0] == (WHOLE_BEFORE, 7 - 24)  # long before the first one nothing says when they work
    assert found[-1] == (36 + 30 * 24, WHOLE_AFTER)


def test_spells_of_drivers_are_apart_and_in_order() -> None:
    shifts = np.concatenate([rows((8, 12), driver=9), rows((1, 2), driver=7)])
    found = working_spells(np.array([7, 8, 9]), shifts, NONE)
    assert found["driver_id"].tolist() == [7, 7, 7, 8, 9, 9, 9]
    for driver in (7, 8, 9):
        mine = found[found["driver_id"] == driver]
        assert (mine["from_ms"] <= mine["until_ms"]).all()
        assert (mine["from_ms"][1:] > mine["until_ms"][:-1]).all()


def test_what_changes_reaches_back_as_far_as_what_is_judged_by_it() -> None:
    assert EVE_MS + max(EARLY_MS, MARGIN_MS) <= REACH_MS
    assert USED_MS > EVE_MS + LATE_MS


@pytest.fixture
async def phone(fleet: Fleet) -> Phone:
    """The phone of a driver whose account keeps work; no tour yet."""
    driver = await fleet.driver()
    await set_policy(fleet, "working")
    return await fleet.phone(driver)


async def test_without_shifts_and_tours_all_is_kept(fleet: Fleet, phone: Phone) -> None:
    await send(fleet, phone, [(0, 0), (10, 10)])
    await fleet.settle()
    assert await seconds_kept(fleet) == [0, 10]
    assert await count(fleet, "held") == 0


async def test_a_tour_is_kept_from_before_its_start_to_after_its_end(fleet: Fleet, phone: Phone) -> None:
    await fleet.route(phone.driver_id, [600, 1500])
    start, end = await fleet.pool.fetchrow("SELECT start_at, end_at FROM route")
    first, last = ((at - START).total_seconds() for at in (start, end))
    places = [first - 2 * HOUR - 60, first - 2 * HOUR + 60, first, last, last + 4 * HOUR - 60, last + 4 * HOUR + 60]
    await send(fleet, phone, [(at, 0) for at in places])
    await fleet.settle()
    assert await seconds_kept(fleet) == places[1:-1]
    assert await count(fleet, "held") >= 1


async def test_who_says_that_the_shift_has_ended_is_not_followed_home(fleet: Fleet, phone: Phone) -> None:
    await fleet.route(phone.driver_id, [600, 1500])
    await send(fleet, phone, [(0, 0), (60, 10), (120, 20), (180, 30)])
    await fleet.settle()
    assert await seconds_kept(fleet) == [0, 60, 120, 180]
    await say(fleet, phone, "shift_started", -10)
    await say(fleet, phone, "shift_ended", 100)
    await fleet.settle()
    assert await seconds_kept(fleet) == [0, 60]
    await say(fleet, phone, "shift_started", 150 + MARGIN_MS / 1000)
    await fleet.settle()
    assert await seconds_kept(fleet) == [0, 60, 180]


async def test_the_first_shift_says_when_the_day_before_it_was_off(fleet: Fleet, phone: Phone) -> None:
    await send(fleet, phone, [(0, 0), (10 * HOUR, 10), (11.6 * HOUR, 20), (12 * HOUR, 30)])
    await fleet.settle()
    assert len(await seconds_kept(fleet)) == 4
    await say(fleet, phone, "shift_started", 12 * HOUR)
    await fleet.settle()
    assert await seconds_kept(fleet) == [11.6 * HOUR, 12 * HOUR]


async def test_always_again_keeps_what_is_held_and_working_again_does_not(fleet: Fleet, phone: Phone) -> None:
    await fleet.route(phone.driver_id, [600, 1500])
    await say(fleet, phone, "shift_started", -10)
    await say(fleet, phone, "shift_ended", 50)
    await send(fleet, phone, [(0, 0), (100, 10)])
    await fleet.settle()
    assert await seconds_kept(fleet) == [0]
    await set_policy(fleet, "shift")  # stricter: nothing more comes back
    await fleet.settle()
    assert 100 not in await seconds_kept(fleet)
    await set_policy(fleet, "always")
    await fleet.settle()
    assert 100 in await seconds_kept(fleet)
