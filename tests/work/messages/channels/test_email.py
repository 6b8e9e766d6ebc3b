"""A mail server that wastes time: it is left before anything is given to it."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.providers.watched import LOCAL
from work.messages.channels import email
from work.messages.channels.email import open_email
from work.messages.channels.protocol import Later, Outgoing
from work.messages.channels.settings import Email


async def test_a_server_that_says_each_line_late_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "CONNECTED_S", 0.5)
    hung_up = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reading = asyncio.create_task(reader.read())  # ends when the other side hangs up
        while not reading.done():
            writer.write(b"220-please wait\r\n")
            await asyncio.wait({reading}, timeout=0.1)
        writer.close()
        hung_up.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    channel = open_email(Email(host="127.0.0.1", port=port, from_="a@tienda.example", tls="none"), LOCAL)
    mail = Outgoing(id=7, kind="x", to="b@x.example", locale="es", body="x", at=datetime(2026, 3, 2, tzinfo=UTC))
    async with asyncio.timeout(5):
        outcome = await channel.send(mail)
        await hung_up.wait()
    assert isinstance(outcome, Later)
    assert outcome.down
    server.close()
    await server.wait_closed()
