"""The native door: what a phone is told, and what is on disk when it is told so."""

import asyncio
import gzip
import json
import math
import tracemalloc
import zlib
from codecs import BOM_UTF8
from collections.abc import Awaitable, Callable
from typing import Any

import msgpack
import pytest

from api.http.known.devices import DEVICES
from geo.pings import Pings
from sql.inbox.quarantine import list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, ping

Kept = Callable[[], Awaitable[Pings]]
JSON = {"Content-Type": "application/json"}
MSGPACK = {"Content-Type": "application/msgpack"}


async def post(client: Client, phone: Phone, body: Any, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await client.post("/v1/pings", data=data, headers={**JSON, **phone.headers, **headers})
    assert response.content_type in ("application/json", "application/problem+json")
    return response.status, await response.json()


async def test_a_ping_is_on_disk_when_it_is_acknowledged(client: Client, phone: Phone, kept: Kept, pool: Pool) -> None:
    sent = ping(accuracy_m=4.5, speed_mps=8.25, heading_deg=90, battery=0.5, charging=True, id="a1", activity="driving")
    assert await post(client, phone, {"pings": [sent]}) == (200, {"accepted": 1, "rejected": []})
    pings = await kept()
    row = pings.rows[0]
    assert (row["driver_id"], row["device_id"]) == (phone.driver_id, phone.id)
    assert (row["lat_e6"], row["lon_e6"], row["accuracy_m"], row["speed_mps"]) == (19432608, -99133209, 4.5, 8.25)
    assert (row["charging"], row["mock"], math.isnan(row["altitude_m"])) == (1, -1, True)
    assert pings.texts.tolist() == [["driving", "a1"]]
    assert await pool.fetchval("SELECT lane FROM inbox") == phone.lane


@pytest.mark.parametrize("body", [{"pings": []}, []])
async def test_nothing_sent_is_nothing_kept(client: Client, phone: Phone, pool: Pool, body: Any) -> None:
    assert await post(client, phone, body) == (200, {"accepted": 0, "rejected": []})
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_messagepack_rows_and_columns_are_answered_in_messagepack(
    client: Client, phone: Phone, kept: Kept
) -> None:
    headers = {**MSGPACK, **phone.headers, "Accept": "application/msgpack"}
    for body in (
        {"pings": [ping(1), ping(2, lat=91)]},
        {"columns": {name: [ping(3)[name], ping(4, lat=-91)[name]] for name in ("time", "lat", "lon")}},
    ):
        response = await client.post("/v1/pings", data=msgpack.packb(body), headers=headers)
        assert response.content_type == "application/msgpack"
        answer = msgpack.unpackb(await response.read())
        assert answer == {"accepted": 1, "rejected": [{"index": 1, "why": "lat-out-of-range"}]}
    assert len(await kept()) == 2


async def test_a_body_may_be_gzip(client: Client, phone: Phone, kept: Kept) -> None:
    body = gzip.compress(json.dumps({"pings": [ping(n) for n in range(300)]}).encode())
    assert await post(client, phone, body, **{"Content-Encoding": "gzip"}) == (200, {"accepted": 300, "rejected": []})
    assert len(await kept()) == 300


async def test_a_byte_order_mark_before_a_body_is_passed_over(client: Client, phone: Phone, kept: Kept) -> None:
    body = BOM_UTF8 + json.dumps({"pings": [ping()]}).encode()
    assert await post(client, phone, body) == (200, {"accepted": 1, "rejected": []})
    assert len(await kept()) == 1


async def test_refused_pings_are_named_and_quarantined_with_the_good_ones(
    client: Client, phone: Phone, kept: Kept, pool: Pool
) -> None:
    rows = [ping(1), ping(2, lat=91), ping(3, time=None), ping(4, lon=200, lat=100), 7, ping(5)]
    status, answer = await post(client, phone, {"pings": rows})
    assert (status, answer["accepted"]) == (200, 2)
    assert answer["rejected"] == [
        {"index": 1, "why": "lat-out-of-range"},
        {"index": 2, "why": "time-missing"},
        {"index": 3, "why": "lat-out-of-range"},
        {"index": 4, "why": "not-an-object"},
    ]
    assert len(await kept()) == 2
    (entry,) = await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)
    assert (entry.driver_id, entry.device_id, entry.source) == (phone.driver_id, phone.id, "pings")
    assert (entry.reason, entry.detail) == (
        "lat-out-of-range",
        "lat-out-of-range: 2, time-missing: 1, not-an-object: 1",
    )
    assert json.loads(entry.body) == [rows[1], rows[2], rows[3], 7]


async def test_a_quarantined_body_is_bounded(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with open_doors(quarantine_body_bytes=1_000) as client:
        await post(client, phone, {"pings": [ping(lat=91, id="x" * 50)] * 100})
        await post(client, phone, {"pings": [{"junk": "y" * 5_000}]})
    one, *many = await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=100)
    assert (len(one.body), one.detail) == (1_000, "time-missing: 1")
    assert max(len(entry.body) for entry in many) <= 1_000
    assert sum(len(json.loads(entry.body)) for entry in many) == 100  # every ping whole


async def test_a_phone_that_sends_junk_in_a_loop_fills_its_share_and_no_more(
    open_doors: Doors, make_phone: Callable[..., Awaitable[Phone]], pool: Pool
) -> None:
    loop, good = await make_phone("luis"), await make_phone("ana", lane=8)
    async with open_doors(quarantine_bytes_per_minute=20_000) as client:
        junk = {"pings": [{"time": 1, "lat": 1, "lon": 1, "id": "x" * 5_000}]}
        statuses = [(await post(client, loop, junk))[0] for _ in range(20)]
        assert statuses[:3] == [200] * 3
        assert set(statuses[5:]) == {429}
        assert (await post(client, good, junk))[0] == 200
        assert (await post(client, loop, {"pings": [ping()]}))[0] == 200  # what is of use comes in all the same
    assert await pool.fetchval("SELECT sum(octet_length(body)) FROM quarantine") < 40_000


UNREADABLE = {
    "nothing": b"",
    "not JSON": b"hello",
    "broken off": b'{"pings": [{"time": "2026-',
    "invalid UTF-8": b'{"pings": [{"id": "\xff\xfe"}]}',
    "deeply nested": b"[" * 200_000,
    "a number of 5 000 digits": b'{"pings": [{"time": ' + b"9" * 5_000 + b"}]}",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
async def test_an_unreadable_body_is_a_bad_request(client: Client, phone: Phone, body: bytes) -> None:
    status, problem = await post(client, phone, body)
    assert (status, problem["type"]) == (400, "bad-request")
    assert "JSON" in problem["detail"]


@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x91" * 100_000, b"\x81\x81\x01\x01\x01", b"\xa1\xff"]
)
async def test_an_unreadable_messagepack_body_is_a_bad_request(client: Client, phone: Phone, body: bytes) -> None:
    status, problem = await post(client, phone, body, **MSGPACK)
    assert (status, problem["type"]) == (400, "bad-request")


MISSHAPEN: dict[str, tuple[Any, str]] = {
    "a number": (5, ""),
    "null": (None, ""),
    "neither rows nor columns": ({"points": []}, "/pings"),
    "rows that are no list": ({"pings": "none"}, "/pings"),
    "columns that are no object": ({"columns": [1]}, "/columns"),
    "a column that is no list": ({"columns": {"time": "x", "lat": [1], "lon": [1]}}, "/columns/time"),
    "a column too short": ({"columns": {"time": [1, 2], "lat": [1], "lon": [1, 2]}}, "/columns/lat"),
    "a column missing": ({"columns": {"time": [1], "lat": [1]}}, "/columns/lon"),
}


@pytest.mark.parametrize(("body", "at"), MISSHAPEN.values(), ids=MISSHAPEN)
async def test_a_body_of_another_shape_is_told_where(client: Client, phone: Phone, body: Any, at: str) -> None:
    status, problem = await post(client, phone, body)
    assert (status, problem["type"]) == (422, "invalid-fields")
    assert [error["at"] for error in problem["errors"]] == [at]


async def test_too_many_pings_are_too_large(client: Client, phone: Phone, pool: Pool) -> None:
    status, problem = await post(client, phone, {"pings": [{}] * 10_001})
    assert (status, problem["type"]) == (413, "too-large")
    assert "10001" in problem["detail"]
    status, _ = await post(client, phone, {"columns": {name: [0] * 10_001 for name in ("time", "lat", "lon")}})
    assert status == 413
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_too_many_bytes_are_too_large(open_doors: Doors, phone: Phone) -> None:
    async def chunks() -> Any:
        for _ in range(200):
            yield b" " * 100

    async with open_doors(max_ping_bytes=10_000) as client:
        status, _ = await post(client, phone, b" " * 10_001)
        assert status == 413
        response = await client.post("/v1/pings", data=chunks(), headers={**JSON, **phone.headers})
        assert response.status == 413


async def test_a_gzip_bomb_is_too_large_and_is_never_held(client: Client, phone: Phone) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(300)) + packer.flush()
    tracemalloc.start()
    status, problem = await post(client, phone, bomb, **{"Content-Encoding": "gzip"})
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (status, problem["type"]) == (413, "too-large")
    assert peak_bytes < 20_000_000  # of 300 MB


async def test_damaged_compression_is_a_bad_request(client: Client, phone: Phone) -> None:
    status, problem = await post(client, phone, b"this is not gzip", **{"Content-Encoding": "gzip"})
    assert (status, problem["type"]) == (400, "bad-request")


_GZIP = gzip.compress(b"[]" * 50_000)


@pytest.mark.parametrize(
    "body", [b"this is not gzip", _GZIP[:10] + b"\xff" * 50, _GZIP[:-30] + b"\0" * 30], ids=["none", "begin", "end"]
)
@pytest.mark.parametrize("token", ["", "unknown"])
async def test_damaged_compression_is_no_error_of_ours(
    client: Client, phone: Phone, caplog: pytest.LogCaptureFixture, body: bytes, token: str
) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else phone.headers  # a body that nobody even reads
    response = await client.post("/v1/pings", data=body, headers={**JSON, **headers, "Content-Encoding": "gzip"})
    assert response.status == (401 if token else 400)
    assert await post(client, phone, b'{"pings": []}') == (200, {"accepted": 0, "rejected": []})
    assert [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "WARNING")] == []


async def test_another_kind_of_body_is_not_read(client: Client, phone: Phone) -> None:
    status, problem = await post(client, phone, b"<xml/>", **{"Content-Type": "application/xml"})
    assert (status, problem["type"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
async def test_json_in_another_encoding_is_read(client: Client, phone: Phone, encoding: str) -> None:
    body = json.dumps([{**ping(), "activity": "a pie ☕"}], ensure_ascii=False).encode(encoding)
    assert await post(client, phone, body, **{"Content-Type": "text/json"}) == (200, {"accepted": 1, "rejected": []})


async def test_one_ping_without_a_list_around_it_is_a_list_of_one(client: Client, phone: Phone, pool: Pool) -> None:
    for body in (ping(1), {"pings": ping(2)}):
        assert await post(client, phone, json.dumps(body).encode()) == (200, {"accepted": 1, "rejected": []})
        packed = await post(client, phone, msgpack.packb(body), **{"Content-Type": "application/msgpack"})
        assert packed == (200, {"accepted": 1, "rejected": []})
    odd = {**ping(3), "lat": 91}
    assert await post(client, phone, json.dumps(odd).encode()) == (
        200,
        {"accepted": 0, "rejected": [{"index": 0, "why": "lat-out-of-range"}]},
    )
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 1


async def test_only_a_devices_token_opens_the_door(client: Client, phone: Phone) -> None:
    for authorization in ("", "Bearer", "Bearer rpd_unknown", "Basic YTpi", f"Bearer {phone.ingest_token}"):
        response = await client.post("/v1/pings", json=[], headers={"Authorization": authorization})
        assert response.status == 401, authorization
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_device_over_its_rate_is_told_when_to_come_back(
    open_doors: Doors, phone: Phone, make_phone: Callable[..., Awaitable[Phone]]
) -> None:
    async with open_doors(pings_per_minute=60) as client:
        assert (await post(client, phone, [ping(n) for n in range(120)]))[0] == 200  # a backlog passes at once
        response = await client.post("/v1/pings", json=[ping()], headers=phone.headers)
        assert response.status == 429
        assert 50 <= int(response.headers["Retry-After"]) <= 61
        assert (await post(client, await make_phone("luis"), [ping()]))[0] == 200


async def test_a_revoked_device_is_refused(client: Client, phone: Phone, pool: Pool) -> None:
    assert (await post(client, phone, [ping()]))[0] == 200
    await pool.execute("UPDATE device SET revoked_at = now()")
    assert client.app is not None
    client.app[DEVICES].forget(phone.id)
    assert (await post(client, phone, [ping()]))[0] == 401


async def test_pings_of_many_phones_share_commits(
    open_doors: Doors, make_phone: Callable[..., Awaitable[Phone]], kept: Kept, pool: Pool
) -> None:
    phones = [await make_phone(f"driver-{n}", lane=n % 3) for n in range(12)]
    async with open_doors(gather_s=0.1) as client:
        answers = await asyncio.gather(*(post(client, phone, [ping(n) for n in range(10)]) for phone in phones))
    assert answers == [(200, {"accepted": 10, "rejected": []})] * 12
    assert await pool.fetchval("SELECT count(DISTINCT xmin::text) FROM inbox") < 12
    assert len(await kept()) == 120


async def test_a_door_that_holds_too_much_asks_phones_to_wait(open_doors: Doors, phone: Phone, pool: Pool) -> None:
    async with open_doors(inbox_max_depth=100) as client:
        await pool.execute(
            "INSERT INTO inbox (lane, received_at, pings, body) SELECT 63, now(), 50, '' FROM generate_series(1, 3)"
        )
        async with asyncio.timeout(60):
            while (response := await client.post("/v1/pings", json=[ping()], headers=phone.headers)).status == 200:
                await asyncio.sleep(0.05)
        assert response.status == 503
        assert response.headers["Retry-After"] == "30"
        assert (await response.json())["type"] == "unavailable"
        await pool.execute("DELETE FROM inbox WHERE lane = 63")
        async with asyncio.timeout(60):
            while (response := await client.post("/v1/pings", json=[ping()], headers=phone.headers)).status == 503:
                await asyncio.sleep(0.05)
        assert response.status == 200
