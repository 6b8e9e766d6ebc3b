"""From the inbox to what follows: pings, tracks, visits, live positions, ETAs and events."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from geo.trust.clean import Flag
from ingest.track.tracker import Hints
from sql.inbox.takes import Block
from tests.ingest.track.conftest import START, Fleet, after


async def test_a_ping_becomes_a_row_and_a_position(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0), (10, 80)], speed_mps=8, battery=0.5))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 2
    live = await fleet.pool.fetchrow("SELECT * FROM live")
    assert live["recorded_at"] == START + timedelta(seconds=10)
    assert (live["driver_id"], live["route_id"]) == (phone.driver_id, None)
    assert (live["speed_mps"], live["battery"]) == (8, 0.5)


async def test_a_tour_is_driven(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    stops = await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east(tour))
    await fleet.settle()
    visits = await fleet.pool.fetch("SELECT * FROM visit ORDER BY arrived_at")
    assert [visit["stop_id"] for visit in visits] == stops
    assert all(visit["departed_at"] > visit["arrived_at"] for visit in visits)
    types = {row["type"] for row in await fleet.pool.fetch("SELECT type FROM event")}
    assert {"route.started", "stop.arrived", "stop.departed"} <= types
    statuses = await fleet.pool.fetch("SELECT status, departed_at FROM stop ORDER BY seq")
    assert [row["status"] for row in statuses] == ["arrived", "arrived"]
    finished_at = await fleet.pool.fetchval("SELECT finished_at FROM route WHERE status = 'finished'")
    snapped = await fleet.pool.fetch("SELECT recorded_at, along_m FROM ping ORDER BY recorded_at")
    assert all((row["along_m"] is None) == (row["recorded_at"] > finished_at) for row in snapped)


async def test_the_eta_is_written_for_the_stops_ahead(fleet: Fleet, east):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    stops = await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(0, 0), (10, 80), (20, 160)], speed_mps=8))
    await fleet.settle()
    eta = await fleet.pool.fetchrow("SELECT * FROM route_eta")
    assert eta["stop_ids"] == stops
    assert START < eta["low"][0] < eta["expected"][0] < eta["high"][0] < eta["expected"][1]
    assert eta["remaining_m"][0] == pytest.approx(440, abs=15)


async def test_the_same_fix_twice_is_one_row(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    pings = east([(0, 0), (10, 80), (10, 80)])
    await fleet.send(phone, pings)
    await fleet.send(phone, pings)
    await fleet.settle()
    await fleet.send(phone, pings)
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 2


async def test_a_late_ping_does_not_move_the_driver_back(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(100, 800)]))
    await fleet.settle()
    await fleet.send(phone, east([(50, 400)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == START + timedelta(seconds=100)
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 2


async def test_a_clock_ahead_is_kept_and_moves_nothing(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(4000, 100)], flags=8))
    await fleet.send(phone, east([(0, 0), (10, 80)]))
    await fleet.send(phone, east([(4000, 100)]))
    await fleet.settle()
    believed = await fleet.pool.fetch("SELECT believed FROM ping ORDER BY recorded_at")
    assert [row["believed"] for row in believed] == [True, True, False]
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == START + timedelta(seconds=10)


async def test_a_backlog_longer_than_a_take_is_folded_whole(fleet: Fleet, east):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east([(second, second * 0.5) for second in range(900)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed IS NOT NULL") == 900
    assert await fleet.pool.fetchval("SELECT count(*) FROM checkpoint") >= 2


async def test_many_pings_in_one_millisecond_do_not_stop_the_driver(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, i / 10) for i in range(700)]))
    await fleet.settle()
    await fleet.send(phone, east([(0, 100 + i / 10) for i in range(700)]))
    await fleet.settle()
    await fleet.send(phone, east([(5, 20)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == START + timedelta(seconds=5)


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_any_split_end_in_the_same_history(fleet: Fleet, east, tour, seed: int):
    """Promise 3: sent live, ping by ping; then all again in a shuffled order, in batches of any size."""
    chance = random.Random(seed)
    first, second = await fleet.driver("ana"), await fleet.driver("bo")
    phones = [await fleet.phone(first), await fleet.phone(second), await fleet.phone(first)]
    await fleet.route(first, [600, 1500])
    noisy = [(at, metres + (30_000 if i == 20 else 0)) for i, (at, metres) in enumerate(tour)]
    sends = [(phones[0], place) for place in noisy]
    sends += [(phones[1], (at, metres + 5)) for at, metres in tour[::3]]
    sends += [(phones[2], (at + 1, metres)) for at, metres in tour[5:9]]
    for phone, place in sends:
        await fleet.send(phone, east([place]))
    await fleet.settle()
    live = await fleet.history()

    await fleet.pool.execute(
        "TRUNCATE packed_ping, track, checkpoint, live, visit, event, route_eta;"
        " UPDATE stop SET status = 'pending', arrived_at = NULL, departed_at = NULL;"
        " UPDATE route SET status = 'planned', started_at = NULL, finished_at = NULL"
    )
    await fleet.restart()
    chance.shuffle(sends)
    while sends:
        size = chance.choice((1, 3, 20))
        for phone in phones:
            if batch := [place for sender, place in sends[:size] if sender is phone]:
                await fleet.send(phone, east(batch))
        del sends[:size]
        if chance.random() < 0.3:
            await fleet.turn()
    await fleet.settle()
    assert await fleet.history() == live


async def test_a_fact_that_changes_is_corrected_in_the_feed(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    stops = await fleet.route(driver, [600, 1500])
    at_first_stop = [place for place in tour if place[1] == 600.0]
    rest = [place for place in tour if place[1] != 600.0]
    await fleet.send(phone, east([*rest, *at_first_stop[5:]]))
    await fleet.settle()
    before = await fleet.pool.fetchval("SELECT arrived_at FROM visit WHERE stop_id = $1", stops[0])
    await fleet.send(phone, east(at_first_stop[:5]))
    await fleet.settle()
    after = await fleet.pool.fetchval("SELECT arrived_at FROM visit WHERE stop_id = $1", stops[0])
    assert after != before
    revisions = await fleet.pool.fetch(
        "SELECT revision, state FROM event WHERE type = 'stop.arrived' AND stop_id = $1 ORDER BY revision", stops[0]
    )
    assert [tuple(row) for row in revisions] == [(1, "asserted"), (2, "corrected")]


async def test_a_new_version_of_the_route_counts_from_when_it_was_made(fleet: Fleet, east, tour):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600, 1500])
    await fleet.send(phone, east(tour))
    await fleet.settle()
    middle_s = tour[len(tour) // 2][0]
    await fleet.route(driver, [600, 1500, 1600], version=2, effective_at=START + timedelta(seconds=middle_s))
    await fleet.settle()
    rows = await fleet.pool.fetch("SELECT recorded_at, route_version FROM ping ORDER BY recorded_at")
    for row in rows:
        expected = 1 if row["recorded_at"] < START + timedelta(seconds=middle_s) else 2
        assert row["route_version"] == expected


async def test_a_tracker_counts_what_it_does(fleet: Fleet, east, tour):
    def count(name: str) -> float:
        return REGISTRY.get_sample_value(name) or 0.0

    names = ("reparto_take_seconds_count", "reparto_pings_taken_total", "reparto_reruns_total")
    before = {name: count(name) for name in names}
    phone = await fleet.phone(await fleet.driver())
    pings = east(tour)
    await fleet.send(phone, pings.rows_at([*range(10), *range(20, 30)]))
    await fleet.settle()
    assert count("reparto_take_drivers_behind") == 0
    assert count("reparto_reruns_total") == before["reparto_reruns_total"]
    await fleet.send(phone, pings.rows_at([*range(10, 21)]))  # late, and one again
    await fleet.settle()
    assert count("reparto_pings_taken_total") - before["reparto_pings_taken_total"] == 31
    assert count("reparto_reruns_total") - before["reparto_reruns_total"] == 1
    assert count("reparto_take_seconds_count") - before["reparto_take_seconds_count"] >= 2
    assert count("reparto_take_drivers_behind") == 0


async def test_while_takes_are_small_one_has_all_lanes_and_the_next_may_wait(fleet: Fleet, east) -> None:
    fleet.config = replace(fleet.config, lanes_at_once=1, pings_worth_a_take=6, drivers_worth_a_take=1)
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo", "cris")]
    assert len({phone.lane for phone in phones}) == 3

    async def left_of(each: int, from_s: int) -> tuple[int, bool]:
        for phone in phones:
            await fleet.send(phone, east([(from_s + second, 0) for second in range(each)]))
        await fleet.turn()
        assert fleet.tracker is not None
        return await fleet.pool.fetchval("SELECT sum(pings) FROM inbox"), fleet.tracker.may_gather

    assert await left_of(1, 0) == (2, False)
    assert await left_of(1, 10) == (None, True)
    assert await left_of(4, 20) == (None, False)
    assert await left_of(4, 30) == (8, False)


async def test_a_backlog_is_taken_from_more_lanes_while_few_drivers_are_in_them(fleet: Fleet, east) -> None:
    fleet.config = replace(fleet.config, lanes_at_once=1, pings_worth_a_take=1, drivers_worth_a_take=3)
    phones = [await fleet.phone(await fleet.driver(name)) for name in ("ana", "bo", "cris", "dora")]
    assert len({phone.lane for phone in phones}) == 4
    half = await fleet.pool.fetchval("SELECT lanes FROM instance") // 2

    async def left_of(from_s: int) -> int | None:
        for phone in phones:
            await fleet.send(phone, east([(from_s + second, 0) for second in range(2)]))
        await fleet.turn()
        left: int | None = await fleet.pool.fetchval("SELECT count(DISTINCT lane) FROM inbox")
        return left

    assert half >= 3
    assert await left_of(0) == 3  # nothing is known yet: one lane
    assert await left_of(10) == 1  # one driver was in it: three


@pytest.mark.parametrize("together", [True, False])
async def test_of_what_copies_of_a_fix_tell_the_greater_counts(fleet: Fleet, east, together: bool):
    phone = await fleet.phone(await fleet.driver())
    places = [(0, 0), (10, 80), (20, 160)]
    first = east(places, accuracy_m=float("nan"), speed_mps=8)
    second = east(places, accuracy_m=[5, 900, 5], speed_mps=[3, 3, 9], battery=0.5, mock=0)
    second.texts[:, 0] = "driving"
    await fleet.send(phone, first)
    if not together:
        await fleet.settle()
        assert await fleet.pool.fetchval("SELECT bool_and(believed) FROM ping")
    await fleet.send(phone, second)
    await fleet.settle()
    rows = await fleet.pool.fetch(
        "SELECT accuracy_m, speed_mps, battery, mock, activity, believed FROM ping ORDER BY recorded_at"
    )
    assert [tuple(row) for row in rows] == [
        (5, 8, 0.5, False, "driving", True),
        (900, 8, 0.5, False, "driving", False),  # and it is judged by that
        (5, 9, 0.5, False, "driving", True),
    ]
    assert tuple(await fleet.pool.fetchrow("SELECT speed_mps, battery FROM live")) == (9, 0.5)
    reruns = await fleet.pool.fetchval("SELECT rerun_at FROM track")
    second.texts[:, 1] = "another id"  # of no concern to the fold
    for again in (first, second):
        await fleet.send(phone, again)
        await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE client_id = 'another id'") == 3
    assert await fleet.pool.fetchval("SELECT rerun_at FROM track") == reruns  # nothing folded again


@pytest.mark.parametrize("ahead_first", [True, False])
async def test_a_fix_of_which_a_copy_says_that_the_clock_is_ahead_counts_for_nothing(
    fleet: Fleet, east, ahead_first: bool
):
    driver = await fleet.driver()
    phone = await fleet.phone(driver)
    await fleet.route(driver, [600])
    pings = east([(0, 0), (10, 80), (20, 160)])
    ahead = pings.rows_at([2])
    ahead.rows["flags"] = Flag.CLOCK_AHEAD | Flag.EPOCH_2001
    for sent in (ahead, pings) if ahead_first else (pings, ahead):
        await fleet.send(phone, sent)
        await fleet.settle()
    last = await fleet.pool.fetchrow("SELECT * FROM ping ORDER BY recorded_at DESC LIMIT 1")
    assert (last["flags"], last["believed"], last["route_id"], last["along_m"]) == (8 | 256, False, None, None)
    assert await fleet.pool.fetchval("SELECT recorded_at FROM live") == after(10)


async def test_a_driver_whose_only_ping_is_ahead_of_time_stops_nobody(fleet: Fleet, east):
    phone, other = await fleet.phone(await fleet.driver("ana")), await fleet.phone(await fleet.driver("bo"))
    await fleet.route(phone.driver_id, [600, 1500])
    await fleet.send(phone, east([(4000, 100)], flags=8))
    await fleet.send(other, east([(0, 0)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping") == 2
    assert await fleet.pool.fetchval("SELECT driver_id FROM live") == other.driver_id


async def test_every_ping_of_one_millisecond_is_folded(fleet: Fleet, east):
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, i / 10) for i in range(700)]))
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 700


def test_a_block_that_came_very_late_is_found_in_the_end(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("ingest.track.tracker.time.monotonic", lambda: now_s)
    hints = Hints(2)
    hints.note([Block(lane=1, id=7, received_at=START, body=b"")])
    now_s = 61.0
    hints.note([])
    hints.look_again()
    assert hints.after == {0: 0, 1: 7}
    now_s = 700.0
    hints.look_again()
    assert hints.after == {0: 0, 1: 0}


def test_the_search_starts_behind_what_was_taken_two_seconds_ago_and_once_a_second_further_back(monkeypatch):
    now_s = 0.0
    monkeypatch.setattr("ingest.track.tracker.time.monotonic", lambda: now_s)
    hints = Hints(2)
    for second in range(70):
        now_s = float(second)
        hints.note([Block(lane=1, id=second, received_at=START, body=b"")])
    assert hints.start() == {0: 0, 1: 8}  # nobody had looked so far back for a second
    assert hints.start() == {0: 0, 1: 66}
    now_s += 1.0
    assert hints.start() == {0: 0, 1: 8}


async def test_a_block_whose_commit_took_long_is_found_behind_those_that_were_taken(fleet: Fleet, east, monkeypatch):
    monkeypatch.setattr("ingest.track.tracker.NEARLY_SETTLED_S", 0.0)
    monkeypatch.setattr("ingest.track.tracker.LOOK_BACK_S", 0.0)
    phone = await fleet.phone(await fleet.driver())
    await fleet.send(phone, east([(0, 0.1)]))
    late = await fleet.pool.fetchrow("DELETE FROM inbox RETURNING *")
    for at in (0.2, 0.3):
        await fleet.send(phone, east([(1, at)]))
        await fleet.settle()
    await fleet.pool.execute(
        "INSERT INTO inbox (lane, id, received_at, pings, body) VALUES ($1, $2, $3, $4, $5)", *late.values()
    )
    await fleet.settle()
    assert await fleet.pool.fetchval("SELECT count(*) FROM ping WHERE believed") == 3
