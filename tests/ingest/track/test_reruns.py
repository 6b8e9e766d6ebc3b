"""Re-runs that take many takes: what the feed says of them."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from ingest.config import IngestConfig
from ingest.track.batch import Limits
from ingest.track.take import STEPS
from tests.ingest.track.conftest import AT_FIRST_STOP, UNSETTLED, Fleet, after
from tests.ingest.track.planning import commit
from tests.ingest.track.test_random_days import make_day
from tests.ingest.track.trackers import Trackers, deadly, kill_at_commit


@pytest.mark.parametrize("seed", range(2))
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

    kill_at_commit(monkeypatch, chance, often=0.02)
    await fleet.pool.execute("UPDATE track SET rerun_from = '2026-03-02', version = version + 1")
    trackers = Trackers(
        fleet,
        replace(IngestConfig(), rerun_every_s=0.0),
        steps=deadly(STEPS, chance, often=0.02),
        limits=Limits(steps=4, behind=2),
    )
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


async def test_late_pings_that_keep_coming_hold_no_facts_up(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    pings = east(tour)
    await fleet.send(phone, pings.rows_at(slice(20, None)))
    await fleet.settle()
    await fleet.take_less(steps=4)
    told = "SELECT count(*) FROM event WHERE type = 'stop.departed' AND occurred_at < $1"
    assert not await fleet.pool.fetchval(told, after(200))
    for late in range(19, -1, -1):  # each before the last, more often than a re-run takes takes
        await fleet.send(phone, pings.rows_at([late]))
        for _ in range(3):
            await fleet.turn()
    assert await fleet.pool.fetchval(UNSETTLED)
    assert await fleet.pool.fetchval(told, after(200))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM event WHERE type = 'stop.departed'") == 2


async def test_a_driver_who_must_wait_for_a_re_run_still_moves(fleet: Fleet, east):
    fleet.config = replace(fleet.config, rerun_every_s=3600)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0), (30, 240)]))
    await fleet.settle()
    for late_s in (10, 20):
        await fleet.send(phone, east([(late_s, 8 * late_s)]))
        while await fleet.turn():
            pass
    await fleet.send(phone, east([(40, 320)]))
    while await fleet.turn():
        pass
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == after(40)
    assert await fleet.pool.fetchval("SELECT rerun_from FROM track") == after(20)
    fleet.config = replace(fleet.config, rerun_every_s=0)
    await fleet.restart()
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 5


async def test_a_jump_believed_after_a_checkpoint_is_doubted_again(fleet: Fleet, east):
    """The ping that spoke for it is not the next one any more."""
    await fleet.take_less(steps=4)
    phone = await fleet.phone(await fleet.driver())
    # two believed fixes: where the van is is not established, and one more witness clears a jump
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160), (30, 30_000)], accuracy_m=[5, 5, 900, 5]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT folded_until FROM checkpoint") == after(30)
    await fleet.send(phone, east([(40, 30_080)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 4
    await fleet.send(phone, east([(35, 280)]))
    await fleet.settle()
    unbelieved = await fleet.pool.fetch("SELECT recorded_at, flags FROM ping WHERE NOT believed ORDER BY 1")
    assert [tuple(row) for row in unbelieved] == [(after(20), 1), (after(30), 2), (after(40), 2)]


async def test_a_visit_that_begins_later_after_all_keeps_its_end(fleet: Fleet, east):
    """Its beginning is taken back in one take of a re-run and told anew in the next; its end is the same."""
    await fleet.take_less(steps=4)
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    approach = [(60.0, 400.0), (70.0, 450.0), (80.0, 500.0), (90.0, 520.0)]
    leaving = [(200.0 + 10 * i, 680.0 + 80 * i) for i in range(6)]
    await fleet.send(phone, east([*approach, *AT_FIRST_STOP, *leaving]))
    await fleet.settle()
    before = await fleet.pool.fetchrow("SELECT * FROM visit")
    assert (before["arrived_at"], before["departed_at"]) == (after(100), after(190))
    await fleet.send(phone, east([(105, 800)], speed_mps=30))
    await fleet.settle()
    visit = await fleet.pool.fetchrow("SELECT * FROM visit")
    assert (visit["arrived_at"], visit["departed_at"]) == (after(110), after(190))
    stop = await fleet.pool.fetchrow("SELECT arrived_at, departed_at FROM stop WHERE arrived_at IS NOT NULL")
    assert tuple(stop) == (after(110), after(190))


async def _feed(fleet: Fleet) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for row in await fleet.pool.fetch("SELECT fact_id, revision, state FROM event ORDER BY fact_id, revision")
    ]
