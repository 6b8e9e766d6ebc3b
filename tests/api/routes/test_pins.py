"""PINs: who sees them and when, what a wrong one does, how they are replaced."""

import random
from dataclasses import replace
from uuid import uuid4

import pytest

from api.http.config import ApiConfig
from api.recipient import stream as tracking
from api.routes.links import token_of
from api.routes.pins import pin_of
from sql.account.accounts import read_instance
from tests.api.conftest import say_events
from tests.api.driver.driver_day import event, feed, number


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events, tracking.operations.add_to]


@pytest.fixture
def api_config():
    return replace(ApiConfig(), max_wrong_pins=3)


@pytest.fixture
def tour(tour):
    for stop in tour["stops"][:2]:
        stop["proof"] = ["pin"]
    return tour


async def pins(phone):
    return [stop["pin"] for stop in await phone.read_stops()]


def wrong(pin):
    return f"{(int(pin) + 1) % 10_000:04d}"


def done(minute, stop, pin):
    return event("completed", minute, stop, **({} if pin is None else {"pin": pin}))


async def test_dispatchers_see_pins_and_viewers_do_not(client, account, phone, bearer, pool):
    first, second, *others = await pins(phone)
    assert len(first) == len(second) == 4
    assert (first + second).isdigit()
    assert others == [None, None]
    secret = (await read_instance(pool)).secret
    assert first == pin_of(secret, number(phone.stops[0]), 0)
    for key, seen in ((account.dispatcher_key, True), (account.viewer_key, False)):
        response = await client.get("/v1/routes/tour-1", headers=bearer(key))
        assert ((await response.json())["stops"][0]["pin"] is not None) is seen


async def test_a_pin_opens_the_stop_and_is_not_kept(phone, pool):
    pin, *_ = await pins(phone)
    assert await phone.outcome(done(5, phone.stops[0], None)) == [("conflict", "pin-required")]
    assert await phone.outcome(done(6, phone.stops[0], wrong(pin))) == [("conflict", "wrong-pin")]
    assert await phone.outcome(done(7, phone.stops[0], f" {pin} ")) == [("applied", None)]
    assert await pool.fetchval("SELECT count(*) FROM driver_event WHERE data::text LIKE '%pin%'") == 0
    assert await pool.fetchval("SELECT count(*) FROM event WHERE data::text LIKE '%pin%'") == 0
    assert [fact[0] for fact in await feed(pool)] == ["stop.completed"]


@pytest.mark.parametrize("order", [[[0], [1]], [[1], [0]], [[0, 1]], [[1, 0]]], ids=str)
async def test_photos_go_with_the_word_that_counts_and_not_with_a_wrong_pin(phone, pool, order):
    pin, *_ = await pins(phone)
    photos = [{"upload_id": str(uuid4()), "kind": "photo"}]
    words = [
        event("completed", 5 + n, phone.stops[0], pin=guess, proofs=photos) for n, guess in enumerate((wrong(pin), pin))
    ]
    for together in order:
        await phone.say(*(words[n] for n in together))
    assert str(await pool.fetchval("SELECT event_id FROM proof")) == words[1]["id"]
    await phone.say(*words)
    assert str(await pool.fetchval("SELECT event_id FROM proof")) == words[1]["id"]


async def test_a_stop_without_one_takes_any_or_none(phone):
    assert await phone.outcome(done(5, phone.stops[2], "1"), done(5, phone.stops[3], None)) == [("applied", None)] * 2
    assert await phone.outcome(event("failed", 6, phone.stops[0], reason="other")) == [("applied", None)]


async def test_guesses_are_limited(phone):
    stop = phone.stops[0]
    pin, *_ = await pins(phone)
    guesses = [done(50 + n, stop, wrong(pin)) for n in range(3)]
    assert await phone.outcome(*guesses) == [("conflict", "wrong-pin")] * 3
    assert await phone.outcome(*guesses) == [("duplicate", "wrong-pin")] * 3
    for guess in (pin, wrong(pin)):  # who goes on guessing does not learn which one it was
        assert await phone.outcome(done(60, stop, guess)) == [("conflict", "pin-locked")]
    assert await phone.outcome(done(5, phone.stops[1], (await pins(phone))[1])) == [("applied", None)]


async def test_guesses_are_limited_however_they_are_dated(phone):
    stop = phone.stops[0]
    pin, *_ = await pins(phone)
    for n in range(12):
        assert await phone.outcome(done(50 - n, stop, wrong(pin))) == [("conflict", "wrong-pin")]
    for guess in (pin, wrong(pin)):
        assert await phone.outcome(done(1, stop, guess)) == [("conflict", "pin-locked")]
    assert (await phone.statuses())[0] == "pending"


@pytest.mark.parametrize("seed", range(3))
async def test_the_right_pin_counts_from_its_moment_whatever_comes_first(phone, pool, seed):
    (pin, second, *_), (stop, locked, *_) = await pins(phone), phone.stops
    events = [done(10, stop, pin), *(done(20 + n, stop, wrong(pin)) for n in range(4))]
    events += [done(30, locked, second), *(done(20 + n, locked, wrong(second)) for n in range(3))]
    random.Random(seed).shuffle(events)
    for one in events:
        await phone.say(one)
    assert (await phone.statuses())[:2] == ["completed", "pending"]
    assert [fact[0] for fact in await feed(pool)] == ["stop.completed"]
    kept = await pool.fetch("SELECT stop_id, why FROM driver_event ORDER BY stop_id, occurred_at")
    assert [row["why"] for row in kept] == [None, *["wrong-pin"] * 3, "pin-locked", *["wrong-pin"] * 3, "pin-locked"]


async def test_another_pin_unlocks(client, account, phone, pool, refused, bearer):
    stop = phone.stops[0]
    pin, *_ = await pins(phone)
    await phone.say(*(done(5 + n, stop, wrong(pin)) for n in range(3)))
    path = f"/v1/stops/{stop}/pin/rotate"
    await refused(await client.post(path, headers=bearer(account.viewer_key)), 403)
    response = await client.post(path, headers=bearer(account.dispatcher_key))
    new = (await response.json())["pin"]
    assert response.headers["Cache-Control"] == "no-store"
    assert new != pin
    assert (await pins(phone))[0] == new
    assert await phone.outcome(done(20, stop, pin), done(21, stop, new)) == [
        ("conflict", "wrong-pin"),
        ("applied", None),
    ]


async def test_what_cannot_be_rotated(client, account, other_account, phone, refused):
    for headers, stop, status in (
        (account.headers, phone.stops[2], 409),
        (account.headers, "st_999", 404),
        (account.headers, "ped-1", 404),
        (other_account.headers, phone.stops[0], 404),
    ):
        await refused(await client.post(f"/v1/stops/{stop}/pin/rotate", headers=headers), status)


@pytest.mark.parametrize("right_comes", ["first", "last"])
async def test_the_order_of_arrival_does_not_unlock(phone, right_comes):
    stop = phone.stops[0]
    pin, *_ = await pins(phone)
    events = [done(5 + n, stop, wrong(pin)) for n in range(3)]
    random.Random(1).shuffle(events)
    right = done(20, stop, pin)
    for one in [right, *events] if right_comes == "first" else [*events, right]:
        await phone.say(one)
    assert await phone.outcome(right) == [("duplicate", "pin-locked")]
    assert (await phone.statuses())[0] == "pending"


async def test_the_recipient_sees_it_when_the_van_is_near(client, phone, pool):
    secret = (await read_instance(pool)).secret

    async def seen(place):
        token = token_of(secret, number(phone.stops[place]), 0)
        return (await (await client.get(f"/v1/track/{token}")).json())["pin"]

    first, second, *_ = await pins(phone)
    assert [await seen(0), await seen(1)] == [None, None]
    await pool.execute("UPDATE route SET status = 'started', started_at = now()")
    assert [await seen(0), await seen(1), await seen(2)] == [first, None, None]
    await phone.say(event("arrived", 4, phone.stops[1]))
    assert [await seen(0), await seen(1)] == [first, second]
    await phone.say(done(5, phone.stops[0], first))
    assert [await seen(0), await seen(1)] == [None, second]


async def test_a_new_pin_is_a_notice_for_its_recipient(client, account, phone, pool):
    waiting = "SELECT stop_id, kind FROM notice WHERE kind = 'pin'"
    assert await pool.fetch(waiting) == []
    assert (await client.post(f"/v1/stops/{phone.stops[0]}/pin/rotate", headers=account.headers)).status == 200
    assert [tuple(row) for row in await pool.fetch(waiting)] == [(number(phone.stops[0]), "pin")]
