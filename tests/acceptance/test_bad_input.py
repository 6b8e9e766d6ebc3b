"""Bad input of every kind, over a real server: the contract's answer, and never a 500."""

import asyncio
import gzip
import io
import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgpack
import pytest

from reparto.child import Child, free_port
from reparto.client.client import Client

NOW = int(time.time() * 1000)
GOOD = {"time": NOW, "lat": 20.67, "lon": -103.35}
BOMB = gzip.compress(bytes(200 * 1024 * 1024), 9)
DEEP = b"[" * 100_000
STOP = {"external_id": "1", "kind": "delivery", "name": "Ana", "lat": 20.67, "lon": -103.35}
ROUTE: dict[str, Any] = {
    "driver": None,
    "date": "2026-03-02",
    "timezone": "America/Mexico_City",
    "start_at": "2026-03-02T08:00:00-06:00",
    "depot": {"name": "d", "lat": 20.67, "lon": -103.35},
    "stops": [STOP],
}
PACKED = {"Content-Type": "application/msgpack"}
GZIPPED = {"Content-Encoding": "gzip"}


class Product(NamedTuple):
    """A running product with two accounts."""

    url: str
    key: str
    other_key: str
    token: str
    device: str
    log: Path


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("bad-input")
    listen, log = f"127.0.0.1:{free_port()}", folder / "up.log"
    settings = {"REPARTO_LISTEN": listen, "REPARTO_DATA_DIR": str(folder / "data")}
    up = Child("up", settings=settings, log=log)
    try:
        asyncio.run(up.ready(f"http://{listen}"))
        key = (folder / "data" / "admin.key").read_text().strip()
        other = Child(
            "key", "create", "--role", "admin", "--account", "other", settings=settings, log=folder / "key.log"
        )
        assert other.wait() == 0, other.last_words()
        other_key = next(line for line in (folder / "key.log").read_text().splitlines() if line.startswith("rpk_"))
        device, token = asyncio.run(_furnish(f"http://{listen}", key))
        yield Product(f"http://{listen}", key, other_key, token, device, log)
    finally:
        up.stop()


async def _furnish(url: str, key: str) -> tuple[str, str]:
    async with Client(url, key) as client:
        driver_id = await client.driver("ana", "Ana")
        await client.ask("PUT", "/v1/routes/r1", body=ROUTE | {"driver": "ana"})
        return await client.device(driver_id, "phone")


async def _ask(
    product: Product, method: str, path: str, *, body: Any = None, key: str | None = None, **headers: str
) -> tuple[int, Any]:
    secret = product.key if key is None else key
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    data = None if raw is None else io.BytesIO(raw)
    told = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"} | headers
    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.request(method, product.url + path, data=data, headers=told) as response,
    ):
        text = await response.read()
        if response.status >= 400:
            assert response.content_type == "application/problem+json", (path, response.status, text[:200])
            problem = json.loads(text)
            assert problem["type"]
            assert problem["detail"]
            assert problem["status"] == response.status
        return response.status, json.loads(text) if text and "json" in response.content_type else text


def columns(**given: Any) -> bytes:
    packed: bytes = msgpack.packb({"columns": given})
    return packed


def times(n: int) -> bytes:
    return struct.pack(f"<{n}q", *range(NOW, NOW + n))


def floats(n: int) -> bytes:
    return struct.pack(f"<{n}d", *([20.0] * n))


@pytest.mark.parametrize(
    ("body", "headers", "statuses"),
    [
        (b"{", {}, {400}),
        (b"", {}, {400}),
        (b"\xff\xfe\x00", {}, {400}),
        (b"null", {}, {400, 422}),
        (b'"pings"', {}, {400, 422}),
        (b'{"pings": 5}', {}, {400, 422}),
        (b'{"pings": {"a": 1}}', {}, {200}),
        (b'{"pins": []}', {}, {400, 422}),
        (b'{"pings": [{"time": 1, "lat": NaN, "lon": 1}]}', {}, {200, 400, 422}),
        (b'{"pings": [{"time": 1, "lat": 1e999, "lon": 1}]}', {}, {200, 400, 422}),
        (DEEP, {}, {400}),
        (b'{"pings": ' + DEEP, {}, {400}),
        (json.dumps({"pings": [GOOD] * 10_001}).encode(), {}, {413}),
        (b" " * (5 * 1024 * 1024), {}, {413}),
        (BOMB, GZIPPED, {413}),
        (b"this is not gzip", GZIPPED, {400}),
        (gzip.compress(json.dumps({"pings": [GOOD] * 100}).encode())[:-60], GZIPPED, {400}),
        (b"<pings/>", {"Content-Type": "application/xml"}, {415}),
        (b"\xc1", PACKED, {400}),
        (b"\xdd\xff\xff\xff\xff", PACKED, {400}),
        (b"\x91" * 100_000, PACKED, {400}),
        (msgpack.packb({"pings": [1, "two", None]}), PACKED, {200}),
        (columns(), PACKED, {400, 422}),
        (columns(time=[NOW], lat=[1.0]), PACKED, {400, 422}),
        (columns(time=[NOW], lat=[1.0, 2.0], lon=[1.0]), PACKED, {400, 422}),
        (columns(time=times(2)[:-3], lat=floats(2), lon=floats(2)), PACKED, {400, 422}),
        (columns(time=times(10_001), lat=floats(10_001), lon=floats(10_001)), PACKED, {413}),
        (columns(time=times(1), lat=struct.pack("<d", float("nan")), lon=floats(1)), PACKED, {200}),
        (columns(time="now", lat={}, lon=None), PACKED, {400, 422}),
        (columns(time=[2**70 % 2**64], lat=[1.0], lon=[1.0]), PACKED, {200, 400, 422}),
    ],
)  # fmt: skip
async def test_bodies_that_are_no_pings(
    product: Product, body: bytes, headers: dict[str, str], statuses: set[int]
) -> None:
    status, _ = await _ask(product, "POST", "/v1/pings", body=body, key=product.token, **headers)
    assert status in statuses


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"lat": 91}, "lat-out-of-range"),
        ({"lat": -90.1}, "lat-out-of-range"),
        ({"lon": 181}, "lon-out-of-range"),
        ({"lat": "north"}, "lat-not-a-number"),
        ({"lat": None}, "lat-missing"),
        ({"lon": True}, "lon-not-a-number"),
        ({"time": 0}, "time-too-old"),
        ({"time": "1970-01-01T00:00:00Z"}, "time-too-old"),
        ({"time": "2099-01-01T00:00:00Z"}, "time-too-far-ahead"),
        ({"time": 10**30}, "time-too-far-ahead"),
        ({"time": -(10**30)}, "time-too-old"),
        ({"time": "2026-03-02 08:00"}, "time-without-zone"),
        ({"time": "yesterday"}, "time-unreadable"),
        ({"time": []}, "time-unreadable"),
        ({"time": None}, "time-missing"),
    ],
)
async def test_pings_that_are_none_are_named_and_the_others_are_kept(
    product: Product, wrong: dict[str, Any], why: str
) -> None:
    status, answer = await _ask(product, "POST", "/v1/pings", body={"pings": [GOOD, GOOD | wrong]}, key=product.token)
    assert status == 200
    assert answer["accepted"] == 1
    assert [one["index"] for one in answer["rejected"]] == [1]
    assert answer["rejected"][0]["why"] in (why, "time-unreadable" if why.startswith("time") else why)


@pytest.mark.parametrize(
    "odd",
    [
        {"accuracy_m": -1, "battery": 7, "speed_mps": -5, "heading_deg": 720},
        {"accuracy_m": "good", "battery": [], "charging": "yes", "mock": 3, "activity": 5, "id": {}},
        {"accuracy_m": 1e300, "altitude_m": -1e300},
        {"id": "x" * 1_000_000},
        {"activity": "\u0000 \ud83d\ude9a" * 1000},
        {"id": 2**80},
        {"unknown": {"a": [1, 2, {"b": None}]}},
    ],
)
async def test_odd_fields_lose_no_ping(product: Product, odd: dict[str, Any]) -> None:
    status, answer = await _ask(product, "POST", "/v1/pings", body={"pings": [GOOD | odd]}, key=product.token)
    assert (status, answer["accepted"]) == (200, 1)


@pytest.mark.parametrize("key", ["", "x", "rpd_" + "A" * 43, "rpd_é", "rpd_" + "A" * 7000])
async def test_wrong_tokens_are_401(product: Product, key: str) -> None:
    for method, path in (("POST", "/v1/pings"), ("GET", "/v1/routes/r1"), ("GET", "/v1/drivers")):
        status, _ = await _ask(product, method, path, body={"pings": []} if method == "POST" else None, key=key)
        assert status == 401


async def test_a_key_sends_no_pings_and_a_device_asks_nothing(product: Product) -> None:
    assert (await _ask(product, "POST", "/v1/pings", body={"pings": [GOOD]}))[0] == 401
    assert (await _ask(product, "GET", "/v1/drivers", key=product.token))[0] == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/routes/r1", None),
        ("GET", "/v1/routes/r1/track", None),
        ("GET", "/v1/routes/r1/visits", None),
        ("GET", "/v1/routes/r1/eta", None),
        ("DELETE", "/v1/routes/r1", None),
        ("POST", "/v1/routes/r1/assign", {"driver": None}),
        ("GET", "/v1/drivers/ana/track", None),
        ("GET", "/v1/drivers/ana/devices", None),
        ("POST", "/v1/drivers/ana/devices", {}),
        ("PATCH", "/v1/drivers/ana", {"name": "Eva"}),
        ("DELETE", "/v1/drivers/ana", None),
        ("DELETE", "/v1/devices/{device}", None),
    ],
)
async def test_another_accounts_things_are_404(product: Product, method: str, path: str, body: Any) -> None:
    status, _ = await _ask(product, method, path.format(device=product.device), body=body, key=product.other_key)
    assert status == 404


@pytest.mark.parametrize("place", ["routes", "drivers", "devices", "geofences"])
@pytest.mark.parametrize(
    "name",
    [
        "rt_99999999999999999999",
        "dr_0",
        "dv_-1",
        "gf_1e3",
        "%00",
        "%F0%9F%9A%9A",
        "%ff",
        "x" * 5000,
        "..%2F..%2Fetc",
        "'%3B--",
    ],
)
async def test_strange_names_are_no_things(product: Product, place: str, name: str) -> None:
    status, _ = await _ask(product, "GET", f"/v1/{place}/{name}")
    assert status in (400, 404, 405)
    status, _ = await _ask(product, "DELETE", f"/v1/{place}/{name}")
    assert status in (400, 404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/drivers?cursor=nonsense",
        "/v1/drivers?limit=0",
        "/v1/drivers?limit=-1",
        "/v1/drivers?limit=99999999999999999999",
        "/v1/positions?bbox=1,2,3",
        "/v1/positions?bbox=nan,nan,nan,nan",
        "/v1/positions?bbox=200,100,300,200",
        "/v1/positions?status=flying",
        "/v1/events?cursor=%00",
        "/v1/routes/r1/track?format=exe",
        "/v1/drivers/ana/track?from=yesterday",
        "/v1/drivers/ana/track?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "/v1/drivers/ana/track?from=99999-01-01T00:00:00Z",
    ],
)
async def test_bad_questions_are_answered_with_what_is_wrong(product: Product, path: str) -> None:
    status, _ = await _ask(product, "GET", path)
    assert status in (400, 422)


@pytest.mark.parametrize(
    "change",
    [
        {"stops": []},
        {"stops": None},
        {"stops": [STOP] * 2},
        {"stops": [STOP | {"lat": 91}]},
        {"stops": [STOP | {"lat": float("nan")}]},
        {"stops": [STOP | {"external_id": "st_5"}]},
        {"stops": [STOP | {"name": ""}]},
        {"stops": [STOP | {"name": "a\u0000b"}]},
        {"stops": [STOP | {"window": {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T09:00:00Z"}}]},
        {"stops": [STOP | {"planned_arrival": "2026-03-02T10:00:00"}]},
        {"stops": [STOP | {"geofence": {"type": "Polygon", "coordinates": [[[0, 0]]]}}]},
        {"stops": [STOP | {"external_id": str(n)} for n in range(501)]},
        {"timezone": "Mars/Olympus"},
        {"date": "2026-02-30"},
        {"start_at": "soon"},
        {"start_at": "2026-03-02T08:00:00-06:00", "end_at": "2026-03-02T07:00:00-06:00"},
        {"start_at": "0001-01-01T00:00:00+14:00"},
        {"path": {"type": "LineString", "coordinates": [[-103.35, 20.67]]}},
        {"path": {"type": "LineString", "coordinates": [[20.67, -103.35], [20.68, -103.36]]}},
        {"path": {"type": "Point", "coordinates": [-103.35, 20.67]}},
        {"path": {"polyline": "\u007f\u007f\u007f"}},
        {"path": {"polyline": "_p~iF~ps|U", "precision": 99}},
        {"driver": "nobody"},
        {"surprise": 1},
    ],
)
async def test_bad_routes_change_nothing(product: Product, change: dict[str, Any]) -> None:
    status, _ = await _ask(product, "PUT", "/v1/routes/bad", body=ROUTE | change)
    assert status in (400, 404, 409, 422)
    assert (await _ask(product, "GET", "/v1/routes/bad"))[0] == 404


async def test_websockets_that_talk_nonsense(product: Product) -> None:
    frames: list[str | bytes] = ["", "{", "[]", '{"n": 1}', '{"n": {}, "pings": 5}', b"\xc1", b"", b"\x00" * 1000]
    async with aiohttp.ClientSession() as session:
        for frame in frames:
            async with session.ws_connect(
                f"{product.url}/v1/pings/ws", headers={"Authorization": f"Bearer {product.token}"}
            ) as socket:
                await (socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_str(frame))
                answer = await socket.receive(timeout=30)
                assert answer.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.CLOSE)
                assert socket.close_code != 1011


async def test_methods_and_paths_that_are_none(product: Product) -> None:
    assert (await _ask(product, "PUT", "/v1/pings", body={}))[0] == 405
    assert (await _ask(product, "GET", "/v2/pings"))[0] == 404
    assert (await _ask(product, "POST", "/", body={}))[0] in (404, 405)


async def test_a_phone_that_hangs_up_hurts_nobody(product: Product) -> None:
    host, _, port = product.url.removeprefix("http://").rpartition(":")
    body = json.dumps({"pings": [GOOD]}).encode()
    head = (
        f"POST /v1/pings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {product.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    for sent in (head[:20], head, head + body[:10], head + body):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    status, answer = await _ask(product, "POST", "/v1/pings", body={"pings": [GOOD]}, key=product.token)
    assert (status, answer["accepted"]) == (200, 1)


async def test_after_all_that_the_product_works_and_nothing_broke(product: Product) -> None:
    status, _ = await _ask(product, "GET", "/health/ready")
    assert status == 200
    said = [json.loads(line) for line in product.log.read_text().splitlines() if line.startswith("{")]
    assert not [line for line in said if " 500 in " in line["message"]]
    errors = [line for line in said if line["level"] == "error"]
    # aiohttp itself tells of a damaged body, after our 400
    assert not [line for line in errors if "ContentEncodingError" not in line["error"]]
