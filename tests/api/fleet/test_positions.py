import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.fleet import positions
from api.http.config import ApiConfig
from geo.times import ms_of
from sql.inbox.heartbeats import keep_heartbeat
from sql.pool import Pool
from sql.track.live import tell_live
from tests.api.stream.streams import next_event, next_with_id
from tests.api.tour_rows import Tour, e6


@pytest.fixture
def api_config(api_config: ApiConfig) -> ApiConfig:
    return replace(api_config, stream_elsewhere_s=600.0)  # no machine is so slow


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, positions.operations.add_to]


@pytest.fixture
async def tours(pool: Pool, account: Any) -> list[Tour]:
    """Ana drives, Beto stands, Carla is off her route, Dario is silent, Eva is on no route."""
    now = datetime.now(UTC)
    made = [
        await Tour.put(pool, account.id, start_at=now, external_id=f"tour-{name}", driver=name.title())
        for name in ("ana", "beto", "carla", "dario", "eva")
    ]
    ana, beto, carla, dario, eva = made
    await ana.see_van(100, at=now - timedelta(seconds=7), next_stop_id=ana.stop_ids[0], delay_s=-42.5)
    await beto.see_van(200, at=now, speed_mps=0.4)
    await carla.see_van(300, at=now, on_route=False, along_m=None)
    await dario.see_van(400, at=now - timedelta(hours=1))
    await pool.execute(
        "INSERT INTO track (lane, driver_id, account_id, silent) VALUES ($1, $2, $3, true)",
        dario.lane,
        dario.driver_id,
        account.id,
    )
    await eva.see_van(500, at=now, route_id=None, route_version=None, on_route=None, along_m=None)
    return made


async def seen(client: Any, headers: dict[str, str], query: str = "") -> dict[str, Any]:
    response = await client.get(f"/v1/positions{query}", headers=headers)
    assert response.status == 200, await response.text()
    collection = await response.json()
    assert collection["type"] == "FeatureCollection"
    return {feature["id"]: feature for feature in collection["features"]}


def ids(tours: list[Tour]) -> set[str]:
    return {f"dr_{tour.driver_id}" for tour in tours}


async def test_an_alarm_is_shown_until_the_shift_ends(client: Any, account: Any, pool: Pool, tours: list[Tour]) -> None:
    """A call for help before whatever the phone says of itself; what was half a day ago is over."""
    now = datetime.now(UTC)
    ana, beto, carla, *_ = tours

    async def alarm(tour: Tour, kind: str, at: datetime) -> None:
        await pool.execute(
            "INSERT INTO event (account_id, fact_id, revision, state, type, occurred_at, known_at, lane, driver_id,"
            " late, data) VALUES ($1, gen_random_uuid(), 1, 'asserted', $2, $3, now(), $4, $5, false, $6)",
            *(account.id, "driver.sos" if kind == "sos" else "driver.alarm", at, tour.lane, tour.driver_id),
            {"alarm": kind},
        )

    async def shown() -> list[Any]:
        found = await seen(client, account.headers)
        return [found[f"dr_{tour.driver_id}"]["properties"]["alarm"] for tour in (ana, beto, carla)]

    sos_at = now - timedelta(minutes=9)
    await alarm(ana, "sos", sos_at)
    await alarm(ana, "lowBattery", now)
    await alarm(carla, "sos", now - timedelta(hours=12, minutes=1))
    (told, *others) = await shown()
    assert (told["kind"], datetime.fromisoformat(told["at"])) == ("sos", sos_at)
    assert others == [None, None]
    await pool.execute(
        "INSERT INTO driver_event (driver_id, id, account_id, lane, type, occurred_at, effective)"
        " VALUES ($1, gen_random_uuid(), $2, $3, 'shift_ended', now(), true)",
        *(ana.driver_id, account.id, ana.lane),
    )
    await tell_live(pool, [(account.id, ana.driver_id, 0)])
    assert await shown() == [None, None, None]


async def test_a_driver_is_a_geojson_point_with_what_is_known(client: Any, account: Any, tours: list[Tour]) -> None:
    ana = tours[0]
    feature = (await seen(client, account.headers))[f"dr_{ana.driver_id}"]
    properties = feature["properties"]
    assert feature["geometry"]["type"] == "Point"
    assert feature["geometry"]["coordinates"] == pytest.approx([-75.5686, 6.2452], abs=0.0005)
    assert 7 <= properties.pop("age_s") < 60
    assert datetime.fromisoformat(properties.pop("recorded_at")) < datetime.now(UTC)
    assert datetime.fromisoformat(properties.pop("heard_at")) <= datetime.now(UTC)
    assert properties == {
        "driver_id": f"dr_{ana.driver_id}",
        "route_id": f"rt_{ana.route_id}",
        "speed_mps": 6.5,
        "heading_deg": 40.0,
        "along_m": 100.0,
        "on_route": True,
        "next_stop": f"st_{ana.stop_ids[0]}",
        "delay_s": -42.5,
        "battery": 0.8,
        "silent": False,
        "silent_why": None,
        "alarm": None,
        "status": "moving",
        "on_break": False,
        "at_stop": None,
    }


async def test_a_message_without_a_place_moves_the_battery_and_not_the_van(
    client: Any, account: Any, tours: list[Tour], pool: Pool
) -> None:
    ana, dario = tours[0], tours[3]
    before = (await seen(client, account.headers))[f"dr_{ana.driver_id}"]
    now_ms = ms_of(datetime.now(UTC)) + 1_000
    for driver_id in (ana.driver_id, dario.driver_id):
        moved = await keep_heartbeat(pool, driver_id, received_ms=now_ms, battery=0.55)
        assert moved is not None
        await tell_live(pool, [moved])
    async with asyncio.timeout(10):
        while (after := (await seen(client, account.headers))[f"dr_{ana.driver_id}"])["properties"]["battery"] != 0.55:
            await asyncio.sleep(0.05)
    assert after["geometry"] == before["geometry"]
    assert after["properties"]["recorded_at"] == before["properties"]["recorded_at"]
    assert (after["properties"]["silent"], after["properties"]["silent_why"]) == (False, "no_fix")
    assert ms_of(datetime.fromisoformat(after["properties"]["heard_at"])) == now_ms
    silent = (await seen(client, account.headers))[f"dr_{dario.driver_id}"]["properties"]
    assert (silent["silent"], silent["silent_why"]) == (True, "phone_silent")  # until a tracker has looked


async def test_what_an_old_fix_said_of_motion_is_not_known_now(
    client: Any, account: Any, tours: list[Tour], pool: Pool
) -> None:
    ana = tours[0]
    await ana.see_van(100, at=datetime.now(UTC) - timedelta(seconds=90))
    await tell_live(pool, [(account.id, ana.driver_id, ana.route_id)])
    async with asyncio.timeout(10):
        while (told := (await seen(client, account.headers))[f"dr_{ana.driver_id}"]["properties"])["age_s"] < 60:
            await asyncio.sleep(0.05)
    assert (told["speed_mps"], told["heading_deg"], told["status"]) == (None, None, "stopped")
    assert f"dr_{ana.driver_id}" not in await seen(client, account.headers, "?status=moving")


async def test_a_van_is_at_a_stop_until_it_leaves_and_on_a_break_until_it_goes_on(
    client: Any, account: Any, tours: list[Tour], pool: Pool
) -> None:
    ana, at = tours[0], datetime.now(UTC)

    async def told(**wanted: Any) -> None:
        await tell_live(pool, [(account.id, ana.driver_id, ana.route_id)])
        async with asyncio.timeout(10):
            while True:
                known = (await seen(client, account.headers))[f"dr_{ana.driver_id}"]["properties"]
                if wanted == {name: known[name] for name in wanted}:
                    return
                await asyncio.sleep(0.05)

    await ana.visit(1, at - timedelta(minutes=40))
    await told(on_break=False, at_stop=f"st_{ana.stop_ids[1]}")
    await pool.execute("UPDATE visit SET departed_at = $1", at - timedelta(minutes=35))
    await told(on_break=False, at_stop=None)
    await ana.say("break_started", at=at - timedelta(minutes=20))
    await told(on_break=True, at_stop=None)
    await ana.visit(2, at - timedelta(minutes=2))  # who is seen at a stop goes on, said or not
    await told(on_break=False, at_stop=f"st_{ana.stop_ids[2]}")
    await ana.say("break_started", at=at - timedelta(minutes=1))
    await told(on_break=True)
    await pool.execute("UPDATE driver_event SET occurred_at = occurred_at - interval '3 hours'")
    await pool.execute("DELETE FROM visit")
    await told(on_break=False, at_stop=None)  # nobody's break lasts so long


async def test_each_driver_has_one_status(client: Any, account: Any, tours: list[Tour]) -> None:
    everybody = await seen(client, account.headers)
    statuses = [everybody[f"dr_{tour.driver_id}"]["properties"]["status"] for tour in tours]
    assert statuses == ["moving", "stopped", "off_route", "silent", "moving"]


@pytest.mark.parametrize(
    ("query", "places"),
    [("status=moving", {0, 4}), ("status=stopped", {1}), ("status=off_route,silent", {2, 3})],
)
async def test_drivers_by_status(client: Any, account: Any, tours: list[Tour], query: str, places: set[int]) -> None:
    assert set(await seen(client, account.headers, f"?{query}")) == ids([tours[place] for place in places])


async def test_drivers_in_a_box(client: Any, account: Any, tours: list[Tour]) -> None:
    await tours[0].see_van(0, at=datetime.now(UTC), lat_e6=e6(-17.7), lon_e6=e6(178.0))  # Fiji
    await tours[1].see_van(0, at=datetime.now(UTC), lat_e6=e6(-17.7), lon_e6=e6(-179.0))
    around = await seen(client, account.headers, "?bbox=-75.6,6.2,-75.5,6.3")
    assert set(around) == ids(tours[2:])
    across = await seen(client, account.headers, "?bbox=177,-20,-178,-15")
    assert set(across) == ids(tours[:2])


@pytest.mark.parametrize(
    "query", ["bbox=1,2,3", "bbox=a,b,c,d", "bbox=0,50,10,40", "bbox=0,0,nan,1", "bbox=0,0,1,91", "status=flying"]
)
async def test_what_is_no_box_and_no_status_is_refused(client: Any, account: Any, query: str) -> None:
    for path in ("/v1/positions", "/v1/positions/stream"):
        response = await client.get(f"{path}?{query}", headers=account.headers)
        assert response.status == 422
        assert (await response.json())["errors"][0]["at"] == query.split("=")[0]


async def test_nobody_sees_another_account_s_drivers(client: Any, other_account: Any, tours: list[Tour]) -> None:
    assert await seen(client, other_account.headers) == {}


async def test_a_deleted_driver_is_not_shown(client: Any, account: Any, tours: list[Tour], pool: Pool) -> None:
    await pool.execute("UPDATE driver SET deleted_at = now() WHERE id = $1", tours[0].driver_id)
    assert set(await seen(client, account.headers)) == ids(tours[1:])


async def test_a_stream_begins_with_everybody_and_goes_on_with_who_moved(
    client: Any, account: Any, tours: list[Tour]
) -> None:
    async with client.get("/v1/positions/stream", headers={**account.headers, "Last-Event-ID": "12"}) as response:
        assert response.content_type == "text/event-stream"
        event, snapshot = await next_event(response)
        assert event == "snapshot"
        assert {feature["id"] for feature in snapshot["features"]} == ids(tours)
        await tours[1].see_van(250, at=datetime.now(UTC), speed_mps=8.0)
        await tours[1].tell()
        event, changed = await next_event(response)
        assert event == "changed"
        (feature,) = changed["features"]
        assert feature["id"] == f"dr_{tours[1].driver_id}"
        assert feature["properties"]["along_m"] == 250


async def test_a_stream_tells_who_left_what_was_asked_for(client: Any, account: Any, tours: list[Tour]) -> None:
    async with client.get("/v1/positions/stream?status=moving", headers=account.headers) as response:
        _, snapshot = await next_event(response)
        assert {feature["id"] for feature in snapshot["features"]} == ids([tours[0], tours[4]])
        await tours[0].see_van(100, at=datetime.now(UTC), speed_mps=0.0)
        await tours[0].tell()
        assert await next_event(response) == ("gone", {"driver_ids": [f"dr_{tours[0].driver_id}"]})


async def test_a_view_moves_without_a_snapshot(client: Any, account: Any, tours: list[Tour]) -> None:
    """Ana is looked at, Eva is not: where she went meanwhile is told as soon as somebody looks there."""
    ana, *_, eva = tours
    fiji = {"lat_e6": e6(-17.7), "route_id": None, "route_version": None, "on_route": None, "along_m": None}

    async def drive(tour: Tour, **changes: Any) -> None:
        await tour.see_van(250, at=datetime.now(UTC), **changes)
        await tour.tell()

    await drive(eva, lon_e6=e6(178.0), **fiji)
    stream = "/v1/positions/stream?view="
    async with client.get(f"{stream}-75.6,6.2,-75.5,6.3", headers=account.headers) as first:
        assert len((await next_event(first))[1]["features"]) == len(tours)
        await drive(eva, lon_e6=e6(178.1), **fiji)
        await drive(ana)
        last, event, changed = await next_with_id(first)
        assert (event, [one["id"] for one in changed["features"]]) == ("changed", [f"dr_{ana.driver_id}"])
        async with client.get(f"{stream}177,-20,179,-15&last_event_id={last}", headers=account.headers) as second:
            event, changed = await next_event(second)
            assert (event, [one["id"] for one in changed["features"]]) == ("changed", [f"dr_{eva.driver_id}"])
            with pytest.raises(EOFError):
                await next_event(first)


@pytest.mark.parametrize(
    "query", ["view=1,2,3", "view=0,0,nan,1", "view=0,0,1,1&drivers=ana", "view=0,0,1,1&drivers=,", "drivers=dr_1"]
)
async def test_what_is_no_view_is_refused(client: Any, account: Any, query: str) -> None:
    response = await client.get(f"/v1/positions/stream?{query}", headers=account.headers)
    assert response.status == 422
    assert (await response.json())["errors"][0]["at"] in query


async def test_a_stream_finds_changes_that_nobody_told(
    client: Any, account: Any, tours: list[Tour], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "LOOK_AGAIN_S", 0.1)
    async with client.get("/v1/positions/stream", headers=account.headers) as response:
        await next_event(response)
        await tours[2].see_van(321, at=datetime.now(UTC))
        event, changed = await next_event(response)
        assert (event, changed["features"][0]["properties"]["along_m"]) == ("changed", 321)


async def test_a_stream_ends_when_its_key_is_revoked(
    client: Any, account: Any, tours: list[Tour], pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "CHECK_KEY_S", 0.0)
    async with client.get("/v1/positions/stream", headers=account.headers) as response:
        await next_event(response)
        await pool.execute("UPDATE api_key SET revoked_at = now()")
        await tours[0].see_van(150, at=datetime.now(UTC))
        await tours[0].tell()
        with pytest.raises(EOFError):
            await next_event(response)


@pytest.mark.parametrize("stream_clients", [2])
async def test_a_full_house_says_when_to_come_back(client: Any, account: Any) -> None:
    async with (
        client.get("/v1/positions/stream", headers=account.headers),
        client.get("/v1/positions/stream", headers=account.headers),
    ):
        response = await client.get("/v1/positions/stream", headers=account.headers)
        assert response.status == 429, "all seats are its own"
        assert int(response.headers["Retry-After"]) > 0


async def test_a_stream_needs_a_key(client: Any, bearer: Callable[[str], dict[str, str]]) -> None:
    assert (await client.get("/v1/positions/stream", headers=bearer("rpk_wrong"))).status == 401


async def test_who_knows_a_tag_hears_only_of_changes(client: Any, account: Any, tours: list[Tour], pool: Pool) -> None:
    async def ask(query: str = "", tag: str | None = None, **more: str) -> Any:
        headers = account.headers | more | ({} if tag is None else {"If-None-Match": tag})
        return await client.get(f"/v1/positions{query}", headers=headers)

    tags = {query: (await ask(query)).headers["ETag"] for query in ("", "?status=moving", "?bbox=0,0,1,1")}
    assert len(set(tags.values())) == 3
    for query, tag in tags.items():
        assert (await ask(query, tag)).status == 304
    assert (await ask("", tags["?status=moving"])).status == 200
    packed = await ask("", None, Accept="application/msgpack")
    assert packed.content_type == "application/msgpack"
    ana = tours[0]
    await ana.see_van(250, at=datetime.now(UTC))
    await tell_live(pool, [(account.id, ana.driver_id, ana.route_id)])
    async with asyncio.timeout(10):
        while (told := await ask("", tags[""])).status == 304:
            await asyncio.sleep(0.05)
    assert told.headers["ETag"] != tags[""]
    assert (await ask("?bbox=0,0,1,1", tags["?bbox=0,0,1,1"])).status == 304  # nobody is there, before and after


async def test_time_alone_makes_another_answer(client: Any, account: Any, tours: list[Tour], pool: Pool) -> None:
    """A speed holds for a minute; the answer from memory does not outlive it."""
    ana = tours[0]
    await ana.see_van(100, at=datetime.now(UTC) - timedelta(seconds=58.5))
    await tell_live(pool, [(account.id, ana.driver_id, ana.route_id)])
    async with asyncio.timeout(10):
        while (await seen(client, account.headers, "?status=moving")).get(f"dr_{ana.driver_id}"):
            await asyncio.sleep(0.05)


async def test_a_key_that_was_revoked_here_is_believed_no_more(
    client: Any, account: Any, bearer: Callable[[str], dict[str, str]]
) -> None:
    headers = bearer(account.viewer_key)
    assert (await client.get("/v1/positions", headers=headers)).status == 200
    listed = (await (await client.get("/v1/keys", headers=account.headers)).json())["keys"]
    [viewer] = [one["id"] for one in listed if one["role"] == "viewer"]
    assert (await client.delete(f"/v1/keys/{viewer}", headers=account.headers)).status == 204
    assert (await client.get("/v1/positions", headers=headers)).status == 401
