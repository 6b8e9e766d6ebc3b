"""A line to one receiver, against servers that say exactly what a test has them say."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.providers.watched import LOCAL
from work.outgoing import kept
from work.outgoing.guard import Guard
from work.outgoing.http import NoAnswer, NotReached
from work.outgoing.kept import KeptLine

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@asynccontextmanager
async def says(
    answers: Callable[[int], Sequence[bytes]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer the n-th request (from 0) with these pieces; an empty one closes the connection."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                heard.append(head + await reader.readexactly(length))
                for piece in answers(len(heard) - 1):
                    if not piece:
                        return
                    writer.write(piece)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield (f"https://localhost:{port}/a?b=ñ" if tls else f"http://127.0.0.1:{port}/a?b=ñ"), heard


async def post(line: KeptLine, body: bytes = b"{}", most_bytes: int = 100) -> tuple[int, bytes]:
    got = await line.post({"webhook-id": "msg_1"}, body, most_bytes=most_bytes)
    return got.status, got.body


async def test_requests_go_over_one_connection_and_are_what_they_should_be():
    async with says(lambda n: [OK]) as (url, heard):
        line = KeptLine(LOCAL, url)
        assert [await post(line, b"1"), await post(line, b"22")] == [(200, b"ok")] * 2
        assert len(line._idle) == 1
        line.close()
    host = url.removeprefix("http://").partition("/")[0].encode()
    assert heard[1] == (
        b"POST /a?b=%C3%B1 HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: Reparto\r\nwebhook-id: msg_1\r\n"
        b"Content-Length: 2\r\n\r\n22"
    )


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], (204, b"")),
        (
            [CHUNKED + b"3\r\nabc\r\n", b"1\r\nd\r\n0\r\n\r\n"],
            (200, b"abcd"),
        ),
        ([b"HTTP/1.0 200 OK\r\n\r\nuntil it closes", b""], (200, b"until it closes")),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbreaks", b""], (200, b"breaks")),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"], (202, b"")),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + b"x" * 500], (200, b"x" * 100)),
        ([b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"], (302, b"")),
        ([OK + OK], (200, b"ok")),  # more than was asked for
    ],
)
async def test_answers_of_every_kind(answer, came):
    async with says(lambda n: answer) as (url, heard):
        line = KeptLine(LOCAL, url)
        assert await post(line) == came
        assert await post(line) == came
        line.close()
    assert len(heard) == 2


@pytest.mark.parametrize(
    "answer",
    [
        [b""],
        [b"HTTP/1.1 2"],
        [b"SSH-2.0-OpenSSH_9.2\r\n"],
        [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000],
        [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", b""],
    ],
)
async def test_what_is_no_answer(answer, monkeypatch):
    monkeypatch.setattr(kept, "TIMEOUT_S", 0.3)
    async with says(lambda n: answer) as (url, _):
        line = KeptLine(LOCAL, url)
        if b"101" in answer[0]:
            assert (await post(line))[0] == 101
        else:
            with pytest.raises(NoAnswer):
                await post(line)
        assert not line._idle


async def test_a_kept_connection_that_was_closed_is_followed_by_another():
    async with says(lambda n: [OK, b""]) as (url, heard):
        line = KeptLine(LOCAL, url)
        for _ in range(3):
            assert await post(line) == (200, b"ok")
        line.close()
    assert len(heard) == 3


async def test_what_nobody_may_reach_is_not_reached():
    async with says(lambda n: [OK]) as (url, heard):
        with pytest.raises(NotReached, match="may be reached"):
            await post(KeptLine(Guard(), url))
    with pytest.raises(NotReached):
        await post(KeptLine(LOCAL, "http://127.0.0.1:1/"))
    assert not heard


async def test_one_that_is_given_up_leaves_no_connection():
    async with says(lambda n: [OK] if n else []) as (url, heard):
        line = KeptLine(LOCAL, url)
        asking = asyncio.create_task(post(line))
        while not heard:
            await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait({asking})
        assert await post(line) == (200, b"ok")
        assert len(line._idle) == 1
        line.close()
        assert not line._idle


async def test_the_certificate_is_looked_at(tmp_path, monkeypatch):
    server_side = _certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    async with says(lambda n: [OK], tls=server_side) as (url, heard):
        with pytest.raises(NotReached, match="certificate"):
            await post(KeptLine(LOCAL, url))
        monkeypatch.setattr(kept, "_tls", lambda: trusting)
        line = KeptLine(LOCAL, url)
        assert await post(line) == (200, b"ok")
        line.close()
    assert len(heard) == 1


def _certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
