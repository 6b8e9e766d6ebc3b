"""The socket: first everybody, then whoever changes, and what happens; it ends with the right to it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientWSTimeout, WSMsgType
from pytraccar import SubscriptionStatus, TraccarConnectionException, TraccarException

from api.stream.hub import HUB
from api.traccar import following, socket, vans
from api.traccar.following import TraccarNews, follow_for_traccar
from sql.pool import Pool
from tests.api.desk.desk import make_user, signed_in
from tests.api.stream.streams import SOON_S
from tests.api.tour_rows import Tour
from tests.api.traccar.conftest import OF_PYTRACCAR, Traccar
from tests.api.traccar.test_events import happen

pytestmark = OF_PYTRACCAR


@pytest.fixture
async def tours(pool: Pool, account: Any) -> list[Tour]:
    """Ana drives; Eva was never seen."""
    now = datetime.now(UTC)
    made = [
        await Tour.put(pool, account.id, start_at=now, external_id=f"tour-{name}", driver=name.title())
        for name in ("ana", "eva")
    ]
    await made[0].see_van(100, at=now - timedelta(seconds=7))
    return made


async def next_frame(ws: Any) -> dict[str, list[Any]]:
    async with asyncio.timeout(SOON_S):
        frame = await ws.receive()
    assert frame.type is WSMsgType.TEXT, frame
    return json.loads(frame.data)


async def closed_with(ws: Any) -> int | None:
    async with asyncio.timeout(SOON_S):
        while (await ws.receive()).type is WSMsgType.TEXT:
            pass
    return ws.close_code


async def test_pytraccar_is_told_of_everybody_then_of_who_moved_and_of_what_happens(
    traccar: Traccar, account: Any, tours: list[Tour]
) -> None:
    ana, eva = tours
    told: asyncio.Queue[Any] = asyncio.Queue()
    async with traccar(account.viewer_key) as api, asyncio.timeout(SOON_S):
        following_now = asyncio.create_task(api.subscribe(told.put))
        first = await told.get()
        assert api.subscription_status is SubscriptionStatus.CONNECTED
        assert [one["id"] for one in first["devices"]] == [ana.driver_id, eva.driver_id]
        assert [one["deviceId"] for one in first["positions"]] == [ana.driver_id]
        assert first["events"] is None
        await eva.see_van(250, at=datetime.now(UTC), speed_mps=10.0)
        await eva.tell()
        moved = await told.get()
        assert [(one["id"], one["status"]) for one in moved["devices"]] == [(eva.driver_id, "online")]
        (position,) = moved["positions"]
        assert (position["deviceId"], position["speed"]) == (eva.driver_id, 19.438)
        assert moved["devices"][0]["positionId"] == position["id"]
        await happen(ana, "geofence.entered", known_at=datetime.now(UTC), geofence_id=4)
        (event,) = (await told.get())["events"]
        assert (event["type"], event["deviceId"], event["geofenceId"]) == ("geofenceEnter", ana.driver_id, 4)
        following_now.cancel()
        await following_now


async def test_what_happened_before_is_not_told(client: Any, account: Any, tours: list[Tour]) -> None:
    await happen(tours[0], "driver.silent", known_at=datetime.now(UTC))
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        assert (await next_frame(ws)).keys() == {"devices", "positions"}
        await happen(tours[0], "driver.seen", known_at=datetime.now(UTC))
        await happen(tours[0], "driver.seen", known_at=datetime.now(UTC), revision=2, state="corrected")
        await happen(tours[0], "stop.arrived", known_at=datetime.now(UTC))
        await happen(tours[0], "driver.sos", known_at=datetime.now(UTC))
        kinds: list[str] = []
        while len(kinds) < 2:
            kinds += [one["type"] for one in (await next_frame(ws)).get("events", [])]
    assert kinds == ["deviceOnline", "alarm"]


async def test_a_status_changes_by_time_alone(
    client: Any, account: Any, tours: list[Tour], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.1)
    await tours[0].see_van(100, at=datetime.now(UTC) - timedelta(minutes=10) + timedelta(seconds=3))
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        assert (await next_frame(ws))["devices"][0]["status"] == "online"
        assert [one["status"] for one in (await next_frame(ws))["devices"]] == ["unknown"]


async def test_a_new_driver_and_a_new_name_are_told(
    client: Any, account: Any, tours: list[Tour], make_driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.1)
    monkeypatch.setattr(vans, "LISTED_WITHIN_S", 0.1)
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        await next_frame(ws)
        await make_driver(client, account.key, "zoe")
        assert [one["name"] for one in (await next_frame(ws))["devices"]] == ["Zoe"]
        await client.patch("/v1/drivers/zoe", json={"name": "Zoë"}, headers=account.headers)
        assert [one["name"] for one in (await next_frame(ws))["devices"]] == ["Zoë"]


async def test_a_socket_opens_by_key_token_and_cookie_and_for_nobody_else(client: Any, account: Any) -> None:
    key = account.viewer_key
    by_cookie = {"Cookie": f"JSESSIONID={key}"}
    for more in ({"headers": account.headers}, {"params": {"token": key}}, {"headers": by_cookie}):
        async with client.ws_connect("/api/socket", **more) as ws:
            assert await next_frame(ws) == {"devices": [], "positions": []}
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for status, headers in (
        (401, {}),
        (401, {"Authorization": "Bearer rpk_wrong"}),
        (403, by_cookie | elsewhere),
    ):
        async with client.get("/api/socket", headers=headers) as response:
            assert response.status == status, headers
    async with client.get("/api/socket", headers=account.headers) as response:
        assert response.status == 400, "it asks for no socket"


@pytest.mark.parametrize("by", ["key", "session"])
async def test_a_socket_ends_with_the_right_to_it(
    client: Any, account: Any, tours: list[Tour], pool: Pool, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(socket, "CHECK_KEY_S", 0.1)
    mine = account.headers
    if by == "session":
        mine = await signed_in(pool, account.id, await make_user(pool, account.id), "reparto")
    async with client.ws_connect("/api/socket", headers=mine) as ws:
        await next_frame(ws)
        await pool.execute("UPDATE api_key SET revoked_at = now()" if by == "key" else "DELETE FROM desk_session")
        assert await closed_with(ws) == socket.NOT_ANY_MORE


async def test_pytraccar_hears_that_its_key_was_revoked(
    traccar: Traccar, account: Any, tours: list[Tour], pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "CHECK_KEY_S", 0.1)

    async def revoke(_: Any) -> None:
        await pool.execute("UPDATE api_key SET revoked_at = now()")

    async with traccar(account.viewer_key) as api, asyncio.timeout(SOON_S):
        with pytest.raises(TraccarConnectionException):
            await api.subscribe(revoke)
        with pytest.raises(TraccarException, match="Unauthorized"):
            await api.subscribe(revoke)
        assert api.subscription_status is SubscriptionStatus.ERROR


async def test_a_socket_says_that_the_process_ends(client: Any, account: Any, tours: list[Tour]) -> None:
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        await next_frame(ws)
        client.app[HUB].close_streams()
        assert await closed_with(ws) == socket.GOING_AWAY


async def test_another_account_s_drivers_are_not_told(client: Any, other_account: Any, tours: list[Tour]) -> None:
    async with client.ws_connect("/api/socket", headers=other_account.headers) as ws:
        assert await next_frame(ws) == {"devices": [], "positions": []}
        await tours[0].see_van(250, at=datetime.now(UTC))
        await tours[0].tell()
        with pytest.raises(TimeoutError):
            await ws.receive(timeout=1.5)


@pytest.mark.parametrize("stream_clients", [2])
async def test_sockets_are_among_the_streams_that_may_be_open(client: Any, account: Any) -> None:
    async with (
        client.ws_connect("/api/socket", headers=account.headers) as one,
        client.get("/v1/positions/stream", headers=account.headers),
    ):
        async with client.get("/api/socket", headers=account.headers) as response:
            assert response.status == 429, "all seats are its own"
        await one.close()


async def test_what_a_client_says_is_passed_over_but_not_without_end(
    client: Any, account: Any, tours: list[Tour]
) -> None:
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        await next_frame(ws)
        await ws.send_str('{"logs": true}')
        await ws.ping()
        await tours[0].see_van(150, at=datetime.now(UTC))
        await tours[0].tell()
        assert len((await next_frame(ws))["positions"]) == 1
        await ws.send_str("x" * 5_000)
        assert await closed_with(ws) == 1009


async def test_a_fleet_of_5000_is_read_and_encoded_once_in_frames_that_clients_take(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pool.execute(
        "INSERT INTO driver (account_id, lane, external_id, name)"
        " SELECT $1, 0, n::text, 'Driver ' || n FROM generate_series(1, 5000) AS n",
        account.id,
    )
    await pool.execute(
        "INSERT INTO live (lane, driver_id, account_id, recorded_at, received_at, lat_e6, lon_e6)"
        " SELECT lane, id, account_id, now(), now(), 6250000, -75570000 FROM driver"
    )
    made = []
    monkeypatch.setattr(vans, "_van", lambda *args, of=vans._van: made.append(1) or of(*args))
    sockets = [await client.ws_connect("/api/socket", headers=account.headers) for _ in range(3)]
    for ws in sockets:
        frames = [await next_frame(ws) for _ in range(10)]
        assert sum(len(frame["devices"]) for frame in frames) == 5_000
        for frame in frames:
            assert [one["id"] for one in frame["devices"]] == [one["deviceId"] for one in frame["positions"]]
            assert len(json.dumps(frame)) < 500_000
    assert len(made) == 5_000
    for ws in sockets:
        await ws.close()


async def test_a_follower_who_is_behind_is_told_what_is_newest(client: Any, account: Any, tours: list[Tour]) -> None:
    hub = client.app[HUB]
    seen: list[TraccarNews] = []
    async with hub.watch(follow_for_traccar, account.id) as watch, asyncio.timeout(SOON_S):
        for along_m in (200, 300, 400):
            while (news := await watch.next(1.0)) is None:
                pass
            seen.append(news)
            await tours[0].see_van(along_m, at=datetime.now(UTC))
            await tours[0].tell()
        while (news := await watch.next(1.0)) is None:
            pass
    (behind,) = (json.loads(frame) for frame in news.frames(seen[0]))
    assert len(behind["positions"]) == len(behind["devices"]) == 1
    assert news.frames(seen[0])[0] is news.frames(seen[0])[0], "encoded once"
    assert news.frames(news) == []


async def test_what_happens_while_the_database_is_away_is_told_after(
    client: Any, account: Any, tours: list[Tour], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And more than is read at once is told, too."""
    away, read = [], following.read_events

    async def fail(*args: Any, **more: Any) -> Any:
        if away:
            raise ConnectionRefusedError
        return await read(*args, **more)

    monkeypatch.setattr(following, "read_events", fail)
    monkeypatch.setattr(following, "_AGAIN_S", 0.05)
    monkeypatch.setattr(following, "MOST_EVENTS", 2)
    async with client.ws_connect("/api/socket", headers=account.headers) as ws:
        await next_frame(ws)
        away.append(True)
        for _ in range(5):
            await happen(tours[0], "driver.seen", known_at=datetime.now(UTC))
        with pytest.raises(TimeoutError):
            await ws.receive(timeout=0.5)
        away.clear()
        ids: list[int] = []
        while len(ids) < 5:
            ids += [one["id"] for one in (await next_frame(ws)).get("events", [])]
    assert len(set(ids)) == 5


async def test_a_client_that_reads_nothing_is_sent_away(
    client: Any, account: Any, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "_TAKES_WITHIN_S", 0.2)
    monkeypatch.setattr(following, "COALESCE_S", 0.01)
    await pool.execute(
        "INSERT INTO driver (account_id, lane, external_id, name)"
        " SELECT $1, 0, n::text, repeat('x', 10000) FROM generate_series(1, 1000) AS n",
        account.id,
    )
    monkeypatch.setattr(vans, "LISTED_WITHIN_S", 0.0)
    monkeypatch.setattr(following, "LOOK_AGAIN_S", 0.05)
    gone = ClientWSTimeout(ws_close=0.1)
    async with client.ws_connect("/api/socket", headers=account.headers, timeout=gone) as ws:
        ws._response.connection.transport.pause_reading()
        async with asyncio.timeout(SOON_S):
            while client.app[HUB]._seats.total:
                await pool.execute("UPDATE driver SET phone = (random() * 1e9)::int::text")
                await asyncio.sleep(0.1)
