"""Tours that nobody ended are over by their hours or with the shift, and what is open of them stays in sight."""

from datetime import timedelta

import pytest

from tests.api.conftest import say_events
from tests.api.driver.driver_day import BASE, at, event, feed, hours, number
from work.feed import closing
from work.feed.closing import close_due

LEFT = "stop.left_open"
OVER = BASE + timedelta(hours=14)
"""Four hours after the planned end of the tour."""


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


async def route(client, account, name="tour-1"):
    return await (await client.get(f"/v1/routes/{name}", headers=account.headers)).json()


async def left_open(pool):
    return [(minute, stop) for kind, minute, stop, *_ in await feed(pool) if kind == LEFT]


async def begin(pool, minute=1):
    """As the tracker would: the tour began."""
    await pool.execute(
        "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id,"
        " route_id, route_version, late)"
        " SELECT account_id, gen_random_uuid(), 1, 'asserted', 'route.started', $1, now(), 0, driver_id, id, version,"
        " false FROM route",
        BASE + timedelta(minutes=minute),
    )
    await pool.execute("UPDATE route SET status = 'started', started_at = $1", BASE + timedelta(minutes=minute))


async def test_what_is_open_when_the_hours_are_over_is_left_open_and_told(client, account, phone, pool):
    first, second, *rest = phone.stops
    await phone.say(event("completed", 30, first))
    await close_due(pool, OVER - timedelta(seconds=1))
    assert "left_open" not in await phone.statuses()
    await close_due(pool, OVER)
    assert await phone.statuses() == ["completed", *["left_open"] * 3]
    assert await left_open(pool) == [(840, stop) for stop in sorted((second, *rest))]
    assert (await route(client, account))["progress"]["left_open"] == 3
    await close_due(pool, OVER + timedelta(hours=1))
    assert len(await pool.fetch("SELECT FROM event WHERE type = $1", LEFT)) == 3


async def test_whatever_is_said_later_counts(phone, pool):
    first, second, third, _ = phone.stops
    await close_due(pool, OVER)
    await phone.say(event("completed", 200, first), event("failed", 300, second, reason="refused"))
    assert (await phone.reopen(third, occurred_at=at(350))).status == 200
    assert await phone.statuses() == ["completed", "failed", "left_open", "left_open"]
    await pool.execute("UPDATE driver_event SET occurred_at = $1 WHERE type = 'reopened'", OVER + timedelta(hours=1))
    await pool.execute("UPDATE route SET look_at = now()")
    await close_due(pool, OVER + timedelta(hours=2))
    assert (await phone.statuses())[2] == "pending"
    assert len(await left_open(pool)) == 1


async def test_the_same_ends_the_same_whatever_came_first(client, account, phone, put_route, pool):
    """Told before the tour was closed, or after: the same in the end."""
    other = [stop["id"] for stop in (await put_route(client, account.key, "another"))["stops"]]
    await phone.say(*(event("completed", 100 + n, stop) for n, stop in enumerate(phone.stops[:2])))
    await close_due(pool, OVER)
    await phone.say(*(event("completed", 100 + n, stop) for n, stop in enumerate(other[:2])))
    await close_due(pool, OVER)
    assert await phone.statuses() == await phone.statuses("another") == ["completed"] * 2 + ["left_open"] * 2
    told = await left_open(pool)
    assert {stop for _, stop in told} == {*phone.stops[2:], *other[2:]}


async def test_the_first_word_makes_a_visit_no_outcome(phone, pool):
    first, second, *_ = phone.stops
    for stop in (first, second):
        await pool.execute(
            "INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, departed_at,"
            " source) SELECT 0, gen_random_uuid(), driver_id, route.account_id, route.id, stop.id, $2, $2, 'auto'"
            " FROM stop JOIN route ON route.id = stop.route_id WHERE stop.id = $1",
            number(stop),
            BASE + timedelta(minutes=20),
        )
    await close_due(pool, OVER)
    assert await phone.statuses() == ["arrived", "arrived", "left_open", "left_open"]
    await phone.say(event("completed", 30, first))
    await close_due(pool, OVER)
    assert await phone.statuses() == ["completed", "left_open", "left_open", "left_open"]


async def test_a_plan_that_ends_later_opens_the_tour_again(client, account, phone, put_route, pool):
    await close_due(pool, OVER)
    assert await phone.statuses() == ["left_open"] * 4
    await put_route(client, account.key, **{**hours(), "end_at": at(900)})
    await close_due(pool, OVER)
    assert await phone.statuses() == ["pending"] * 4
    assert not await left_open(pool)


async def test_the_end_of_the_shift_ends_the_tour_that_was_begun(client, account, phone, pool):
    now = BASE + timedelta(hours=7)
    await phone.say(event("shift_started", 0))
    await begin(pool)
    await phone.say(event("completed", 50, phone.stops[0]), event("shift_ended", 100))
    await close_due(pool, now)
    assert (await route(client, account))["status"] == "finished"
    assert await phone.statuses() == ["completed", *["left_open"] * 3]
    assert {minute for minute, _ in await left_open(pool)} == {100}
    await phone.say(event("shift_started", 120))  # and goes on with it
    await close_due(pool, now)
    assert (await route(client, account))["status"] == "started"
    assert await phone.statuses() == ["completed", "en_route", "pending", "pending"]
    assert not await left_open(pool)


async def test_a_tour_not_begun_outlasts_the_shift(phone, pool):
    await phone.say(event("shift_started", 0), event("shift_ended", 100))
    await close_due(pool, BASE + timedelta(hours=7))
    assert await phone.statuses() == ["pending"] * 4


async def test_a_visit_that_only_the_map_saw_is_reopened(phone, pool):
    assert (await phone.reopen(phone.stops[0])).status == 409
    await phone.say(event("arrived", 10, phone.stops[0]))
    assert (await phone.reopen(phone.stops[0])).status == 200
    assert (await phone.statuses())[0] == "pending"
    assert (await phone.reopen(phone.stops[0])).status == 409


def ended(minute, route="tour-1"):
    return event("route_ended", minute, more={"route_id": route})


async def end(client, account, route="tour-1", **body):
    return await client.post(f"/v1/routes/{route}/end", json=body, headers=account.headers)


async def facts(pool, kind):
    rows = await pool.fetch(
        "SELECT DISTINCT ON (fact_id) state, occurred_at FROM event WHERE type = $1 ORDER BY fact_id, revision DESC",
        kind,
    )
    return sorted((row["state"], (row["occurred_at"] - BASE) / timedelta(minutes=1)) for row in rows)


async def test_a_tour_is_over_when_its_driver_says_so(client, account, phone, pool):
    now = BASE + timedelta(hours=7)
    await begin(pool)
    assert await phone.outcome(event("completed", 50, phone.stops[0]), ended(100), ended(110)) == [
        ("applied", None), ("applied", None), ("conflict", "already-ended"),
    ]  # fmt: skip
    await close_due(pool, now)
    assert await phone.statuses() == ["completed", *["left_open"] * 3]
    assert (await route(client, account))["status"] == "finished"
    assert {minute for minute, _ in await left_open(pool)} == {100}
    assert await facts(pool, "route.ended") == [("asserted", 100)]
    why = await pool.fetch("SELECT DISTINCT data ->> 'why' AS why FROM event WHERE type = $1", LEFT)
    assert [row["why"] for row in why] == ["word"]
    await phone.say(event("failed", 105, phone.stops[1], reason="refused"))  # said later, and nobody drives on
    await close_due(pool, now)
    assert await phone.statuses() == ["completed", "failed", *["left_open"] * 2]


async def test_a_tour_that_was_ended_goes_on_when_it_is_taken_up(phone, pool):
    now = BASE + timedelta(hours=7)
    await phone.say(ended(100))
    await close_due(pool, now)
    assert await phone.statuses() == ["left_open"] * 4
    await phone.say(event("arrived", 120, phone.stops[1]))
    await close_due(pool, now)
    assert (await phone.statuses())[1:] == ["arrived", "pending", "pending"]
    assert not await left_open(pool)
    assert await phone.outcome(ended(200)) == [("applied", None)]
    await close_due(pool, now)
    assert {minute for minute, _ in await left_open(pool)} == {200}
    assert await facts(pool, "route.ended") == [("asserted", 100), ("asserted", 200)]


async def test_an_end_said_late_counts_from_when_it_was_said_for(phone, pool):
    """What came first decides, not what came in first: the word of 100 makes that of 200 the second of one end."""
    now = BASE + timedelta(hours=7)
    await phone.say(ended(200))
    await close_due(pool, now)
    await phone.say(ended(100))
    await close_due(pool, now)
    assert {minute for minute, _ in await left_open(pool)} == {100}
    assert await facts(pool, "route.ended") == [("asserted", 100), ("retracted", 200)]


async def test_a_dispatcher_ends_a_tour_at_once(client, account, phone, pool):
    await phone.say(event("completed", 50, phone.stops[0]))
    assert (await end(client, account, occurred_at=at(100), note="the van broke down")).status == 200
    assert await phone.statuses() == ["completed", *["left_open"] * 3]
    assert (await route(client, account))["status"] == "finished"
    assert (await end(client, account)).status == 409
    assert (await phone.reopen(phone.stops[3])).status == 200
    await close_due(pool, BASE + timedelta(hours=7))
    assert await phone.statuses() == ["completed", "pending", "pending", "pending"]


async def test_a_tour_nobody_drives_cannot_be_ended(client, account, phone, put_route, pool, refused):
    await put_route(client, account.key, "nobodys", driver=None)
    await refused(await end(client, account, "nobodys"), 409)
    await refused(await end(client, account, "unknown"), 404)
    await refused(await end(client, account, occurred_at=at(500)), 422, "/occurred_at")
    assert await phone.outcome(ended(10, "unknown"), event("route_ended", 20)) == [
        ("rejected", "unknown-route"), ("rejected", "invalid-fields"),
    ]  # fmt: skip


async def test_a_new_stop_opens_a_tour_that_was_ended(client, account, phone, put_route, pool, tour):
    await end(client, account, occurred_at=at(100))
    assert await phone.statuses() == ["left_open"] * 4
    more = {**tour["stops"][0], "external_id": "one-more"}
    await put_route(client, account.key, **{**hours(), "driver": "ana", "stops": [*tour["stops"], more]})
    await close_due(pool, BASE + timedelta(hours=7))
    assert set(await phone.statuses()) == {"en_route", "pending"} or set(await phone.statuses()) == {"pending"}


async def test_a_tour_that_cannot_be_closed_keeps_no_other_open(client, account, phone, put_route, pool, monkeypatch):
    await put_route(client, account.key, "tour-0", **hours())
    strange = await pool.fetchval("SELECT id FROM route ORDER BY look_at, id LIMIT 1")
    close = closing.close_tour

    async def close_some(db, route_id, *, now):
        if route_id == strange:
            raise KeyError(route_id)
        await close(db, route_id, now=now)

    monkeypatch.setattr(closing, "close_tour", close_some)
    with pytest.raises(KeyError):
        await close_due(pool, OVER + timedelta(hours=12))
    closed = dict(await pool.fetch("SELECT id, closed_at IS NOT NULL FROM route"))
    assert len(closed) == 2
    assert all(is_closed == (route_id != strange) for route_id, is_closed in closed.items())
