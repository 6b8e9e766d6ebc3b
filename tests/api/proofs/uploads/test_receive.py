"""Cut connections, two at once, another process: what HEAD says is on disk."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from api.http.app_keys import CONFIG, POOL, PROOFS
from api.http.known.devices import DEVICES, DeviceCache
from api.http.problem import problems
from api.http.shares.bodies import BODIES, Bodies
from api.proofs.uploads import endpoints as uploads
from api.proofs.uploads.receive import PIECE_BYTES
from tests.api.proofs.pictures import large_photo
from work.proofs.store import parts_prefix

PATIENCE_S = 60


class Wire:
    """A PATCH by hand, on a connection that can be cut anywhere."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, client, phone, path: str, offset: int, length: int) -> "Wire":
        reader, writer = await asyncio.open_connection(client.host, client.port)
        headers = {
            **phone.headers,
            "Host": "test",
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
        }
        head = f"PATCH {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(head.encode() + b"\r\n")
        return cls(reader, writer)

    async def send(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def status(self) -> int:
        async with asyncio.timeout(PATIENCE_S):
            return int((await self._reader.readline()).split()[1])

    def cut(self) -> None:
        self._writer.transport.abort()


@pytest.fixture
def offset_of(client):
    async def read(phone, path: str) -> int:
        return int((await client.head(path, headers=phone.headers)).headers["Upload-Offset"])

    return read


@pytest.fixture
def seen_cut(pool):
    """Wait until the server has seen that the connection which appends is cut; a phone is told 423 until then."""

    async def wait() -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await pool.fetchval("SELECT writer IS NOT NULL FROM upload"):
                await asyncio.sleep(0.02)

    return wait


@pytest.fixture
def until(offset_of):
    """Wait until an upload is at least there."""

    async def wait(phone, path: str, offset: int) -> int:
        async with asyncio.timeout(PATIENCE_S):
            while (now := await offset_of(phone, path)) < offset:
                await asyncio.sleep(0.02)
        return now

    return wait


async def test_bytes_that_arrived_before_the_cut_count(client, phone, begin, until, seen_cut, proofs_of, account):
    content = large_photo(1_500_000)
    path, at = await begin(phone, len(content)), 0
    while at < len(content):
        wire = await Wire.open(client, phone, path, at, len(content) - at)
        await wire.send(content[at : at + 400_000])
        reached = await until(phone, path, min(at + 400_000, len(content)))
        wire.cut()
        await seen_cut()
        at = reached
    async with asyncio.timeout(PATIENCE_S):  # nobody heard the answer to the last bytes: the phone asks
        while (proof := (await proofs_of(account, phone.stops[0]))[0])["state"] == "pending":
            await until(phone, path, len(content))
            await asyncio.sleep(0.05)
    assert (proof["state"], proof["sha256"]) == ("stored", hashlib.sha256(content).hexdigest())


async def test_a_cut_loses_less_than_a_piece_and_the_phone_goes_on_at_once(
    client, phone, begin, append, until, seen_cut
):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    wire = await Wire.open(client, phone, path, 0, len(content))
    await wire.send(content[: 2 * PIECE_BYTES + 1000])
    at = await until(phone, path, 2 * PIECE_BYTES)
    wire.cut()
    await seen_cut()
    at = await until(phone, path, at)
    assert (await append(phone, path, at, content[at:])).status == 204


async def test_only_one_request_appends(client, phone, begin, append, until, refused):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    wire = await Wire.open(client, phone, path, 0, len(content))
    await wire.send(content[:PIECE_BYTES])
    at = await until(phone, path, PIECE_BYTES)
    second = await append(phone, path, at, content[at:])
    assert second.headers["Retry-After"] == "1"
    await refused(second, 423)
    await wire.send(content[PIECE_BYTES:])
    assert await wire.status() == 204
    assert await until(phone, path, len(content)) == len(content)
    wire.cut()


async def test_a_request_that_fell_silent_is_taken_over_and_counts_no_more(
    client, pool, phone, begin, append, until, account, proofs_of
):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    wire = await Wire.open(client, phone, path, 0, len(content))
    await wire.send(content[:PIECE_BYTES])
    at = await until(phone, path, PIECE_BYTES)
    await pool.execute("UPDATE upload SET writer_seen_at = now() - interval '6 s'")  # nothing came for six seconds
    assert (await append(phone, path, at, content[at : at + 1000])).status == 204
    await wire.send(bytes(PIECE_BYTES))  # what the old connection still had on its way
    assert await wire.status() == 409
    at = await until(phone, path, at + 1000)
    assert (await append(phone, path, at, content[at:])).status == 204
    (proof,) = await proofs_of(account, phone.stops[0])
    assert proof["sha256"] == hashlib.sha256(content).hexdigest()
    wire.cut()


async def test_twenty_requests_at_once_leave_the_right_bytes(client, phone, begin, append, proofs_of, account):
    content = large_photo(600_000)
    path, at = await begin(phone, len(content)), 0
    while at < len(content):
        end = min(at + 200_000, len(content))
        sent = await asyncio.gather(*(append(phone, path, at, content[at:end]) for _ in range(20)))
        statuses = sorted(response.status for response in sent)
        assert statuses[0] == 204
        assert set(statuses[1:]) <= {409, 423}
        at = end
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["sha256"]) == ("stored", hashlib.sha256(content).hexdigest())


async def test_parts_are_gone_when_the_proof_is_there(client, phone, begin, append, proof_store, pool):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    upload_id = path.rpartition("/")[2]
    assert (await append(phone, path, 0, content[:500_000])).status == 204
    assert len(await proof_store.blobs.list(parts_prefix(upload_id))) >= 2
    assert (await append(phone, path, 500_000, content[500_000:])).status == 204
    assert await proof_store.blobs.list("parts") == []
    assert await pool.fetchval("SELECT count(*) FROM upload_part") == 0


async def test_a_slow_body_is_counted_as_it_comes(client, phone, begin, until):
    path = await begin(phone, 10_000)
    wire = await Wire.open(client, phone, path, 0, 10_000)
    await wire.send(b"x" * 10)
    assert await until(phone, path, 10) == 10
    await wire.send(b"x" * 10)
    assert await until(phone, path, 20) == 20
    wire.cut()


async def test_an_upload_terminated_under_a_request_ends_it(client, phone, begin, until):
    path = await begin(phone, 2 * PIECE_BYTES + 10)
    wire = await Wire.open(client, phone, path, 0, 2 * PIECE_BYTES + 10)
    await wire.send(bytes(PIECE_BYTES))
    await until(phone, path, PIECE_BYTES)
    assert (await client.delete(path, headers=phone.headers)).status == 204
    await wire.send(bytes(PIECE_BYTES))
    assert await wire.status() == 410
    wire.cut()


async def test_a_body_that_breaks_off_after_a_checksum_counts_for_nothing(client, phone, begin, append, offset_of):
    path = await begin(phone, 10_000)
    checksum = {"Upload-Checksum": "sha1 " + "A" * 27 + "="}

    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 5_000
        raise ConnectionResetError

    with pytest.raises(Exception):  # noqa: B017 (the client tells in several ways that it hung up)
        await append(phone, path, 0, broken(), **checksum)
    assert await offset_of(phone, path) == 0


async def test_another_process_goes_on_where_one_was_cut(
    client, pool, proof_store, app_parts, api_config, phone, begin, until, account, proofs_of
):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    wire = await Wire.open(client, phone, path, 0, len(content))
    await wire.send(content[:300_000])
    at = await until(phone, path, 300_000)
    wire.cut()
    other = web.Application(middlewares=[problems])
    other[POOL], other[CONFIG], other[DEVICES] = pool, api_config, DeviceCache(pool, ttl_s=0)
    other[PROOFS], other[BODIES] = proof_store, Bodies(api_config.body_bytes_at_once, wait_s=60)
    uploads.operations.add_to(other)
    async with TestClient(TestServer(other)) as elsewhere:
        told = {"Upload-Offset": str(at), "Content-Type": "application/offset+octet-stream"}
        async with asyncio.timeout(PATIENCE_S):
            while True:
                response = await elsewhere.patch(path, data=content[at:], headers=phone.headers | told)
                if response.status != 423:  # until the first process has seen that its connection is cut
                    break
                await asyncio.sleep(0.05)
    assert response.status == 204
    (proof,) = await proofs_of(account, phone.stops[0])
    assert (proof["state"], proof["sha256"]) == ("stored", hashlib.sha256(content).hexdigest())


async def test_what_a_phone_sends_takes_its_share_of_bodies_until_it_is_in_the_store(
    client, phone, begin, proof_store, monkeypatch, offset_of
):
    """A store that takes its time: no more is read of the phone than there is room for."""
    content, bodies, may_go = large_photo(3_000_000), client.app[BODIES], asyncio.Event()
    put, held = type(proof_store.blobs).put, []

    async def slow_put(blobs, name: str, written: bytes) -> None:
        held.append(bodies.total_bytes)
        await may_go.wait()
        await put(blobs, name, written)

    path = await begin(phone, len(content))
    monkeypatch.setattr(type(proof_store.blobs), "put", slow_put)
    wire = await Wire.open(client, phone, path, 0, len(content))
    sending = asyncio.create_task(wire.send(content))
    async with asyncio.timeout(PATIENCE_S):
        while not held:
            await asyncio.sleep(0.02)
    assert PIECE_BYTES <= bodies.total_bytes <= 4 * PIECE_BYTES
    may_go.set()
    assert await wire.status() == 204
    await sending
    wire.cut()
    assert bodies.total_bytes == 0
    assert max(held) <= 4 * PIECE_BYTES


async def test_a_phone_that_sends_too_much_at_once_is_told_and_goes_on_where_it_was(
    client, phone, begin, append, offset_of
):
    content = large_photo(900_000)
    path = await begin(phone, len(content))
    bodies = client.app[BODIES]
    with bodies.held([("device", 404)], bodies.most_bytes - 100_000):
        response = await append(phone, path, 0, content)
        assert (response.status, "Retry-After" in response.headers) == (503, True)
        assert response.headers["Tus-Resumable"] == "1.0.0"
    at = await offset_of(phone, path)
    assert (await append(phone, path, at, content[at:])).status == 204


@pytest.mark.parametrize("part", ["PATCH", "form"])
async def test_a_body_that_stops_coming_ends(client, phone, begin, monkeypatch, part):
    monkeypatch.setattr(client.app[BODIES], "wait_s", 0.3)
    content = large_photo(300_000)
    if part == "PATCH":
        wire = await Wire.open(client, phone, await begin(phone, len(content)), 0, len(content))
        await wire.send(content[:10])
    else:
        reader, writer = await asyncio.open_connection(client.host, client.port)
        wire = Wire(reader, writer)
        head = f"POST /v1/driver/proofs HTTP/1.1\r\nHost: test\r\nAuthorization: {phone.headers['Authorization']}\r\n"
        head += "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 300000\r\n\r\n--x\r\n"
        await wire.send(head.encode() + b'Content-Disposition: form-data; name="file"\r\n\r\nabc')
    assert await wire.status() == 503
    wire.cut()
    assert client.app[BODIES].total_bytes == 0
