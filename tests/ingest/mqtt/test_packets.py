"""Packets of MQTT: what a client sends is read, or known to be broken."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mqtt import packets
from ingest.mqtt.packets import Broken, Kind
from tests.ingest.mqtt.client import connect, packet, publish, sized


def body_of(written: bytes) -> bytes:
    at = 2
    while packets.length_in(written[1:at]) is None:
        at += 1
    body = written[at:]
    assert packets.length_in(written[1:at]) == len(body)
    return body


@given(st.integers(0, 20_000))
def test_a_length_has_as_many_bytes_as_it_needs(size: int) -> None:
    assert len(body_of(packet(0x30, bytes(size)))) == size


def test_a_length_of_more_than_four_bytes_is_broken() -> None:
    assert packets.length_in(b"\xff\xff\xff\x7f") == 268_435_455
    assert packets.length_in(b"\x80") is None
    with pytest.raises(Broken):
        packets.length_in(b"\x80\x80\x80\x80")


@given(st.text(max_size=200), st.text(max_size=20), st.integers(0, 65_535), st.sampled_from([3, 4]))
def test_connect_says_who_it_is(password: str, client_id: str, keep_alive_s: int, level: int) -> None:
    said = packets.connect_in(body_of(connect(password, level=level, client_id=client_id, keep_alive_s=keep_alive_s)))
    assert (said.password, said.client_id, said.keep_alive_s, said.level) == (password, client_id, keep_alive_s, level)


def test_no_secret_and_no_place_is_shown() -> None:
    assert "rpi_x" not in repr(packets.connect_in(body_of(connect("rpi_x"))))
    assert "lat" not in repr(packets.publish_in(0x32, body_of(publish(b'{"lat":1}', 1))))


def test_connect_may_say_nothing_but_itself() -> None:
    said = packets.connect_in(sized(b"MQTT") + b"\x04\x02\x00\x00" + sized(b""))
    assert (said.password, said.client_id, said.keep_alive_s) == ("", "", 0)
    assert packets.connect_in(sized(b"MQTT") + b"\x05\x02\x00\x3c\x00").level == 5


@given(st.binary(max_size=300), st.integers(1, 65_535), st.sampled_from([0, 1, 2]))
def test_publish_has_its_payload(payload: bytes, packet_id: int, qos: int) -> None:
    written = publish(payload, packet_id, qos=qos)
    said = packets.publish_in(written[0], body_of(written))
    assert (said.payload, said.qos, said.packet_id) == (payload, qos, packet_id if qos else None)


def test_a_quality_of_three_is_broken() -> None:
    with pytest.raises(Broken):
        packets.publish_in(0x36, sized(b"a") + b"\0\1")


def test_subscribe_is_granted_what_it_asks_for() -> None:
    wishes = packets.wishes_in(b"\0\7" + sized(b"owntracks/+/+") + b"\1" + sized(b"a") + b"\2")
    assert packets.suback(7, wishes) == b"\x90\x04\x00\x07\x01\x02"
    for bad in (b"\0\7", b"\0\7" + (sized(b"a") + b"\1") * 101, b"\0\7" + sized(b"a")):
        with pytest.raises(Broken):
            packets.wishes_in(bad)


def test_answers_are_as_the_standard_writes_them() -> None:
    assert packets.connack(packets.Admission.COME_IN) == b"\x20\x02\x00\x00"
    assert packets.answered(Kind.PUBACK, 258) == b"\x40\x02\x01\x02"
    assert packets.PONG == b"\xd0\x00"


@pytest.mark.parametrize(
    "read",
    [
        packets.connect_in, packets.packet_id_in, packets.wishes_in,
        lambda body: packets.publish_in(body[0] if body else 0, body[1:]),
        lambda body: packets.kind_in(body[0] if body else 0), lambda body: packets.length_in(body[:4] or b"\0"),
    ],
)  # fmt: skip
@given(body=st.binary(max_size=60) | st.integers(0, 60).map(lambda cut: body_of(connect("rpi_x"))[:cut]))
def test_anything_is_read_or_broken(read: Callable[[bytes], Any], body: bytes) -> None:
    with suppress(Broken):
        read(body)
