"""A phone that speaks MQTT, as bytes."""

import asyncio
import json
import time
from typing import Any, Self

from ingest.mqtt.packets import Kind, length_in


def said(ago_s: int = 60, **changes: Any) -> bytes:
    """A place as OwnTracks sends it."""
    fields = {"_type": "location", "lat": 19.432608, "lon": -99.133208, "tst": int(time.time()) - ago_s, "tid": "an"}
    return json.dumps(fields | changes).encode()


def sized(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def packet(first: int, body: bytes) -> bytes:
    length, left = b"", len(body)
    while True:
        left, part = left >> 7, left & 0x7F
        length += bytes((part | (0x80 if left else 0),))
        if not left:
            return bytes((first,)) + length + body


def connect(
    password: str | None, *, level: int = 4, client_id: str = "ana", user: str = "ana", keep_alive_s: int = 60
) -> bytes:
    name = b"MQIsdp" if level == 3 else b"MQTT"
    flags = 0x80 | 0x04 | (0x40 if password is not None else 0)
    body = sized(name) + bytes((level, flags)) + keep_alive_s.to_bytes(2, "big") + sized(client_id.encode())
    body += sized(b"owntracks/ana/moto") + sized(b'{"_type":"lwt"}') + sized(user.encode())
    return packet(Kind.CONNECT << 4, body + (sized(password.encode()) if password is not None else b""))


def publish(payload: bytes, packet_id: int = 0, *, qos: int = 1, topic: str = "owntracks/ana/moto") -> bytes:
    number = packet_id.to_bytes(2, "big") if qos else b""
    return packet(Kind.PUBLISH << 4 | qos << 1 | 1, sized(topic.encode()) + number + payload)


class MqttPhone:
    """A connection; `async with` it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, *packets: bytes) -> None:
        self.writer.write(b"".join(packets))

    async def hears(self) -> tuple[Kind, bytes] | None:
        """The next packet; None: the server hung up."""
        async with asyncio.timeout(30):
            try:
                first = (await self.reader.readexactly(1))[0]
            except (asyncio.IncompleteReadError, ConnectionError):
                return None
            read = await self.reader.readexactly(1)
            while (length := length_in(read)) is None:
                read += await self.reader.readexactly(1)
            return Kind(first >> 4), await self.reader.readexactly(length)

    async def comes_in(self, password: str | None, **more: Any) -> int | None:
        """Connect; the verdict."""
        self.send(connect(password, **more))
        heard = await self.hears()
        assert heard is None or heard[0] is Kind.CONNACK
        return None if heard is None else heard[1][1]
