"""How much is kept of what drivers say, and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from api.http.config import ApiConfig
from reparto.run.jobs import jobs_of
from reparto.settings.settings import Settings
from sql.delivery.stop_states import settle_stops
from sql.track.live import LIVE_CHANNEL
from tests.api.conftest import say_events
from tests.api.driver.driver_day import Phone, event, number
from work.proofs.config import ProofConfig
from work.proofs.store import open_proof_store
from work.roads.choose import STRAIGHT
from work.upkeep.config import RetentionConfig

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)


ALL_OLD = Settings(retention=RetentionConfig(retention_most_days=36_500))
"""Nothing is too much to go at once."""


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


@pytest.fixture
def api_config():
    return replace(ApiConfig(), max_same_events=3, max_day_events=6)


def on(kind, day, minute, stop=None, **data):
    """Make an event of the third last day, or one so many days after it."""
    moment = NOON + timedelta(days=day, minutes=minute)
    return event(kind, 0, *([] if stop is None else [stop]), **data, more={"occurred_at": moment.isoformat()})


# How much -------------------------------------------------------------------------------------------------------------

TOO_MANY = ("rejected", "too-many")


async def test_who_says_the_same_again_and_again_is_not_kept_from_saying_the_rest(phone, pool):
    stop, other, *_ = phone.stops
    loop = [on("arrived", 0, minute, stop) for minute in range(5)]
    applied = ("applied", None)
    # those that happened first are kept, wherever they stand in the batch
    assert await phone.outcome(*reversed(loop), loop[4]) == [TOO_MANY, TOO_MANY, *[applied] * 3, TOO_MANY]
    assert await phone.outcome(*loop) == [("duplicate", None)] * 3 + [TOO_MANY] * 2
    assert await phone.outcome(on("arrived", 0, 9, other), on("completed", 0, 9, stop)) == [applied] * 2
    assert (await phone.statuses())[:2] == ["completed", "arrived"]
    assert await pool.fetchval("SELECT count(*) FROM driver_event") == 5
    assert {tuple(row) for row in await pool.fetch("SELECT source, reason FROM quarantine")} == {("events", "too-many")}


async def test_what_names_no_stop_is_limited_likewise(phone):
    loop = [on("route_started", 0, minute) for minute in range(4)]
    assert await phone.outcome(*loop) == [*[("conflict", "no-route")] * 3, TOO_MANY]
    next_day = on("route_started", 1, 0)
    assert await phone.outcome(on("note", 0, 5), next_day) == [("applied", None), ("conflict", "no-route")]


async def test_a_day_has_room_for_so_many_and_the_next_one_for_as_many_again(
    client, account, phone, make_driver, make_device
):
    words = [on("note", 0, minute, phone.stops[minute % 4]) for minute in range(8)]
    assert await phone.outcome(*words) == [("applied", None)] * 6 + [TOO_MANY] * 2
    assert await phone.outcome(words[-1], words[0]) == [TOO_MANY, ("duplicate", None)]
    assert await phone.outcome(on("note", 1, 0, phone.stops[3])) == [("applied", None)]
    beto = await make_driver(client, account.key, "beto")
    token = (await make_device(client, account.key, beto["id"]))["token"]
    other = Phone(client=client, account=account, token=token, driver=beto["id"])
    assert await other.outcome(on("note", 0, 0)) == [("applied", None)]


async def test_a_batch_is_kept_wakes_and_is_set_aside_by_one_commit_or_not_at_all(phone, pool):
    """A phone whose batch was answered with 500 has sent nothing yet, and nobody looks at what is not so."""
    batch = [on("completed", 0, 0, phone.stops[0]), on("note", 0, 1, "st_999999")]
    woken: list[str] = []

    def listen(_connection, _pid, _channel, payload):
        woken.append(payload)

    async with pool.acquire() as listener:
        await listener.add_listener(LIVE_CHANNEL, listen)
        try:
            await pool.execute("ALTER TABLE quarantine RENAME TO locked")
            assert (await phone.post({"events": batch})).status == 500
            assert await pool.fetchval("SELECT count(*) FROM driver_event") == 0
            await pool.execute("ALTER TABLE locked RENAME TO quarantine")
            assert woken == []
            assert await phone.outcome(*batch) == [("applied", None), ("rejected", "unknown-stop")]
            assert await pool.fetchval("SELECT count(*) FROM quarantine") == 1
            await listener.execute("SELECT")
            assert [one.split(":")[1] for one in woken] == [str(number(phone.driver))]
        finally:
            await listener.remove_listener(LIVE_CHANNEL, listen)


async def test_a_dispatcher_is_not_limited_by_what_the_driver_said(phone):
    stop = phone.stops[0]
    await phone.say(on("failed", 0, 0, stop, reason="other"), *(on("note", 0, 1, stop) for _ in range(3)))
    assert (await phone.reopen(stop, occurred_at=(NOON + timedelta(minutes=5)).isoformat())).status == 200


# How long -------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def forget(pool, tmp_path):
    """Do what `work` does until there is no more to do."""
    async with open_proof_store(ProofConfig(), folder=tmp_path / "blobs") as store:
        (job,) = [one for one in jobs_of(ALL_OLD, STRAIGHT, store) if one.name == "driver event retention"]

        async def do():
            while await job.do(pool):
                pass

        yield do


async def age(pool, *events, days=800):
    """Let events have happened so long ago."""
    await pool.execute(
        "UPDATE driver_event SET occurred_at = occurred_at - $2 * interval '1 day',"
        " received_at = received_at - $2 * interval '1 day' WHERE id = ANY ($1::uuid[])",
        [one["id"] for one in events],
        days,
    )


async def left(pool, *events):
    """Which of these events are there."""
    there = {str(row["id"]) for row in await pool.fetch("SELECT id FROM driver_event")}
    return [one["id"] in there for one in events]


async def test_what_was_said_of_a_stop_goes_at_once_and_the_stop_stays_as_it_was(
    client, account, phone, pool, put_route, tour, forget
):
    gone, proven, spoken, young = phone.stops
    photos = [{"upload_id": str(uuid4()), "kind": "photo"} for _ in range(2)]
    old = [
        on("arrived", 0, 0, gone),
        on("completed", 0, 1, gone, recipient={"name": "Ana"}, proofs=photos[:1]),
        on("skipped", 0, 2, gone),
        on("completed", 0, 1, proven, proofs=photos[1:]),
        on("arrived", 0, 0, spoken),
    ]
    new = [on("completed", 2, 1, spoken), on("arrived", 2, 1, young)]
    await phone.say(*old, *new)
    await pool.execute("UPDATE proof SET state = 'stored', stored_at = now() WHERE stop_id = $1", number(proven))
    await age(pool, *old)
    async with pool.acquire() as db, db.transaction():
        await settle_stops(db, [number(stop) for stop in phone.stops])
    before = await phone.read_stops()
    await forget()
    assert await left(pool, *old, *new) == [False, False, False, True, True, True, True]
    assert [tuple(row) for row in await pool.fetch("SELECT stop_id, state FROM proof")] == [(number(proven), "stored")]
    assert await phone.read_stops() == before
    await put_route(client, account.key, stops=tour["stops"][1:])  # every stop is settled anew
    assert (await phone.statuses())[-1] == "completed"
    shown = {stop["id"]: stop for stop in await phone.read_stops()}
    assert shown[gone]["outcome_at"] == before[0]["outcome_at"]
    assert (await phone.reopen(gone)).status == 409


async def test_of_shifts_breaks_and_starts_the_last_word_stays(phone, pool, forget):
    old = [
        on("note", 0, 0),
        on("shift_started", 0, 0),
        on("shift_started", 0, 1),
        on("break_started", 0, 2),
        on("break_ended", 0, 3),
    ]
    last = [on("shift_ended", 0, 4), on("route_started", 1, 1)]
    open_shift = on("shift_started", 1, 0)
    await phone.say(*old, last[0])
    await phone.say({**last[1], "route_id": "tour-1"}, open_shift)
    await age(pool, *old, *last, open_shift)
    await forget()
    assert await left(pool, *old, *last, open_shift) == [*[False] * 6, True, True]
    assert await phone.outcome(on("shift_ended", 1, 5)) == [("applied", None)]  # it is known that one is open
    assert await phone.outcome(on("break_ended", 2, 1)) == [("conflict", "not-on-break")]
    again = {**on("route_started", 2, 2), "route_id": "tour-1"}
    assert await phone.outcome(again) == [("conflict", "already-started")]


async def test_nothing_goes_before_its_time(phone, pool, forget):
    said = [on("note", 0, 0), on("completed", 0, 0, phone.stops[0]), on("shift_started", 0, 0), on("shift_ended", 0, 1)]
    await phone.say(*said)
    await age(pool, *said, days=720)
    await forget()
    assert await left(pool, *said) == [True] * 4
