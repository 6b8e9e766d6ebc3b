"""What comes over a connection and is no request, over a real socket."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiohttp import web

from api.http.problem import Unauthorized, problems
from reparto.process import connection
from reparto.process.connection import READ_ON_BYTES
from reparto.process.serve import bind, serving


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Of a server that takes bodies at `/`."""

    async def take(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    app = web.Application(middlewares=[problems])
    app.router.add_post("/", take)
    with bind("127.0.0.1:0", "REPARTO_LISTEN") as listener:
        async with serving(app, listener):
            yield listener.getsockname()[1]


async def sent(port: int, text: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; give status, headers and body of the answer, which ends the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), dict(line.lower().split(": ", 1) for line in lines), body


REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n%s\r\n\r\n{}"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"HELO \x00\r\n\r\n", 400),
        (b"POST / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
        (REQUEST % b"X-Odd: GEHEIM\x00", 400),
        (REQUEST % (b"Cookie: " + b"GEHEIM" * 2_000), 400),
        (REQUEST % b"Content-Length: 3", 400),
        (REQUEST % b"Transfer-Encoding: chunked", 400),
        (REQUEST % b"Content-Encoding: br", 415),
        (REQUEST % b"Content-Encoding: zstd", 415),
    ],
)
async def test_what_is_no_request_is_a_problem_and_no_error_of_ours(
    port: int, caplog: pytest.LogCaptureFixture, text: bytes, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    answered, headers, body = await sent(port, text)
    assert (answered, headers["content-type"]) == (status, "application/problem+json")
    assert headers["tus-resumable"] == "1.0.0"
    problem = json.loads(body)
    assert problem["status"] == status
    assert problem["detail"]
    assert b"GEHEIM" not in body
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert not [line for line in told if line[0] in ("WARNING", "ERROR") or "GEHEIM" in line[1]]
    assert any(f" - {status} in " in line for _, line in told)


async def test_a_small_body_that_nobody_reads_does_not_unpack_to_gigabytes(caplog: pytest.LogCaptureFixture) -> None:
    refused: list[web.Request] = []

    async def refuse(request: web.Request) -> web.Response:
        refused.append(request)
        raise Unauthorized("Who is there?")

    app = web.Application(middlewares=[problems])
    app.router.add_post("/", refuse)
    bomb = gzip.compress(bytes(512 * 2**20), 1)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with bind("127.0.0.1:0", "REPARTO_LISTEN") as listener:
        async with serving(app, listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(head + bomb)
            assert (await reader.readline()).split()[1] == b"401"
            with suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 30)
            writer.close()
    assert refused[0].content.total_bytes < 4 * READ_ON_BYTES
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_what_is_a_request_is_served_by_the_same_server(port: int) -> None:
    status, _, body = await sent(port, REQUEST % b"Connection: close")
    assert (status, body) == (200, b"{}")


@pytest.mark.parametrize("begun", [b"", b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_connection_on_which_nothing_is_asked_is_closed(
    begun: bytes, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    monkeypatch.setattr(connection, "ASKED_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    assert await asyncio.wait_for(reader.read(), 30) == b""
    writer.close()


async def test_one_on_which_something_was_asked_stays_open(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(connection, "ASKED_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(REQUEST % b"X: y")
        assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        await asyncio.wait_for(reader.readexactly(2), 30)
        await asyncio.sleep(0.3)
    writer.close()
