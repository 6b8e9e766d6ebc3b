"""Ends of shifts and breaks in the feed: dated when they must have been, once each, and other when more is said."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, event
from work.feed.ends import tell_ends_due

LONGEST = timedelta(hours=16)


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


async def look(pool, hours=6):
    """Look at what may be over, so long after the day began."""
    now = max(BASE + timedelta(hours=hours), datetime.now(UTC) + timedelta(seconds=1))
    return await tell_ends_due(pool, now, longest=LONGEST)


async def told(pool):
    rows = await pool.fetch(
        "SELECT DISTINCT ON (fact_id) type, state, occurred_at, data->>'how' AS how FROM event"
        " WHERE type IN ('shift.ended', 'break.ended') ORDER BY fact_id, revision DESC"
    )
    return sorted(
        (row["type"].split(".")[0], (row["occurred_at"] - BASE) / timedelta(minutes=1), row["how"])
        for row in rows
        if row["state"] != "retracted"
    )


async def test_ends_are_told_once_and_only_who_is_due_is_looked_at(phone, pool):
    begin = event("shift_started", 10)
    await phone.say(begin, event("break_started", 30), event("break_ended", 40), event("shift_ended", 200))
    await look(pool)
    await look(pool)
    assert await told(pool) == [("break", 40, "said"), ("shift", 200, "said")]
    rows = await pool.fetch("SELECT revision, data FROM event WHERE type IN ('shift.ended', 'break.ended')")
    assert [row["revision"] for row in rows] == [1, 1]
    data = rows[1]["data"]
    assert datetime.fromisoformat(data.pop("started_at")) == BASE + timedelta(minutes=10)
    assert data == {"how": "said", "event_id": begin["id"]}
    assert await pool.fetchval("SELECT shifts_look_at FROM driver WHERE external_id = 'ana'") is None


@pytest.mark.parametrize(
    ("word", "end"),
    [(("break_ended", 60), (60, "said")), (("shift_ended", 70), (70, "shift")), (("note", 60), (150, "limit"))],
)
async def test_a_break_is_over_by_a_word_or_all_the_same(phone, pool, word, end):
    await phone.say(event("shift_started", 0), event("break_started", 30), event(*word))
    await look(pool)
    assert ("break", *end) in await told(pool)


async def test_a_delivery_ends_a_break_and_says_so_when_it_is_told_late(phone, pool):
    await phone.say(event("shift_started", 0), event("break_started", 30))
    await look(pool)
    assert await told(pool) == [("break", 150, "limit")]
    await phone.say(event("completed", 90, phone.stops[0]))
    await look(pool)
    assert await told(pool) == [("break", 90, "word")]
    await phone.say(event("break_ended", 50))
    await look(pool)
    assert await told(pool) == [("break", 50, "said")]
    states = await pool.fetch("SELECT state FROM event WHERE type = 'break.ended' ORDER BY revision")
    assert [row["state"] for row in states] == ["asserted", "corrected", "corrected"]


async def test_a_visit_that_pings_show_ends_a_break(phone, pool):
    await phone.say(event("shift_started", 0), event("break_started", 30))
    await pool.execute(
        "INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, source)"
        " SELECT 0, gen_random_uuid(), driver_id, route.account_id, route.id, stop.id, $1, 'auto'"
        " FROM stop JOIN route ON route.id = stop.route_id LIMIT 1",
        BASE + timedelta(minutes=55),
    )
    await look(pool)
    assert await told(pool) == [("break", 55, "visit")]


async def test_a_shift_that_nobody_ended_is_over_at_its_limit_or_with_what_was_done_last(phone, pool):
    await phone.say(event("shift_started", -60), event("completed", 90, phone.stops[0]))
    await look(pool, hours=14)
    assert await told(pool) == []
    assert await pool.fetchval("SELECT count(*) FROM driver WHERE shifts_look_at > now()") == 1
    await look(pool, hours=16)
    assert await told(pool) == [("shift", 900, "limit")]
    await phone.say(event("shift_ended", 300))
    await look(pool, hours=16)
    assert await told(pool) == [("shift", 300, "said")]


async def test_a_shift_that_the_clock_ended_goes_on_with_what_was_done_after_it(phone, pool):
    await phone.say(event("shift_started", -1000))
    await look(pool)
    assert await told(pool) == [("shift", -40, "limit")]
    await phone.say(event("completed", 90, phone.stops[0]))
    await look(pool)
    [(kind, minute, how)] = await told(pool)
    assert (kind, how) == ("shift", "limit")
    assert 90 < minute < 90.01


async def test_an_end_is_taken_back_with_the_shift_that_had_it(phone, pool):
    await phone.say(event("shift_started", 0), event("shift_started", 300))
    await look(pool)
    assert await told(pool) == [("shift", 300, "next")]
    await phone.say(event("shift_started", -230))  # the one of minute 0 was the same one, said twice
    await look(pool)
    assert await told(pool) == [("shift", 300, "next")]
    states = await pool.fetch("SELECT state FROM event WHERE type = 'shift.ended' ORDER BY id")
    assert sorted(row["state"] for row in states) == ["asserted", "asserted", "retracted"]


SAID = [
    ("shift_started", 0),
    ("break_started", 30),
    ("completed", 60),
    ("break_started", 100),
    ("shift_ended", 150),
    ("shift_started", 200),
]


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4, 5), (5, 4, 3, 2, 1, 0), (2, 4, 0, 5, 1, 3)])
async def test_ends_are_the_same_in_any_order_of_arrival(phone, pool, order):
    for place, looks in zip(order, itertools.cycle((True, False))):
        kind, minute = SAID[place]
        await phone.say(event(kind, minute, *([phone.stops[0]] if kind == "completed" else [])))
        if looks:
            await look(pool)
    await look(pool)
    assert await told(pool) == [("break", 60, "word"), ("break", 150, "shift"), ("shift", 150, "said")]
    assert await pool.fetchval("SELECT bool_and(effective) FROM driver_event")
