"""What becomes of stops: the table of transitions, late events, a dispatcher's changes meanwhile, the feed."""

import asyncio
import random
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from sql.delivery.stop_states import settle_stops
from tests.api.conftest import say_events
from tests.api.driver.driver_day import at, event, feed, number, said

HOUSE = Path(__file__).resolve().parents[4]
REACHED = {"pending": [], "arrived": ["arrived"], **{one: [one] for one in ("completed", "failed", "skipped")}}
REACHED["partially_completed"] = ["partially_completed"]
DATA = {"failed": {"reason": "refused"}, "partially_completed": {"parcels": [{"seq": 0, "outcome": "refused"}]}}
SAID = ("arrived", "departed", "completed", "partially_completed", "failed", "skipped", "note")


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


def of(kind, minute, stop, **data):
    return event(kind, minute, stop, **(DATA.get(kind, {}) | data))


def _now():
    return datetime.now(UTC).isoformat()


async def put_removed(put_route, client, account, tour, *, keep):
    """The dispatcher takes all but some stops out of the tour, now."""
    return await put_route(client, account.key, stops=[tour["stops"][place] for place in keep])


# The table ------------------------------------------------------------------------------------------------------------


async def test_people_and_postgres_have_the_same_table(pool):
    page = (HOUSE / "docs" / "reference" / "stop-states.md").read_text()
    told = {tuple(row) for row in re.findall(r"^\| `(\w+)` \| `(\w+)` \| `(\w+)` \|$", page, re.MULTILINE)}
    there = {tuple(row) for row in await pool.fetch("SELECT from_status, event_type, to_status FROM stop_transition")}
    assert told == there
    schema = (HOUSE / "sql" / "schema" / "05_driver_events.sql").read_text()
    assert set(re.findall(r"^    \('(\w+)', '(\w+)', '(\w+)'\)[,;]$", schema, re.MULTILINE)) == there


@pytest.mark.parametrize("status", REACHED)
async def test_every_event_does_what_the_table_says_and_nothing_else(
    client, account, phone, put_route, tour, pool, status
):
    tour["stops"] = [{**tour["stops"][1], "external_id": f"p{n}"} for n in range(len(SAID) + 1)]
    stops = [stop["id"] for stop in (await put_route(client, account.key, "another"))["stops"]]
    await phone.say(*(of(kind, 1, stop) for stop in stops for kind in REACHED[status]))
    assert await phone.statuses("another") == [status] * len(stops)
    table = {
        row["event_type"]: row["to_status"]
        for row in await pool.fetch("SELECT * FROM stop_transition WHERE from_status = $1", status)
    }
    results = await phone.say(*(of(kind, 2, stop) for kind, stop in zip(SAID, stops, strict=False)))
    for kind, result in zip(SAID, results, strict=True):
        assert (result["result"], result["effective"]) == (
            ("applied", True) if kind in table else ("conflict", False)
        ), kind
        assert result.get("why") == (None if kind in table else f"already-{status.replace('_', '-')}")
    reopened = await phone.reopen(stops[-1])
    # one that is pending may be reopened only where somebody was seen, or its tour is over
    assert reopened.status == (200 if "reopened" in table and status != "pending" else 409)
    assert await phone.statuses("another") == [table.get(kind, status) for kind in (*SAID, "reopened")]


# Order ----------------------------------------------------------------------------------------------------------------


async def test_what_happened_first_counts_whatever_came_first(phone, pool):
    stop = phone.stops[0]
    assert await phone.outcome(event("completed", 30, stop)) == [("applied", None)]
    assert await phone.outcome(event("failed", 20, stop, reason="refused")) == [("applied", None)]
    assert (await phone.statuses())[0] == "failed"
    assert await feed(pool, history=True) == [
        ("stop.failed", 20, stop, ["asserted"]),
        ("stop.completed", 30, stop, ["asserted", "retracted"]),
    ]
    assert (await phone.reopen(stop, occurred_at=at(25))).status == 200
    assert (await phone.statuses())[0] == "completed"  # what was a conflict counts, since the dispatcher says so
    assert await feed(pool, history=True) == [
        ("stop.failed", 20, stop, ["asserted"]),
        ("stop.reopened", 25, stop, ["asserted"]),
        ("stop.completed", 30, stop, ["asserted", "retracted", "asserted"]),
    ]


async def test_events_of_one_moment_are_ordered_by_their_id(phone):
    stop, ids = phone.stops[0], sorted(str(event("note", 0)["id"]) for _ in range(2))
    first = event("completed", 5, stop, more={"id": ids[0]})
    second = event("skipped", 5, stop, more={"id": ids[1]})
    assert await phone.outcome(second) == [("applied", None)]
    assert await phone.outcome(first) == [("applied", None)]
    assert await phone.outcome(second) == [("duplicate", "already-completed")]


def _sixty(phone, chance):
    """A day in which the driver contradicts themselves."""
    kinds = ("arrived", "departed", "completed", "failed", "skipped", "partially_completed", "note")
    events = [of(chance.choice(kinds), chance.randrange(1, 300), chance.choice(phone.stops)) for _ in range(48)]
    shifts = ("shift_started", "shift_ended", "break_started", "break_ended", "route_started", "note")
    events += [event(chance.choice(shifts), chance.randrange(1, 300)) for _ in range(12)]
    return [{**one, "id": str(UUID(int=chance.getrandbits(128)))} for one in events]


@pytest.mark.parametrize("seed", range(3))
async def test_sixty_events_scrambled_and_twice_end_like_in_order(phone, pool, seed):
    chance = random.Random(seed)
    events = _sixty(phone, chance)

    async def ended():
        return (
            await said(pool),
            await feed(pool),
            [
                (one["status"], one["outcome_at"], one["arrived_at"], one["departed_at"])
                for one in await phone.read_stops()
            ],
        )

    for one in sorted(events, key=lambda one: (one["occurred_at"], one["id"])):
        await phone.say(one)
    in_order = await ended()
    assert {row[5] for row in in_order[0]} == {True, False}

    await pool.execute("DELETE FROM driver_event")
    await pool.execute("DELETE FROM event")
    await pool.execute("UPDATE stop SET status = 'pending', outcome_at = NULL, arrived_at = NULL, departed_at = NULL")
    twice = [*events, *events]
    chance.shuffle(twice)
    while twice:
        size = chance.choice((1, 5, 40))
        await phone.say(*twice[:size])
        del twice[:size]
    assert await ended() == in_order


async def test_two_batches_of_one_driver_at_once_are_one_after_the_other(phone, pool):
    batches = [[event("completed", 10 + n, stop) for stop in phone.stops] for n in range(6)]
    answers = await asyncio.gather(*(phone.say(*batch, *batches[0]) for batch in batches))
    applied = [one["id"] for answer in answers for one in answer if one["result"] == "applied"]
    assert len(set(applied)) == len(applied)
    in_force = await pool.fetch("SELECT id::text FROM driver_event WHERE effective")
    assert {row["id"] for row in in_force} == {one["id"] for one in batches[0]}
    assert [fact[:2] for fact in await feed(pool)] == [("stop.completed", 10)] * 4


# What was seen --------------------------------------------------------------------------------------------------------


async def visit(pool, stop, arrived, departed=None):
    """Write a visit as the tracker does, and settle the stop."""
    async with pool.acquire() as db, db.transaction():
        await db.execute(
            "INSERT INTO visit (lane, visit_id, driver_id, account_id, route_id, stop_id, arrived_at, departed_at,"
            " source) SELECT 1, gen_random_uuid(), route.driver_id, stop.account_id, route.id, stop.id, $2, $3, 'auto'"
            " FROM stop JOIN route ON route.id = stop.route_id WHERE stop.id = $1",
            number(stop),
            arrived,
            departed,
        )
        await settle_stops(db, [number(stop)])


def _time(minute):
    return datetime.fromisoformat(at(minute))


async def test_a_visit_is_an_arrival_until_the_driver_says_more(phone, pool):
    stop = phone.stops[0]
    await visit(pool, stop, _time(10), _time(12))
    assert (await phone.statuses())[0] == "arrived"
    await phone.say(event("failed", 11, stop, reason="nobody_home"))
    await visit(pool, phone.stops[1], _time(20))
    assert (await phone.statuses())[:2] == ["failed", "arrived"]


async def test_after_a_stop_was_reopened_only_later_visits_count(phone, pool):
    stop = phone.stops[0]
    await visit(pool, stop, _time(10), _time(12))
    await phone.say(
        event("arrived", 10, stop), event("departed", 12, stop), event("failed", 11, stop, reason="refused")
    )
    assert (await phone.reopen(stop, occurred_at=at(60))).status == 200
    (shown, *_) = await phone.read_stops()
    assert (shown["status"], shown["arrived_at"], shown["departed_at"]) == ("pending", None, None)
    await visit(pool, stop, _time(90))
    assert (await phone.statuses())[0] == "arrived"


async def test_a_driver_without_pings_is_believed(phone):
    stop = phone.stops[0]
    await phone.say(event("arrived", 10, stop), event("departed", 14, stop), event("completed", 12, stop))
    (shown, *_) = await phone.read_stops()
    minutes = [_time(minute).isoformat().replace("+00:00", "Z") for minute in (10, 12, 14)]
    assert [shown["arrived_at"], shown["outcome_at"], shown["departed_at"]] == minutes
    assert shown["status"] == "completed"


async def test_en_route_is_the_next_stop_of_a_started_route(phone, pool):
    await phone.say(event("completed", 5, phone.stops[0]))
    assert await phone.statuses() == ["completed", "pending", "pending", "pending"]
    await pool.execute("UPDATE route SET status = 'started', started_at = now()")
    assert await phone.statuses() == ["completed", "en_route", "pending", "pending"]
    await phone.say(event("arrived", 6, phone.stops[1]))
    assert await phone.statuses() == ["completed", "arrived", "pending", "pending"]
    await phone.say(event("departed", 7, phone.stops[1]), event("completed", 7, phone.stops[1]))
    assert await phone.statuses() == ["completed", "completed", "en_route", "pending"]


# A dispatcher's changes meanwhile ------------------------------------------------------------------------------------


async def test_a_stop_done_offline_before_it_was_removed_stays_done(client, account, phone, put_route, tour, pool):
    await put_removed(put_route, client, account, tour, keep=[0, 1, 2])
    assert await phone.statuses() == ["pending", "pending", "pending", "removed"]
    assert await phone.outcome(event("completed", 30, phone.stops[3])) == [("applied", None)]
    *_, shown = await phone.read_stops()
    assert (shown["status"], shown["removed"]) == ("completed", True)
    assert [fact[0] for fact in await feed(pool)] == ["stop.completed"]
    # the plan is another one for nobody: putting it again changes nothing
    before = await pool.fetchval("SELECT version FROM route")
    await put_removed(put_route, client, account, tour, keep=[0, 1, 2])
    assert await pool.fetchval("SELECT version FROM route") == before


async def test_a_stop_done_online_and_then_removed_stays_done_too(client, account, phone, put_route, tour):
    await phone.say(event("completed", 30, phone.stops[3]))
    await put_removed(put_route, client, account, tour, keep=[0, 1, 2])
    assert await phone.statuses() == ["pending", "pending", "pending", "completed"]


async def test_what_happens_at_a_stop_after_it_was_removed_is_a_conflict(client, account, phone, put_route, tour, pool):
    await put_removed(put_route, client, account, tour, keep=[0, 1, 2])
    later = event("completed", 0, phone.stops[3], more={"occurred_at": _now()})
    assert await phone.outcome(later) == [("conflict", "removed-from-route")]
    assert (await phone.statuses())[3] == "removed"
    assert await feed(pool) == []
    await put_route(client, account.key)  # the dispatcher puts it back: what was done counts
    assert (await phone.statuses())[3] == "completed"
    assert await phone.outcome(later) == [("duplicate", None)]
    assert [fact[0] for fact in await feed(pool)] == ["stop.completed"]


async def test_a_route_given_away_takes_its_stops_along(client, account, phone, make_driver, make_device, pool):
    beto = await make_driver(client, account.key, "beto")
    token = (await make_device(client, account.key, beto["id"]))["token"]
    response = await client.post("/v1/routes/tour-1/assign", json={"driver": "beto"}, headers=account.headers)
    assert response.status == 200
    done_before, done_after = event("completed", 30, phone.stops[0]), event("completed", 0, phone.stops[1])
    done_after["occurred_at"] = _now()
    assert await phone.outcome(done_before, done_after) == [("applied", None), ("conflict", "given-to-another-driver")]

    other = type(phone)(client=client, account=account, token=token, driver=beto["id"], stops=phone.stops)
    assert await other.outcome(event("completed", 0, phone.stops[0], more={"occurred_at": _now()})) == [
        ("conflict", "already-completed")
    ]
    # and what the first one did earlier, but says only now, comes before
    assert await other.outcome(event("skipped", 0, phone.stops[2], more={"occurred_at": _now()})) == [("applied", None)]
    assert await phone.outcome(event("completed", 40, phone.stops[2])) == [("applied", None)]
    assert (await phone.statuses())[:3] == ["completed", "pending", "completed"]
    assert [fact[0] for fact in await feed(pool)] == ["stop.completed"] * 2

    response = await client.delete("/v1/routes/tour-1", headers=account.headers)
    assert response.status == 204
    late = event("completed", 0, phone.stops[3], more={"occurred_at": _now()})
    assert await other.outcome(late) == [("conflict", "taken-from-driver")]


async def test_what_was_done_before_the_route_was_given_counts_if_nobody_else_had_it(
    client, account, phone, put_route, pool
):
    made = await put_route(client, account.key, "unassigned", driver=None)
    stop = made["stops"][0]["id"]
    assert await phone.outcome(event("completed", 30, stop)) == [("rejected", "unknown-stop")]
    response = await client.post("/v1/routes/unassigned/assign", json={"driver": "ana"}, headers=account.headers)
    assert response.status == 200
    assert await phone.outcome(event("completed", 30, stop)) == [("applied", None)]


async def test_a_clock_ahead_does_not_lose_what_was_done_before_the_change(client, account, phone, put_route, tour):
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    assert await phone.outcome(event("completed", 0, phone.stops[3], more={"occurred_at": ahead})) == [
        ("applied", None)
    ]
    await put_removed(put_route, client, account, tour, keep=[0, 1, 2])
    assert (await phone.statuses())[3] == "completed"
    assert (await phone.reopen(phone.stops[3])).status == 200
    assert (await phone.statuses())[3] == "removed"


# Reopening ------------------------------------------------------------------------------------------------------------


async def test_reopening_again_has_no_second_effect(phone, pool, refused):
    stop = phone.stops[0]
    await refused(await phone.reopen(stop), 409)
    await phone.say(event("skipped", 10, stop))
    response = await phone.reopen(stop, note="call first")
    assert await response.json() == {"stop_id": stop, "status": "pending"}
    await refused(await phone.reopen(stop), 409)
    assert [fact[0] for fact in await feed(pool)] == ["stop.skipped", "stop.reopened"]
    data = await pool.fetchval("SELECT data FROM event WHERE type = 'stop.reopened'")
    assert data["note"] == "call first"
    assert await pool.fetchval("SELECT count(*) FROM driver_event WHERE type = 'reopened'") == 1


async def test_who_may_reopen_what(client, account, other_account, phone, refused, bearer):
    stop = phone.stops[0]
    await phone.say(event("skipped", 10, stop))
    path = f"/v1/stops/{stop}/reopen"
    await refused(await client.post(path, headers=bearer(account.viewer_key)), 403)
    await refused(await client.post(path, headers=bearer(phone.token)), 401)
    await refused(await client.post(path, headers=other_account.headers), 404)
    await refused(await client.post("/v1/stops/st_99999/reopen", headers=account.headers), 404)
    await refused(await phone.reopen(stop, occurred_at="2999-01-01T00:00:00Z"), 422, "/occurred_at")
    await refused(await phone.reopen(stop, because="x"), 422, "/because")
    assert (await client.post(path, headers=bearer(account.dispatcher_key))).status == 200
