"""The door for what drivers say: bodies, ids, times, limits, and who may speak of what."""

import asyncio
import gzip
import json
import uuid
from datetime import UTC, datetime, timedelta

import msgpack
import pytest

from api.http.config import ApiConfig
from sql.track.live import LIVE_CHANNEL
from tests.api.conftest import say_events
from tests.api.driver.driver_day import Phone, at, event, said

PACKED = "application/msgpack"


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, say_events]


@pytest.fixture
def api_config():
    return ApiConfig(
        max_events=20,
        max_event_batch_bytes=20_000,
        max_event_data_bytes=2_000,
        max_event_proofs=2,
        max_event_parcels=3,
        max_note_length=100,
        max_stops=20,
    )


# Bodies ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status", "at"),
    [
        (b"{", 400, None),
        (b"", 400, None),
        (b"\xff\xfe", 400, None),
        (b"[" * 5_000, 400, None),
        (b"null", 422, "/events"),
        (b"{}", 422, "/events"),
        (b'{"events": 5}', 422, "/events"),
        (json.dumps({"events": [{}] * 21}).encode(), 413, None),
        (json.dumps({"events": [], "x": "y" * 20_000}).encode(), 413, None),
    ],
)
async def test_a_body_that_is_no_batch_is_a_problem(client, phone, bearer, refused, body, status, at):
    headers = bearer(phone.token) | {"Content-Type": "application/json"}
    response = await client.post("/v1/driver/events", data=body, headers=headers)
    await refused(response, status, *([] if at is None else [at]))


async def test_another_media_type_is_not_read(client, phone, bearer, refused):
    headers = bearer(phone.token) | {"Content-Type": "application/xml"}
    await refused(await client.post("/v1/driver/events", data=b"<events/>", headers=headers), 415)


@pytest.mark.parametrize(
    ("media", "encoding"),
    [
        ("text/json", "utf-8"),
        ("application/vnd.api+json", "utf-8"),
        ("application/json", "utf-8-sig"),
        ("application/json; charset=utf-16", "utf-16"),
        ("application/json", "utf-16-le"),
        ("text/plain", "utf-16-be"),
    ],
)
async def test_json_by_another_name_or_in_another_encoding_is_read(client, phone, bearer, media, encoding):
    said = event("note", 1, note="café ☕")
    body = json.dumps({"events": [said]}, ensure_ascii=False).encode(encoding)
    headers = bearer(phone.token) | {"Content-Type": media}
    response = await client.post("/v1/driver/events", data=body, headers=headers)
    assert (response.status, (await response.json())["results"][0]["result"]) == (200, "applied")
    assert (await phone.say(said))[0]["result"] == "duplicate"


async def test_one_event_without_a_list_around_it_is_a_list_of_one(client, phone, bearer, pool):
    right, odd = event("note", 1), {**event("note", 2), "occurred_at": "yesterday"}
    results = []
    for body in (right, [right], {"events": right}, odd, {"events": odd}):
        response = await client.post("/v1/driver/events", json=body, headers=bearer(phone.token))
        assert response.status == 200, await response.text()
        (result,) = (await response.json())["results"]
        results.append(result["result"])
    assert results == ["applied", "duplicate", "duplicate", "rejected", "rejected"]
    assert await pool.fetchval("SELECT count(*) FROM quarantine") > 0, "what is rejected is kept"
    empty = await client.post("/v1/driver/events", json=[], headers=bearer(phone.token))
    assert (empty.status, await empty.json()) == (200, {"results": []})


async def test_an_unpacked_batch_is_limited_too(client, phone, bearer, refused):
    headers = bearer(phone.token) | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 1_000_000)
    await refused(await client.post("/v1/driver/events", data=bomb, headers=headers), 413)


async def test_messagepack_and_gzip_say_the_same_as_json(client, phone, bearer, pool):
    one, two, three = (event("note", n, note="café") for n in (1, 2, 3))
    assert (await phone.say(one))[0] == {"id": one["id"], "result": "applied", "effective": True}
    assert (await phone.say(two, packed=True))[0] == {"id": two["id"], "result": "applied", "effective": True}
    headers = bearer(phone.token) | {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps({"events": [three, one]}).encode())
    response = await client.post("/v1/driver/events", data=body, headers=headers)
    assert [result["result"] for result in (await response.json())["results"]] == ["applied", "duplicate"]
    assert await pool.fetchval("SELECT count(*) FROM driver_event WHERE data->>'note' = 'café'") == 3


def _bad_items(stop):
    ok = event("arrived", 5, stop)
    proof, parcel = {"upload_id": str(uuid.uuid4()), "kind": "photo"}, {"seq": 0, "outcome": "delivered"}
    done, failed = {**ok, "type": "completed"}, {**ok, "type": "failed"}
    return {
        "many proofs": ({**done, "data": {"proofs": [proof] * 3}}, "too-large", "/data/proofs"),
        "many proofs of a failure": (
            {**failed, "data": {"reason": "other", "proofs": [proof] * 3}},
            "too-large",
            "/data/proofs",
        ),
        "many parcels": ({**done, "data": {"parcels": [parcel] * 4}}, "too-large", "/data/parcels"),
        "many barcodes": ({**done, "data": {"barcodes": ["A1"] * 4}}, "too-large", "/data/barcodes"),
        "not an object": (7, "not-an-object", ""),
        "null": (None, "not-an-object", ""),
        "no id": ({**ok, "id": None}, "invalid-fields", "/id"),
        "an id that is none": ({**ok, "id": "1"}, "invalid-fields", "/id"),
        "no time": ({key: ok[key] for key in ("id", "type", "stop_id")}, "invalid-fields", "/occurred_at"),
        "a time without zone": ({**ok, "occurred_at": "2026-03-02T08:00:00"}, "invalid-fields", "/occurred_at"),
        "a time before all times": ({**ok, "occurred_at": "0001-01-01T00:00:00+14:00"}, "too-old", "/occurred_at"),
        "a time after all times": ({**ok, "occurred_at": "9999-12-31T23:59:59-14:00"}, "clock-ahead", "/occurred_at"),
        "a negative time": ({**ok, "occurred_at": -1}, "invalid-fields", "/occurred_at"),
        "a huge time": ({**ok, "occurred_at": 10**17}, "invalid-fields", "/occurred_at"),
        "another type": ({**ok, "type": "lost"}, "invalid-fields", "/type"),
        "a dispatcher's type": ({**ok, "type": "reopened"}, "invalid-fields", "/type"),
        "no stop": ({**ok, "stop_id": None}, "invalid-fields", "/stop_id"),
        "a stop that is none": ({**ok, "stop_id": "ped-1"}, "unknown-stop", "/stop_id"),
        "a route for a stop": ({**ok, "stop_id": "rt_1"}, "unknown-stop", "/stop_id"),
        "half a place": ({**ok, "lat": 6.2}, "invalid-fields", "/lon"),
        "no latitude": ({**ok, "lat": 96.2, "lon": 1}, "invalid-fields", "/lat"),
        "data that is none": ({**ok, "data": []}, "invalid-fields", "/data"),
        "a note that is none": ({**ok, "data": {"note": 5}}, "invalid-fields", "/data/note"),
        "a long note": ({**ok, "data": {"note": "x" * 101}}, "too-large", "/data/note"),
        "much data": ({**ok, "data": {"other": "x" * 2_001}}, "too-large", "/data"),
        "a forbidden character": ({**ok, "data": {"note": "\0"}}, "invalid-fields", "/data/note"),
        "deep data": ({**ok, "data": {"x": json.loads("[" * 40 + "]" * 40)}}, "invalid-fields", "/data/x" + "/0" * 31),
        "failed without a reason": ({**ok, "type": "failed"}, "invalid-fields", "/data/reason"),
        "a part without parcels": ({**ok, "type": "partially_completed"}, "invalid-fields", "/data/parcels"),
        "cash that is none": (
            {**ok, "type": "completed", "data": {"cash": {"amount": -1}}},
            "invalid-fields",
            "/data/cash/amount",
        ),
        "a parcel without name": (
            {**ok, "type": "completed", "data": {"parcels": [{"outcome": "delivered"}]}},
            "invalid-fields",
            "/data/parcels/0",
        ),
        "a parcel's outcome": (
            {**ok, "type": "completed", "data": {"parcels": [{"seq": 0, "outcome": "eaten"}]}},
            "invalid-fields",
            "/data/parcels/0/outcome",
        ),
        "proofs that are none": (
            {**ok, "type": "completed", "data": {"proofs": ["x"]}},
            "invalid-fields",
            "/data/proofs/0",
        ),
        "another route": ({**ok, "type": "route_started", "route_id": "rt_77"}, "unknown-route", "/route_id"),
        "a huge manifest": ({**ok, "manifest_version": 2**63}, "invalid-fields", "/manifest_version"),
    }  # fmt: skip


@pytest.mark.parametrize("what", _bad_items("st_1"))
async def test_a_bad_item_is_named_and_holds_up_nothing(phone, pool, what):
    bad, why, where = _bad_items(phone.stops[0])[what]
    good = event("arrived", 1, phone.stops[0])
    first, second = await phone.say(bad, good)
    assert (first["result"], first["why"], first["at"]) == ("rejected", why, f"/events/0{where}")
    if why == "invalid-fields":
        assert {"at", "why"} == first["errors"][0].keys()
    assert first["id"] == (bad.get("id") if isinstance(bad, dict) else None)
    assert (second["id"], second["result"]) == (good["id"], "applied")
    assert await pool.fetchval("SELECT count(*) FROM driver_event") == 1


async def test_what_is_just_within_the_limits_is_kept(phone):
    proofs = [{"upload_id": str(uuid.uuid4()), "kind": "photo"} for _ in range(2)]
    parcels = [{"seq": 0, "outcome": "delivered"}] * 3
    most = event("completed", 1, phone.stops[2], proofs=proofs, parcels=parcels, barcodes=["X"] * 3, note="x" * 100)
    assert await phone.outcome(most) == [("applied", None)]


async def test_what_messagepack_can_say_and_json_cannot(client, phone, bearer):
    stop = phone.stops[0]
    odd = [
        {**event("note", 1), "data": {"note": b"bytes"}},
        {**event("note", 1), b"x": 1},
        {**event("note", 1), "data": {7: 7}},
        {**event("note", 1), "lat": float("nan"), "lon": 1.0},
        {**event("arrived", 1, stop), "data": {"x": msgpack.ExtType(5, b"x")}},
        {**event("note", 1), "occurred_at": msgpack.Timestamp.from_datetime(datetime.now(UTC))},
    ]
    headers = bearer(phone.token) | {"Content-Type": PACKED}
    response = await client.post("/v1/driver/events", data=msgpack.packb({"events": odd}), headers=headers)
    results = (await response.json())["results"]
    assert [result["result"] for result in results] == ["rejected"] * 5 + ["applied"]
    assert all(result["at"].startswith(f"/events/{n}") for n, result in enumerate(results[:5]))


async def test_what_is_refused_is_shown_to_the_account_without_place_and_pin(phone, pool):
    far = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    more = {"lat": 4.5, "lon": -74.1, "occurred_at": far}
    ahead = event("completed", 0, phone.stops[0], pin="4711", note="at the door", more=more)
    bad = {"id": 5, "type": "dance"}
    assert [result["result"] for result in await phone.say(bad, ahead, ahead)] == ["rejected"] * 3
    (entry,) = await pool.fetch("SELECT source, reason, detail, body, account_id, driver_id, device_id FROM quarantine")
    assert (entry["source"], entry["reason"]) == ("events", "clock-ahead")
    assert entry["detail"] == "clock-ahead: 2, invalid-fields: 1"
    kept = json.loads(entry["body"])
    assert kept[0] == bad
    assert kept[1]["id"] == ahead["id"]
    assert kept[1]["data"] == {"note": "at the door"}
    assert not {"lat", "lon"} & set(kept[1])
    assert None not in (entry["account_id"], entry["driver_id"], entry["device_id"])


async def test_many_bad_fields_are_all_named(phone):
    (result,) = await phone.say({"id": "x", "type": 5, "occurred_at": "soon", "lat": "north"})
    assert {error["at"] for error in result["errors"]} == {
        f"/events/0/{name}" for name in ("id", "type", "occurred_at", "lat")
    }


# Ids and times --------------------------------------------------------------------------------------------------------


async def test_the_same_again_has_no_second_effect(phone, pool):
    one = event("completed", 5, phone.stops[0], note="at the door", more={"lat": 6.25, "lon": -75.5})
    assert await phone.outcome(one) == [("applied", None)]
    before = await said(pool), await pool.fetch("SELECT fact_id, revision FROM event")
    assert await phone.outcome(one, one) == [("duplicate", None)] * 2
    for change in (
        {"occurred_at": at(6)},
        {"stop_id": phone.stops[1]},
        {"data": {}},
        {"lat": 6.0},
        {"type": "skipped"},
    ):
        assert await phone.outcome({**one, **change}) == [("duplicate", "other-content")]
    assert (await said(pool), await pool.fetch("SELECT fact_id, revision FROM event")) == before


async def test_an_id_twice_in_a_batch_is_kept_once(phone, pool):
    one = event("arrived", 5, phone.stops[0])
    assert await phone.outcome(one, {**one, "occurred_at": at(4)}, one) == [
        ("applied", None),
        ("duplicate", "other-content"),
        ("duplicate", None),
    ]
    assert len(await said(pool)) == 1


async def test_an_id_is_told_as_it_was_sent(phone):
    shouted = str(uuid.uuid4()).upper()
    (result,) = await phone.say(event("note", 1, more={"id": shouted}))
    assert result["id"] == shouted
    assert await phone.outcome(event("note", 1, more={"id": shouted.lower()})) == [("duplicate", None)]


async def test_two_drivers_may_make_the_same_id(client, account, phone, make_driver, make_device):
    one = event("note", 1)
    beto = await make_driver(client, account.key, "beto")
    token = (await make_device(client, account.key, beto["id"]))["token"]
    other = Phone(client=client, account=account, token=token, driver=beto["id"])
    assert await phone.outcome(one) == await other.outcome(one) == [("applied", None)]


async def test_times_are_cut_to_milliseconds(phone, pool):
    moment = datetime.now(UTC).replace(microsecond=123_987)
    one = event("note", 0, more={"occurred_at": moment.isoformat()})
    two = event("note", 0, more={"occurred_at": int(moment.timestamp() * 1000)})
    await phone.say(one, two)
    assert {row["occurred_at"] for row in await pool.fetch("SELECT occurred_at FROM driver_event")} == {
        moment.replace(microsecond=123_000)
    }
    assert await phone.outcome({**one, "occurred_at": two["occurred_at"]}) == [("duplicate", None)]


async def test_what_is_dated_too_far_off_is_refused(phone):
    now = datetime.now(UTC)
    for ago, expected in (
        (timedelta(hours=-25), ("rejected", "clock-ahead")),
        (timedelta(minutes=-4), ("applied", None)),
        (timedelta(days=29), ("applied", None)),
        (timedelta(days=31), ("rejected", "too-old")),
    ):
        assert await phone.outcome(event("note", 0, more={"occurred_at": (now - ago).isoformat()})) == [expected]


# Who ------------------------------------------------------------------------------------------------------------------


async def test_what_is_not_the_drivers_is_unknown(
    client, account, other_account, phone, put_route, make_driver, make_device, pool
):
    await make_driver(client, account.key, "beto")
    others = await put_route(client, account.key, "of-beto", driver="beto")
    nobodys = await put_route(client, account.key, "nobodys", driver=None)
    await make_driver(client, other_account.key, "ana")
    foreign = await put_route(client, other_account.key, "tour-1")
    for route in (others, nobodys, foreign):
        stop = route["stops"][0]["id"]
        assert await phone.outcome(event("completed", 1, stop)) == [("rejected", "unknown-stop")]
        assert await phone.outcome(event("note", 1, stop)) == [("rejected", "unknown-stop")]
        started = event("route_started", 1, more={"route_id": route["id"]})
        assert await phone.outcome(started) == [("rejected", "unknown-route")]
    assert await said(pool) == []


async def test_only_a_device_may_speak(client, account, phone, refused, bearer, make_device):
    store_app = await make_device(client, account.key, phone.driver, app="osmand")
    for secret in (account.key, store_app["ingest_token"], "rpd_nobody"):
        response = await client.post("/v1/driver/events", json={"events": []}, headers=bearer(secret))
        await refused(response, 401)


async def test_an_empty_batch_is_fine(phone):
    assert await phone.say() == []


# Starts of routes -----------------------------------------------------------------------------------------------------


async def test_a_start_without_a_route_is_of_the_one_whose_hours_these_are(client, account, phone, put_route, pool):
    await put_route(client, account.key, "afternoon", start_at=at(700), end_at=at(900))
    assert await phone.outcome(event("route_started", 1)) == [("applied", None)]
    name = await pool.fetchval("SELECT external_id FROM driver_event JOIN route ON route.id = route_id")
    assert name == "tour-1"
    assert await phone.outcome(event("route_started", -600)) == [("conflict", "no-route")]


async def test_a_start_without_a_route_that_comes_late_is_of_the_one_that_was_to_be_driven_then(
    client, account, phone, put_route, pool
):
    await put_route(client, account.key, "second", start_at=at(60), end_at=at(600))
    finished = "UPDATE route SET status = 'finished', finished_at = $1::text::timestamptz WHERE external_id = 'tour-1'"
    await pool.execute(finished, at(300))
    late, then = event("route_started", 1), event("route_started", 310)
    assert await phone.outcome(late, then) == [("applied", None), ("applied", None)]
    started = "SELECT external_id FROM driver_event JOIN route ON route.id = route_id ORDER BY occurred_at"
    assert [row["external_id"] for row in await pool.fetch(started)] == ["tour-1", "second"]


@pytest.mark.parametrize("batches", [[[0, 1, 2]], [[2, 1, 0]], [[0], [1], [2]], [[2], [1], [0]], [[1], [0, 2]]])
async def test_the_second_start_without_a_route_means_the_second_tour(client, account, phone, put_route, pool, batches):
    for n, name in enumerate(("second", "third")):
        await put_route(client, account.key, name, start_at=at(5 + n), end_at=at(600))
    starts = [event("route_started", 10 * n) for n in range(3)]
    for batch in batches:
        await phone.say(*(starts[n] for n in batch))
    judged = (
        "SELECT external_id, effective, why FROM driver_event JOIN route ON route.id = route_id ORDER BY occurred_at"
    )
    expected = [(name, True, None) for name in ("tour-1", "second", "third")]
    assert [tuple(row) for row in await pool.fetch(judged)] == expected
    assert await phone.outcome(*starts) == [("duplicate", None)] * 3
    # nothing new is left to start: it means the one under way
    assert await phone.outcome(event("route_started", 40)) == [("conflict", "already-started")]
    # the driver names the second tour, earlier: those that named none mean the others
    assert await phone.outcome(event("route_started", -11, more={"route_id": "second"})) == [("applied", None)]
    names = [row["external_id"] for row in await pool.fetch(judged)]
    assert names == ["second", "tour-1", "third", "third", "third"]
    track = await pool.fetchrow("SELECT head_at FROM track")
    assert track["head_at"] == datetime.fromisoformat(at(20))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
async def test_a_button_pressed_twice_starts_one_tour(client, account, phone, put_route, pool, order):
    await put_route(client, account.key, "second", start_at=at(5), end_at=at(600))
    presses = [event("route_started", minute) for minute in (10, 10.1, 19.9)]
    for n in order:
        await phone.say(presses[n])
    judged = "SELECT external_id, why FROM driver_event JOIN route ON route.id = route_id ORDER BY occurred_at"
    expected = [("tour-1", None), ("tour-1", "already-started"), ("tour-1", "already-started")]
    assert [tuple(row) for row in await pool.fetch(judged)] == expected


async def test_a_start_without_a_route_keeps_its_route_when_that_is_given_away_later(
    client, account, phone, put_route, make_driver, pool
):
    await put_route(client, account.key, "second", start_at=at(5), end_at=at(600))
    start = event("route_started", 10)
    await phone.say(start)
    await make_driver(client, account.key, "beto")
    response = await client.post("/v1/routes/tour-1/assign", json={"driver": "beto"}, headers=account.headers)
    assert response.status == 200
    assert await phone.outcome(event("route_started", -1, more={"route_id": "second"})) == [("applied", None)]
    assert await phone.outcome(start) == [("duplicate", None)]
    judged = "SELECT external_id FROM driver_event JOIN route ON route.id = route_id ORDER BY occurred_at"
    assert [row["external_id"] for row in await pool.fetch(judged)] == ["second", "tour-1"]


async def test_a_route_is_started_again_after_another_one(client, account, phone, put_route):
    await put_route(client, account.key, "second")
    first, second = ({"route_id": name} for name in ("tour-1", "second"))
    assert await phone.outcome(
        event("route_started", 1, more=first),
        event("route_started", 5, more=first),
        event("route_started", 9, more=first),
    ) == [("applied", None), ("conflict", "already-started"), ("conflict", "already-started")]
    assert await phone.outcome(event("route_started", 7, more=second)) == [("applied", None)]
    assert await phone.outcome(event("route_started", 8, more=second)) == [("conflict", "already-started")]
    again = event("route_started", 9.5, more=first)
    assert await phone.outcome(again) == [("conflict", "already-started")]  # the one of minute 9 counts by now


async def test_a_start_of_a_route_that_was_given_away_is_a_conflict(client, account, phone, make_driver):
    await make_driver(client, account.key, "beto")
    for driver, why in (("beto", "given-to-another-driver"), (None, "taken-from-driver")):
        response = await client.post("/v1/routes/tour-1/assign", json={"driver": driver}, headers=account.headers)
        assert response.status == 200
        late = event("route_started", 0, more={"route_id": "tour-1", "occurred_at": datetime.now(UTC).isoformat()})
        assert await phone.outcome(late) == [("conflict", why)]


@pytest.mark.parametrize("how", ["assign", "put"])
async def test_a_start_told_while_nobody_had_the_route_counts_once_it_is_its_drivers(
    client, account, phone, put_route, tour, pool, how
):
    async def give(driver):
        if how == "put":
            await put_route(client, account.key, **(tour | {"driver": driver}))
        else:
            body = {"driver": driver}
            response = await client.post("/v1/routes/tour-1/assign", json=body, headers=account.headers)
            assert response.status == 200

    await give(None)
    now = {"route_id": "tour-1", "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    early = event("route_started", 0, more=now)
    assert await phone.outcome(early) == [("conflict", "taken-from-driver")]
    await pool.execute("UPDATE track SET folded_until = now()")
    await give("ana")
    assert await pool.fetchval("SELECT effective FROM driver_event")
    assert await pool.fetchval("SELECT rerun_from FROM track") == datetime.fromisoformat(early["occurred_at"])
    assert await phone.outcome(early) == [("duplicate", None)]


async def test_a_start_told_before_its_route_was_planned_counts_once_it_is(client, account, phone, put_route, pool):
    assert await phone.outcome(event("route_started", 10), event("route_started", 20)) == [
        ("applied", None),
        ("conflict", "already-started"),
    ]
    await put_route(client, account.key, "second", start_at=at(5), end_at=at(600))
    judged = (
        "SELECT external_id, effective, why FROM driver_event JOIN route ON route.id = route_id ORDER BY occurred_at"
    )
    assert [tuple(row) for row in await pool.fetch(judged)] == [("tour-1", True, None), ("second", True, None)]
    track = await pool.fetchrow("SELECT head_at FROM track")
    assert track["head_at"] == datetime.fromisoformat(at(20))


# What follows ---------------------------------------------------------------------------------------------------------


async def test_trackers_are_told_what_changed(phone, pool):
    await phone.say(event("completed", 30, phone.stops[0]), event("arrived", 20, phone.stops[0]), event("note", 90))
    track = await pool.fetchrow("SELECT plan_version, head_at FROM track")
    assert track["head_at"] == datetime.fromisoformat(at(30))
    await phone.say(event("note", 95, phone.stops[0]), event("completed", 40, phone.stops[0]))
    assert await pool.fetchrow("SELECT plan_version, head_at FROM track") == track
    await pool.execute("UPDATE track SET folded_until = head_at")
    await phone.say(event("failed", 10, phone.stops[0], reason="other"))
    track = await pool.fetchrow("SELECT rerun_from, head_at FROM track")
    assert track["rerun_from"] == datetime.fromisoformat(at(10))


async def test_a_change_is_told_to_open_pages(client, phone, pool):
    told: asyncio.Queue[str] = asyncio.Queue()

    def hear(connection, pid, channel, payload):
        told.put_nowait(payload)

    async with pool.acquire() as listener:
        await listener.add_listener(LIVE_CHANNEL, hear)
        await phone.say(event("arrived", 1, phone.stops[0]))
        heard = await asyncio.wait_for(told.get(), 60)
        await listener.remove_listener(LIVE_CHANNEL, hear)
    account_id, driver_id, route_id = heard.split(":")
    assert (f"dr_{driver_id}", int(route_id) > 0, int(account_id)) == (phone.driver, True, phone.account.id)
