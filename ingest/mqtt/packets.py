"""Packets of MQTT 3.1 and 3.1.1, as far as a phone that publishes sends them and a broker answers.

Source: MQTT Version 3.1.1, OASIS Standard, 29 October 2014; the numbers in brackets are its sections.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

MOST_LENGTH_BYTES = 4
"""Of the remaining length [2.2.3]."""

MOST_TOPICS = 100
"""Of one SUBSCRIBE; OwnTracks asks for half a dozen, of which nothing ever comes."""

LEVELS = frozenset({3, 4})
"""Protocol levels: 3.1 and 3.1.1 [3.1.2.2]."""

_USER, _PASSWORD, _WILL = 0x80, 0x40, 0x04


class Kind(IntEnum):
    """The type of a packet [2.2.1]."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


class Admission(IntEnum):
    """What is said to a client that connects [3.2.2.3]."""

    COME_IN = 0
    OTHER_PROTOCOL = 1
    UNAVAILABLE = 3
    BAD_PASSWORD = 4


class Broken(Exception):  # noqa: N818 (of a packet, as its sender is told by the end of the connection)
    """No such packet may come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """What a client says first.

    Attributes:
        level: of the protocol.
        client_id: its own; may be empty.
        keep_alive_s: something comes of it at least so often; 0: it does not say.
        password: empty: none.
    """

    level: int
    client_id: str
    keep_alive_s: int
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A message. `packet_id` is None where `qos` is 0: nobody waits for an answer."""

    payload: bytes = field(repr=False)
    qos: int
    packet_id: int | None


class _Reader:
    """Takes the fields of a body, one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def take(self, size: int) -> bytes:
        taken = self._body[self._at : self._at + size]
        if len(taken) < size:
            raise Broken
        self._at += size
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def sized(self) -> bytes:
        return self.take(self.number(2))

    def rest(self) -> bytes:
        taken, self._at = self._body[self._at :], len(self._body)
        return taken

    def is_at_end(self) -> bool:
        return self._at == len(self._body)


def length_in(read: bytes) -> int | None:
    """Read a remaining length of at most `MOST_LENGTH_BYTES`; None: another byte belongs to it.

    Raises:
        Broken: it is longer.
    """
    if read[-1] & 0x80:
        if len(read) >= MOST_LENGTH_BYTES:
            raise Broken
        return None
    return sum((byte & 0x7F) << 7 * at for at, byte in enumerate(read))


def kind_in(first: int) -> Kind:
    """Tell the type of a packet by its first byte.

    Raises:
        Broken: there is no such type.
    """
    try:
        return Kind(first >> 4)
    except ValueError:
        raise Broken from None


def connect_in(body: bytes) -> Connect:
    """Read CONNECT [3.1]. Of a level that is not spoken here only that.

    Raises:
        Broken: it is cut off.
    """
    fields = _Reader(body)
    fields.sized()  # the protocol's name, which goes with its level
    level, flags, keep_alive_s = fields.number(1), fields.number(1), fields.number(2)
    if level not in LEVELS:
        return Connect(level=level, client_id="", keep_alive_s=keep_alive_s, password="")
    client_id = fields.sized()
    if flags & _WILL:
        fields.sized(), fields.sized()  # nobody is told it here: who falls silent is noticed
    if flags & _USER:
        fields.sized()
    password = fields.sized() if flags & _PASSWORD else b""
    return Connect(
        level=level,
        client_id=client_id.decode("utf-8", "replace"),
        keep_alive_s=keep_alive_s,
        password=password.decode("utf-8", "replace"),
    )


def publish_in(first: int, body: bytes) -> Publish:
    """Read PUBLISH [3.3]; its topic is a claim, and not read.

    Args:
        first: byte of the packet.

    Raises:
        Broken: it is cut off.
    """
    fields, qos = _Reader(body), first >> 1 & 3
    if qos == 3:
        raise Broken
    fields.sized()
    packet_id = fields.number(2) if qos else None
    return Publish(payload=fields.rest(), qos=qos, packet_id=packet_id)


def packet_id_in(body: bytes) -> int:
    """Read what PUBREL, SUBSCRIBE and UNSUBSCRIBE begin with.

    Raises:
        Broken: it is cut off.
    """
    return _Reader(body).number(2)


def wishes_in(body: bytes) -> list[int]:
    """Read the quality of service that SUBSCRIBE asks of each of its topics [3.8].

    Raises:
        Broken: it is cut off, or names no topic, or more than `MOST_TOPICS`.
    """
    fields, wishes = _Reader(body), list[int]()
    fields.number(2)
    while not fields.is_at_end():
        fields.sized()
        wishes.append(fields.number(1) & 3)
    if not 0 < len(wishes) <= MOST_TOPICS:
        raise Broken
    return wishes


def connack(verdict: Admission) -> bytes:
    """Answer CONNECT; nothing is remembered of a client [3.2]."""
    return bytes((Kind.CONNACK << 4, 2, 0, verdict))


def answered(kind: Kind, packet_id: int) -> bytes:
    """Write PUBACK, PUBREC, PUBCOMP or UNSUBACK."""
    return bytes((kind << 4, 2)) + packet_id.to_bytes(2, "big")


def suback(packet_id: int, granted: Sequence[int]) -> bytes:
    """Answer SUBSCRIBE, of at most `MOST_TOPICS` [3.9]."""
    return bytes((Kind.SUBACK << 4, 2 + len(granted))) + packet_id.to_bytes(2, "big") + bytes(granted)


PONG = bytes((Kind.PINGRESP << 4, 0))
