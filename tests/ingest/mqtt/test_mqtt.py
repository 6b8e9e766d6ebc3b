"""Phones over a real socket: let in by their password, acknowledged after the commit, in order, and never lost."""

import asyncio
import logging
import socket
from typing import Any

import pytest
from aiohttp import web

from api.http.known.devices import DEVICES
from api.http.shares.bodies import BODIES
from api.http.shares.rates import RATES
from ingest.mqtt import conversation, server
from ingest.mqtt.conversation import MOST_BYTES
from ingest.mqtt.packets import Kind
from reparto.process.serve import bind
from sql.inbox.quarantine import list_quarantined
from sql.pool import Pool
from tests.ingest.doors.phones import Client, Doors, Phone, locked_inbox, until_writers_wait
from tests.ingest.mqtt.client import MqttPhone, connect, packet, publish, said, sized
from tests.ingest.mqtt.conftest import Kept, opened


@pytest.mark.parametrize("level", [3, 4])
async def test_a_place_is_on_disk_when_it_is_acknowledged(port: int, phone: Phone, kept: Kept, level: int) -> None:
    async with MqttPhone(port) as one:
        assert await one.comes_in(phone.ingest_token, level=level, user="whoever") == 0
        one.send(publish(said(), 258))
        assert await one.hears() == (Kind.PUBACK, b"\x01\x02")
        pings = await kept()
    assert (pings.rows["device_id"].tolist(), pings.rows["lat_e6"].tolist()) == ([phone.id], [19432608])


async def test_every_quality_of_service_is_answered_as_it_wants(port: int, phone: Phone, kept: Kept) -> None:
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        one.send(publish(said(), qos=0), publish(said(ago_s=30), 2, qos=2), packet(Kind.PUBREL << 4 | 2, b"\0\2"))
        assert await one.hears() == (Kind.PUBREC, b"\0\2")
        assert await one.hears() == (Kind.PUBCOMP, b"\0\2")
        one.send(packet(Kind.SUBSCRIBE << 4 | 2, b"\0\3" + sized(b"owntracks/+/+") + b"\1"))
        assert await one.hears() == (Kind.SUBACK, b"\0\3\1")
        one.send(packet(Kind.UNSUBSCRIBE << 4 | 2, b"\0\4" + sized(b"owntracks/+/+")), packet(Kind.PINGREQ << 4, b""))
        assert await one.hears() == (Kind.UNSUBACK, b"\0\4")
        assert await one.hears() == (Kind.PINGRESP, b"")
        one.send(packet(Kind.DISCONNECT << 4, b""))
        assert await one.hears() is None
    assert len(await kept()) == 2


async def test_a_backlog_is_acknowledged_in_its_order(port: int, phone: Phone, kept: Kept) -> None:
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        one.send(*(publish(said(ago_s=1_000 - n), n) for n in range(1, 201)))
        heard = [await one.hears() for _ in range(200)]
    assert heard == [(Kind.PUBACK, n.to_bytes(2, "big")) for n in range(1, 201)]
    assert len(await kept()) == 200


async def test_what_says_no_place_or_cannot_be_used_is_acknowledged(
    port: int, phone: Phone, pool: Pool, kept: Kept
) -> None:
    sent = [b'{"_type":"lwt","tst":1}', b"", b"{", said(lat=91), b'{"_type":"encrypted","data":"x"}']
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        one.send(*(publish(payload, n) for n, payload in enumerate(sent, 1)))
        assert [await one.hears() for _ in sent] == [
            (Kind.PUBACK, n.to_bytes(2, "big")) for n in range(1, len(sent) + 1)
        ]
    entries = await list_quarantined(pool, account_id=phone.account_id, after_id=None, limit=10)
    assert {one.source for one in entries} == {"mqtt"}
    assert sorted(one.reason for one in entries) == ["body-unreadable", "encrypted", "lat-out-of-range"]
    assert await pool.fetchval("SELECT driver_id FROM heartbeat") == phone.driver_id
    assert len(await kept()) == 0


async def test_whoever_has_no_ingest_token_is_told(port: int, phone: Phone) -> None:
    for password in ("", "rpi_wrong", phone.token, "\xff", None):
        async with MqttPhone(port) as one:
            assert await one.comes_in(password) == 4
            assert await one.hears() is None
    async with MqttPhone(port) as one:
        assert await one.comes_in(phone.ingest_token, level=5) == 1


async def test_a_phone_that_is_shut_out_is_not_acknowledged(
    client: Client, port: int, phone: Phone, pool: Pool, kept: Kept
) -> None:
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        await pool.execute("UPDATE device SET revoked_at = now() WHERE id = $1", phone.id)
        client.server.app[DEVICES].forget(phone.id)  # type: ignore[attr-defined]
        one.send(publish(said(), 1))
        assert await one.hears() is None
    assert len(await kept()) == 0


async def test_nothing_is_acknowledged_while_the_database_takes_none(
    open_doors: Doors, phone: Phone, pool: Pool, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.inbox.WAIT_S", 0.5)
    async with open_doors() as client, opened(client.server.app) as port, MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        async with locked_inbox(pool):
            one.send(publish(said(), 1), publish(said(lat=20), 2), packet(Kind.PINGREQ << 4, b""))
            await until_writers_wait(pool)
            assert await one.hears() is None
        async with MqttPhone(port) as again:
            assert await again.comes_in(phone.ingest_token) == 0
            again.send(publish(said(), 1))
            assert await again.hears() == (Kind.PUBACK, b"\0\1")
        assert client.server.app[BODIES].total_bytes == 0
    assert len(await kept()) >= 1


async def test_what_is_under_way_when_the_server_stops_is_acknowledged(
    client: Client, phone: Phone, pool: Pool, kept: Kept
) -> None:
    one = MqttPhone(0)
    async with locked_inbox(pool):
        serving = opened(client.server.app)  # type: ignore[attr-defined]
        port = await serving.__aenter__()
        one = await MqttPhone(port).__aenter__()
        await one.comes_in(phone.ingest_token)
        one.send(publish(said(), 1))
        await until_writers_wait(pool)
        stopping = asyncio.create_task(serving.__aexit__(None, None, None))
        await asyncio.sleep(0.1)
    await stopping
    assert await one.hears() == (Kind.PUBACK, b"\0\1")
    assert await one.hears() is None
    one.writer.close()
    assert len(await kept()) == 1


async def test_a_newer_connection_takes_over(port: int, phone: Phone) -> None:
    async with MqttPhone(port) as lost, MqttPhone(port) as other, MqttPhone(port) as one:
        await lost.comes_in(phone.ingest_token)
        await other.comes_in(phone.ingest_token, client_id="tablet")
        await one.comes_in(phone.ingest_token)
        assert await lost.hears() is None
        for still in (other, one):
            still.send(packet(Kind.PINGREQ << 4, b""))
            assert await still.hears() == (Kind.PINGRESP, b"")


async def test_a_phone_has_only_so_many_connections(port: int, phone: Phone) -> None:
    phones = [await MqttPhone(port).__aenter__() for _ in range(9)]
    verdicts = [await one.comes_in(phone.ingest_token, client_id=str(n)) for n, one in enumerate(phones)]
    assert verdicts == [0] * 8 + [3]
    for one in phones:
        one.writer.close()


async def test_whoever_sends_too_much_is_hung_up_on(client: Client, port: int, phone: Phone, kept: Kept) -> None:
    app = client.server.app  # type: ignore[attr-defined]
    for too_much in (publish(b"x" * MOST_BYTES, 1), b"\x30\xff\xff\xff\xff\x01", b"\x00\x00", connect("x")):
        async with MqttPhone(port) as one:
            await one.comes_in(phone.ingest_token)
            one.send(too_much)
            assert await one.hears() is None
    app[RATES].pay(phone.id, 10**9)
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        one.send(publish(said(), 1))
        assert await one.hears() is None
    assert len(await kept()) == 0
    assert app[BODIES].total_bytes == 0


async def test_whoever_says_nothing_or_nonsense_is_hung_up_on(
    open_doors: Doors, phone: Phone, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(conversation, "_CONNECT_WITHIN_S", 0.3)
    async with open_doors() as client, opened(client.server.app) as port:
        for first in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", publish(said(), 1), b"\x10\xff\xff\x7f"):
            async with MqttPhone(port) as one:
                one.send(first)
                assert await one.hears() is None
        async with MqttPhone(port) as one:
            await one.comes_in(phone.ingest_token)
            one.send(publish(said(), 1)[:-1])  # its end never comes
            assert await one.hears() is None
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]


async def test_a_phone_that_falls_silent_is_let_go(port: int, phone: Phone) -> None:
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token, keep_alive_s=1)
        assert await one.hears() is None


async def test_a_phone_that_is_gone_is_noticed_whatever_its_keep_alive(
    client: Client, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it keeps one of its eight seats for good."""
    talk, found = server.let_in, []

    async def watched(app: web.Application, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Any:
        found.append(writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        return await talk(app, reader, writer)

    monkeypatch.setattr(server, "let_in", watched)
    async with opened(client.server.app) as port, MqttPhone(port) as one:  # type: ignore[attr-defined]
        assert await one.comes_in(phone.ingest_token, keep_alive_s=0) == 0
    assert found == [1]


async def test_whoever_reads_no_answer_keeps_no_socket(
    client: Client, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_WRITTEN_WITHIN_S", 0.2)
    monkeypatch.setattr(server, "_HANG_UP_S", 0.2)
    ask = packet(Kind.SUBSCRIBE << 4 | 2, b"\0\3" + (sized(b"") + b"\0") * 100)
    with bind("127.0.0.1:0", "REPARTO_MQTT_LISTEN") as listener, socket.socket() as deaf:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with server.serving_mqtt(client.server.app, listener):  # type: ignore[attr-defined]
            deaf.connect(listener.getsockname())
            deaf.setblocking(False)
            with pytest.raises(ConnectionError):
                await asyncio.wait_for(_sends_for_ever(deaf, connect(phone.ingest_token), ask * 3_000), 30)


async def _sends_for_ever(deaf: socket.socket, first: bytes, then: bytes) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(deaf, first)
    while True:
        await loop.sock_sendall(deaf, then)


async def test_no_log_line_shows_a_token_or_a_place(port: int, phone: Phone, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with MqttPhone(port) as one:
        await one.comes_in(phone.ingest_token)
        one.send(publish(said(), 1), publish(said(lat=91), 2))
        assert [await one.hears() for _ in range(2)][-1] == (Kind.PUBACK, b"\0\2")
    ours = [line.getMessage() for line in caplog.records if not line.name.startswith(("aiohttp", "asyncio"))]
    assert not any(secret in line for line in ours for secret in (phone.ingest_token, "19.43"))
