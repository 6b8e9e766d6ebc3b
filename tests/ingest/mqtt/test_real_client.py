"""paho, the client library that most programs speak MQTT by, connects and is acknowledged as by any broker."""

import asyncio

import pytest
from paho.mqtt.client import Client as Paho
from paho.mqtt.client import MQTTv5, MQTTv31, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from tests.ingest.doors.phones import Phone
from tests.ingest.mqtt.client import said
from tests.ingest.mqtt.conftest import Kept


def sends(port: int, password: str, version: int, qualities: list[int]) -> int:
    """Connect, publish a place at each quality of service, and wait for all; gives how many were acknowledged."""
    phone = Paho(CallbackAPIVersion.VERSION2, client_id="ana", protocol=version)
    phone.username_pw_set("ana", password)
    phone.will_set("owntracks/ana/moto", b'{"_type":"lwt","tst":1}')
    phone.connect("127.0.0.1", port)
    phone.loop_start()
    try:
        told = [phone.publish("owntracks/ana/moto", said(ago_s=60 + n), quality) for n, quality in enumerate(qualities)]
        for one in told:
            one.wait_for_publish(10)
        return sum(one.is_published() for one in told)
    finally:
        phone.disconnect()
        phone.loop_stop()


@pytest.mark.parametrize("version", [MQTTv31, MQTTv311])
async def test_paho_is_acknowledged_at_every_quality(port: int, phone: Phone, kept: Kept, version: int) -> None:
    assert await asyncio.to_thread(sends, port, phone.ingest_token, version, [0, 1, 2, 1]) == 4
    assert len(await kept()) == 4


async def test_paho_is_told_that_it_speaks_a_later_version(port: int, phone: Phone) -> None:
    heard: list[str] = []
    client = Paho(CallbackAPIVersion.VERSION2, client_id="ana", protocol=MQTTv5)
    client.username_pw_set("ana", phone.ingest_token)
    client.on_connect = lambda *said: heard.append(str(said[3]))

    def tries() -> None:
        client.connect("127.0.0.1", port)
        while not heard:
            client.loop(1.0)

    await asyncio.wait_for(asyncio.to_thread(tries), 20)
    assert heard == ["Unsupported protocol version"]
