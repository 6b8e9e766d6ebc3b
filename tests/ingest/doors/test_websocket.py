"""The WebSocket door: the same batches, answered in order, and what the server closes with."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from api.http.known.devices import DEVICES
from geo.pings import Pings
from ingest.doors.websocket import BAD_TOKEN, COME_BACK_LATER, GOING_AWAY, SOCKETS
from sql.inbox.quarantine import list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox, ping, until_writers_wait

Kept = Callable[[], Awaitable[Pings]]


async def connect(client: Client, phone: Phone) -> ClientWebSocketResponse:
    return await client.ws_connect("/v1/pings/ws", headers=phone.headers)


async def closed_with(socket: ClientWebSocketResponse) -> tuple[int | None, str]:
    """Read until the server closes; give its code and reason."""
    async with asyncio.timeout(60):
        while (frame := await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
            pass
    return socket.close_code, str(frame.extra or "")


async def test_a_frame_is_answered_in_its_own_form_when_it_is_on_disk(client: Client, phone: Phone, kept: Kept) -> None:
    socket = await connect(client, phone)
    await socket.send_json({"n": 1, "pings": [ping(1), ping(2, lat=91)]})
    assert await socket.receive_json() == {
        "n": 1, "accepted": 1, "rejected": [{"index": 1, "why": "lat-out-of-range"}],
    }  # fmt: skip
    assert len(await kept()) == 1
    columns = {"time": [ping(3)["time"]], "lat": [19.4], "lon": [-99.1]}
    await socket.send_bytes(msgpack.packb({"n": 2, "columns": columns}))
    assert msgpack.unpackb(await socket.receive_bytes()) == {"n": 2, "accepted": 1, "rejected": []}
    assert len(await kept()) == 2
    await socket.close()


async def test_frames_sent_at_once_are_answered_in_order(client: Client, phone: Phone, kept: Kept) -> None:
    socket = await connect(client, phone)
    for n in range(100):
        await socket.send_json({"n": n, "pings": [ping(n)] * (n % 3)})
    answers = [await socket.receive_json() for _ in range(100)]
    assert [(answer["n"], answer["accepted"]) for answer in answers] == [(n, n % 3) for n in range(100)]
    assert len(await kept()) == 99
    await socket.close()


async def test_a_bad_frame_is_answered_and_the_connection_goes_on(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(max_batch=5) as client:
        socket = await connect(client, phone)
        frames: list[tuple[str, int | None, str]] = [
            ("hello", None, "bad-request"),
            ("[" * 100_000, None, "bad-request"),
            ("5", None, "invalid-fields"),
            ('{"n": 4}', 4, "invalid-fields"),
            ('{"n": 5, "pings": 6}', 5, "invalid-fields"),
            (json.dumps({"n": 6, "pings": [ping()] * 6}), 6, "too-large"),
            ('{"n": "seven", "pings": 7}', None, "invalid-fields"),
        ]
        for text, n, type_ in frames:
            await socket.send_str(text)
            answer = await socket.receive_json()
            assert (answer["n"], answer["error"]["type"]) == (n, type_)
        await socket.send_bytes(b"\xc1")
        assert msgpack.unpackb(await socket.receive_bytes())["error"]["status"] == 400
        await socket.send_json({"n": 9, "pings": [ping()]})
        assert (await socket.receive_json())["accepted"] == 1
        await socket.close()


async def test_refused_pings_of_a_frame_go_into_quarantine(client: Client, phone: Phone, pool: Pool) -> None:
    socket = await connect(client, phone)
    await socket.send_json({"n": 1, "pings": [ping(lat=91)]})
    await socket.receive_json()
    (entry,) = await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)
    assert (entry.source, entry.reason) == ("websocket", "lat-out-of-range")
    await socket.close()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer rpd_unknown"}])
async def test_a_bad_token_is_closed_with_its_own_code(client: Client, phone: Phone, headers: dict[str, str]) -> None:
    socket = await client.ws_connect("/v1/pings/ws", headers=headers)
    assert (await closed_with(socket))[0] == BAD_TOKEN


async def test_an_ingest_token_does_not_open_a_websocket(client: Client, phone: Phone) -> None:
    socket = await client.ws_connect("/v1/pings/ws", headers={"Authorization": f"Bearer {phone.ingest_token}"})
    assert (await closed_with(socket))[0] == BAD_TOKEN


async def test_a_token_revoked_while_connected_ends_the_connection(client: Client, phone: Phone, pool: Pool) -> None:
    socket = await connect(client, phone)
    await socket.send_json({"n": 1, "pings": [ping()]})
    assert (await socket.receive_json())["accepted"] == 1
    await pool.execute("UPDATE device SET revoked_at = now()")
    assert client.app is not None
    client.app[DEVICES].forget(phone.id)
    await socket.send_json({"n": 2, "pings": [ping()]})
    assert (await closed_with(socket))[0] == BAD_TOKEN
    assert await pool.fetchval("SELECT sum(pings) FROM inbox") == 1


async def test_a_server_that_cannot_keep_more_says_when_to_come_back(
    open_doors: Doors, phone: Phone, pool: Pool
) -> None:
    async with open_doors(inbox_max_depth=100) as client:
        await pool.execute("INSERT INTO inbox (lane, received_at, pings, body) VALUES (63, now(), 500, '')")
        socket = await connect(client, phone)
        async with asyncio.timeout(60):
            while True:
                await socket.send_json({"n": 1, "pings": [ping()]})
                frame = await socket.receive()
                if frame.type is not WSMsgType.TEXT:
                    break
        assert (socket.close_code, frame.extra) == (COME_BACK_LATER, "unavailable; come back in 30 s")


async def test_a_device_over_its_rate_says_when_to_come_back(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(pings_per_minute=60) as client:
        socket = await connect(client, phone)
        await socket.send_json({"n": 1, "pings": [ping()] * 61})
        await socket.send_json({"n": 2, "pings": [ping()]})
        code, reason = await closed_with(socket)
        assert (code, reason[:31]) == (COME_BACK_LATER, "too-many-requests; come back in")


async def test_too_long_a_frame_ends_the_connection(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(max_ping_bytes=10_000) as client:
        socket = await connect(client, phone)
        await socket.send_str(" " * 20_000)
        assert (await closed_with(socket))[0] == 1009


async def test_connections_are_bounded(open_doors: Doors, phone: Phone) -> None:
    async with open_doors(websocket_clients=1) as client:
        first = await connect(client, phone)
        with pytest.raises(WSServerHandshakeError) as refused:
            await connect(client, phone)
        assert (refused.value.status, "Retry-After" in (refused.value.headers or {})) == (503, True)
        await first.close()
        async with asyncio.timeout(60):
            while client.app[SOCKETS]:
                await asyncio.sleep(0.01)
        second = await connect(client, phone)
        await second.close()


async def test_a_plain_request_is_told_to_upgrade(client: Client, phone: Phone) -> None:
    for headers in ({}, {"Upgrade": "websocket"}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
        response = await client.get("/v1/pings/ws", headers={**phone.headers, **headers})
        assert (response.status, response.content_type) == (400, "application/problem+json")
        assert "ask to upgrade" in (await response.json())["detail"]


async def test_a_phone_that_disconnects_leaves_its_pings_with_us(client: Client, phone: Phone, pool: Pool) -> None:
    async with locked_inbox(pool):
        socket = await connect(client, phone)
        await socket.send_json({"n": 1, "pings": [ping()]})
        await until_writers_wait(pool)
        await socket.close()
    async with asyncio.timeout(60):
        while await pool.fetchval("SELECT count(*) FROM inbox") < 1:
            await asyncio.sleep(0.01)


async def test_a_phone_that_does_not_read_stops_being_read(
    open_doors: Doors, phone: Phone, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: list[int] = []

    class Watched(asyncio.Queue[Any]):
        async def put(self, item: Any) -> None:
            await super().put(item)
            under_way.append(self.qsize())

    monkeypatch.setattr("ingest.doors.websocket.asyncio.Queue", Watched)
    async with open_doors() as client:
        async with locked_inbox(pool):
            socket = await connect(client, phone)
            for n in range(200):
                await socket.send_json({"n": n, "pings": [ping()]})
            async with asyncio.timeout(60):
                while len(under_way) < 16:
                    await asyncio.sleep(0.01)
        assert [(await socket.receive_json())["n"] for n in range(200)] == list(range(200))
        assert max(under_way) <= 16
        await socket.close()


async def test_phones_are_sent_away_when_the_server_stops(open_doors: Doors, phone: Phone) -> None:
    async with open_doors() as client:
        socket = await connect(client, phone)
        await socket.send_json({"n": 1, "pings": [ping()]})
        await socket.receive_json()
        leaving = asyncio.create_task(closed_with(socket))
        await client.server.close()
        assert (await leaving)[0] == GOING_AWAY
