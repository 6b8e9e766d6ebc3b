"""Re-runs that take many takes: what the feed says of them."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from ingest.config import IngestConfig
from tests.ingest.track.conftest import UNSETTLED, Fleet, after
from tests.ingest.track.test_random_days import DEADLY, commit, make_day
from tests.ingest.track.trackers import Trackers, kill_at_random


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_folded_again_is_told_once_however_many_takes_that_needs(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, seed: int
):
    chance = random.Random(seed)
    day = await make_day(fleet, chance)
    for change in [*day.changes, *(change for word in day.words for change in word)]:
        await commit(fleet, change)
    for phone, pings in day.sends:
        await fleet.send(phone, pings)
    await fleet.settle()
    before, history = await _feed(fleet), await fleet.history()

    monkeypatch.setattr("ingest.track.take.MOST_STEPS", 4)
    monkeypatch.setattr("ingest.track.take.CATCHING_UP", 2)
    kill_at_random(monkeypatch, chance, DEADLY, often=0.02)
    await fleet.pool.execute("UPDATE track SET rerun_from = '2026-03-02', version = version + 1")
    trackers = Trackers(fleet, replace(IngestConfig(), rerun_every_s=0.0))
    await trackers.settle()
    assert await _feed(fleet) == before  # not a word, for it all came out the same
    assert await fleet.history() == history

    first = dict(reversed(day.sends))
    for phone, pings in first.items():
        pings.rows["accuracy_m"] = 400
        await fleet.send(phone, pings)
    await trackers.settle()
    after = Counter(fact_id for fact_id, _, _ in await _feed(fleet))
    after.subtract(fact_id for fact_id, _, _ in before)
    assert max(after.values()) <= 1
    assert await fleet.pool.fetchval("SELECT count(*) FROM rerun") == 0


async def test_late_pings_that_keep_coming_hold_no_facts_up(fleet: Fleet, monkeypatch: pytest.MonkeyPatch, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    pings = east(tour)
    await fleet.send(phone, pings.take(slice(20, None)))
    await fleet.settle()
    monkeypatch.setattr("ingest.track.take.MOST_STEPS", 4)
    told = "SELECT count(*) FROM event WHERE type = 'stop.departed' AND occurred_at < $1"
    assert not await fleet.pool.fetchval(told, after(200))
    for late in range(19, -1, -1):  # each before the last, more often than a re-run takes takes
        await fleet.send(phone, pings.take([late]))
        for _ in range(3):
            await fleet.turn()
    assert await fleet.pool.fetchval(UNSETTLED)
    assert await fleet.pool.fetchval(told, after(200))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM event WHERE type = 'stop.departed'") == 2


async def _feed(fleet: Fleet) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for row in await fleet.pool.fetch("SELECT fact_id, revision, state FROM event ORDER BY fact_id, revision")
    ]
