"""The instruments of the benches; never how fast anything is."""

import asyncio
import json
import os
import time
from collections import deque
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from reparto.bench.ingest.load import BenchDevice, BenchDoor, Load, told
from reparto.bench.ingest.page import OpenPage
from reparto.bench.ingest.recipients import poll_of
from reparto.bench.ingest.wire import Wire
from reparto.bench.manifest import PollingPhone
from reparto.bench.polling import poll_for, tags_of
from reparto.process.usage import cpu_s, is_measured


async def test_a_load_sends_every_device_on_along_its_drive_and_counts_what_is_acknowledged() -> None:
    heard: dict[str, list[int]] = {}
    answers = iter([503, 200])

    async def door(request: web.Request) -> web.Response:
        status = next(answers, 200)
        if status == 200:
            pings = json.loads(await request.read())["pings"]
            assert all(ping["lat"] == 20.5 and ping["lon"] == -103.25 for ping in pings)
            heard.setdefault(request.headers["Authorization"], []).extend(ping["time"] for ping in pings)
        return web.json_response({"accepted": 0, "rejected": []}, status=status)

    app = web.Application()
    app.router.add_post("/v1/pings", door)
    drive = [told(20.5, -103.25, 8.25, 359.9)] * 3
    devices = deque(BenchDevice(token=f"rpd_{number}", drive=drive, starts_ms=1_000) for number in range(5))
    async with TestServer(app) as server:
        assert server.port is not None
        load = Load(host="127.0.0.1", port=server.port, ready=devices)
        await load.run(connections=2, batch=4, seconds=0.2)
    assert load.tally.acknowledged == sum(len(times) for times in heard.values()) > 0
    assert load.tally.retried == {"503": 1}
    assert len(devices) == 5
    for times in heard.values():
        assert times == list(range(1_000, 1_000 + 1_000 * len(times), 1_000))


async def test_a_steady_load_keeps_to_its_rate_and_tells_what_it_sends() -> None:
    async def door(request: web.Request) -> web.Response:
        await request.read()
        return web.json_response({"accepted": 1, "rejected": []})

    app = web.Application()
    app.router.add_post("/v1/pings", door)
    devices = [BenchDevice(token=str(n), drive=[told(20.5, -103.25, 8.25, 0)], starts_ms=1_000) for n in range(5)]
    page = OpenPage()
    async with TestServer(app) as server:
        assert server.port is not None
        load = Load(host="127.0.0.1", port=server.port, ready=deque(devices), on_sent=page.note_sent)
        await load.run_evenly(connections=2, per_s=100, seconds=0.495)
    assert load.tally.acknowledged == 50  # late or not, what was to be sent in that time is sent

    reader = asyncio.StreamReader()
    at = datetime.fromtimestamp(devices[0].at, UTC)
    where = {"driver_id": "", "recorded_at": at.isoformat()}
    reader.feed_data(b"event: changed\ndata: " + json.dumps({"features": [{"properties": where}]}).encode() + b"\n\n")
    reader.feed_eof()
    await page.follow_map(reader)
    assert page.latencies.quantile_s(0.5) > 0


async def test_a_load_speaks_as_apps_that_send_one_fix_in_a_query() -> None:
    heard: dict[str, list[int]] = {}

    async def door(request: web.Request) -> web.Response:
        assert (request.query["lat"], request.query["bearing"]) == ("20.500000", "0")
        heard.setdefault(request.match_info["token"], []).append(int(request.query["timestamp"]))
        return web.Response()

    app = web.Application()
    app.router.add_get("/ingest/{token}/osmand", door)
    drive = [told(20.5, -103.25, 8.25, 360.0)] * 3
    devices = deque(
        BenchDevice(token="", ingest_token=f"rpi_{number}", drive=drive, starts_ms=1_000) for number in range(3)
    )
    async with TestServer(app) as server:
        load = Load(host=server.host, port=server.port or 0, ready=devices)
        await load.run(connections=2, batch=1, seconds=0.1, door=BenchDoor.OSMAND)
    assert load.tally.acknowledged == sum(len(times) for times in heard.values()) > 0
    assert all(times == list(range(1_000, 1_000 + 1_000 * len(times), 1_000)) for times in heard.values())


@pytest.mark.parametrize("pings", [1, 2, 900])  # frames of all three lengths
async def test_a_load_speaks_by_websocket(pings: int) -> None:
    heard: list[int] = []

    async def door(request: web.Request) -> web.WebSocketResponse:
        assert request.headers["Authorization"] == "Bearer rpd_1"
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            said = json.loads(frame.data)
            heard.extend(ping["time"] for ping in said["pings"])
            await socket.send_str(json.dumps({"n": said["n"], "accepted": pings, "rejected": [], "why": "x" * pings}))
        return socket

    app = web.Application()
    app.router.add_get("/v1/pings/ws", door)
    device = BenchDevice(token="rpd_1", drive=[told(20.5, -103.25, 8.25, 0)], starts_ms=0)
    async with TestServer(app) as server:
        load = Load(host=server.host, port=server.port or 0, ready=deque([device]))
        await load.run(connections=1, batch=pings, seconds=0.1, door=BenchDoor.WEBSOCKET)
    assert heard == list(range(0, 1_000 * len(heard), 1_000))
    assert load.tally.acknowledged == len(heard) > 0


async def test_a_load_stops_at_an_answer_that_means_a_mistake() -> None:
    async def door(request: web.Request) -> web.Response:
        return web.json_response({"detail": "no"}, status=401)

    app = web.Application()
    app.router.add_post("/v1/pings", door)
    device = BenchDevice(token="x", drive=[told(1, 2, 3, 4)], starts_ms=0)
    async with TestServer(app) as server:
        assert server.port is not None
        load = Load(host="127.0.0.1", port=server.port, ready=deque([device]))
        with pytest.raises(ExceptionGroup) as caught:
            await load.run(connections=1, batch=1, seconds=5)
    assert "the door answers 401" in str(caught.value.exceptions[0])


async def test_a_phone_polls_with_the_version_it_has_and_hears_answers_without_a_body() -> None:
    async def manifest(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer rpd_1"
        known = request.headers.get("If-None-Match")
        return web.Response(status=304) if known == '"7"' else web.json_response({"since": request.query["since"]})

    app = web.Application()
    app.router.add_get("/v1/driver/manifest", manifest)
    phone = PollingPhone(token="rpd_1", version=7)
    async with TestServer(app) as server:
        transport, wire = await asyncio.get_running_loop().create_connection(Wire, server.host, server.port or 0)
        assert await wire.ask(phone.request(header='If-None-Match: "{v}"')) == (304, b"")
        assert await wire.ask(phone.request("?since={v}")) == (200, b'{"since": "7"}')
        transport.close()


async def test_polls_are_counted_by_their_status_and_ask_with_the_tags_they_were_given() -> None:
    async def track(request: web.Request) -> web.Response:
        tag = f'W/"of-{request.match_info["token"]}"'
        known = request.headers.get("If-None-Match") == tag
        return web.Response(status=304 if known else 200, headers={"ETag": tag}, body=None if known else b"a view")

    app = web.Application()
    app.router.add_get("/v1/track/{token}", track)
    tokens = [f"token-{n}" for n in range(7)]
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        tags = await tags_of(url, [poll_of(token) for token in tokens])
        assert tags == [f'W/"of-{token}"' for token in tokens]
        asked = [poll_of(token, tag) for token, tag in zip(tokens, tags, strict=True)]
        polled = await poll_for(url, [*asked, poll_of("new")], seconds=0.2, pids={"us": os.getpid()})
    assert set(polled.statuses) == {200, 304}
    assert polled.body_bytes == polled.statuses[200] * len(b"a view")
    assert polled.answers == polled.statuses.total() >= 8


@pytest.mark.skipif(not is_measured(), reason="this machine has no /proc")
async def test_cpu_time_counts_a_process_and_what_it_started() -> None:
    before_s = cpu_s(os.getpid())
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    child = await asyncio.create_subprocess_exec("python3", "-c", burn)
    await child.wait()
    assert cpu_s(os.getpid()) - before_s >= 0.25
    until_s = time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    assert cpu_s(os.getpid()) - before_s >= 0.3
