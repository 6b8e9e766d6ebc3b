"""Pings and claims that break the fold: found in few folds, put aside, and everything else is tracked."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from geo.fold import fold
from geo.pings import Pings
from geo.plan.plans import Timeline
from geo.times import ms_of
from ingest.track.fold import fold as fold_step
from ingest.track.isolate import advance_what_can
from tests.ingest.track.conftest import START, Fleet
from tests.ingest.track.test_claims import say
from tests.ingest.track.trackers import with_step


def test_only_the_driver_whose_fold_breaks_is_searched(east):
    calls = 0

    def break_at_20(tracks, pings, timelines, settles=None):
        nonlocal calls
        calls += 1
        if (pings.rows["recorded_ms"] == ms_of(START) + 20_000).any():
            raise ZeroDivisionError
        return fold.advance(tracks, pings, timelines, settles)

    parts = []
    for driver in range(1, 21):
        pings = east([(100 * driver + at, at) for at in range(50)])
        pings.rows["driver_id"] = pings.rows["device_id"] = driver
        parts.append(pings)
    parts[7].rows["recorded_ms"][13] = ms_of(START) + 20_000
    pings = Pings.concat(parts)
    pings = pings.rows_at(np.lexsort((pings.rows["recorded_ms"], pings.rows["driver_id"])))

    timelines = [Timeline(driver_id=driver) for driver in range(1, 21)]
    _, facts, bad = advance_what_can(fold.fresh(np.arange(1, 21)), pings, timelines, np.zeros(20, bool), break_at_20)
    assert (pings.rows["recorded_ms"][bad] == ms_of(START) + 20_000).all()
    assert len(bad) == 1
    assert len(facts.judged) == len(pings) - 1
    assert calls < 100


async def test_a_ping_that_breaks_the_fold_is_quarantined_and_the_rest_is_tracked(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    advance = fold.advance

    def break_at_20(tracks, pings, timelines, settles=None):
        if (pings.rows["recorded_ms"] == ms_of(START) + 20_000).any():
            raise ZeroDivisionError
        return advance(tracks, pings, timelines, settles)

    await fleet.take_in_steps(with_step("fold", partial(fold_step, advance=break_at_20)))
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160), (30, 240)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 3
    assert await fleet.pool.fetchval("SELECT reason FROM quarantine") == "broke-the-fold"


async def test_a_claim_that_breaks_the_fold_holds_no_pings_up(fleet: Fleet, east, monkeypatch):
    def break_it(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("geo.fold.claims.apply", break_it)
    phone = await fleet.phone(await fleet.driver())
    first, _ = await fleet.route(phone.driver_id, [600, 1500])
    await say(fleet, phone, 10, "arrived", first)
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 3
    assert not await fleet.pool.fetchval("SELECT count(*) FROM quarantine")


async def test_a_ping_and_a_claim_that_break_the_fold_at_once_take_no_other_ping_along(fleet: Fleet, east: Any) -> None:
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    (stop, *_) = await fleet.route(driver, [600, 1500])
    await say(fleet, phone, 5, "arrived", stop)
    advance = fold.advance

    def break_at_20_and_of_claims(tracks: Any, pings: Any, timelines: Any, settles: Any = None) -> Any:
        if (pings.rows["recorded_ms"] == ms_of(START) + 20_000).any() or any(one.claims for one in timelines):
            raise ZeroDivisionError
        return advance(tracks, pings, timelines, settles)

    await fleet.take_in_steps(with_step("fold", partial(fold_step, advance=break_at_20_and_of_claims)))
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160), (30, 240)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 3
    assert await fleet.pool.fetchval("SELECT count(*) FROM quarantine") == 1


@pytest.mark.parametrize(
    ("bad", "most_folds"), [([0], 30), ([255], 30), ([77], 30), ([3, 4, 200], 60), (range(256), 270)]
)
def test_what_breaks_the_fold_of_many_pings_is_found_in_few_folds(east: Any, bad: list[int], most_folds: int) -> None:
    """So many for each bad ping as the log of what lies between two of them, all inside an open transaction."""
    folds = 0
    broken = {ms_of(START) + 1000 * second for second in bad}

    def break_at_bad(tracks: Any, pings: Any, timelines: Any, settles: Any = None) -> Any:
        nonlocal folds
        folds += 1
        if not broken.isdisjoint(pings.rows["recorded_ms"].tolist()):
            raise ZeroDivisionError
        return fold.advance(tracks, pings, timelines, settles)

    pings = east([(second, second) for second in range(256)])
    pings.rows["driver_id"] = pings.rows["device_id"] = 1
    tracks, timelines = fold.fresh(np.array([1])), [Timeline(driver_id=1)]
    _, facts, found = advance_what_can(tracks, pings, timelines, np.zeros(1, bool), break_at_bad)
    assert found.tolist() == list(bad)
    assert len(facts.judged) == 256 - len(found)
    assert folds <= most_folds
