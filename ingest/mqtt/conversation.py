"""One phone that is connected by MQTT: let in by its password, its messages kept, acknowledged in the order they came.

As with a WebSocket what is under way is bounded, so that a slow database stops the reading. MQTT has no word for "not
now": the connection ends, and the phone sends what was not acknowledged again when it comes back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from typing import TypeAlias

from aiohttp import web

from api.http.auth import hash_of
from api.http.known.devices import DEVICES
from api.http.problem import Problem
from api.http.shares.bodies import BODIES
from api.http.shares.rates import RATES
from api.http.who import Party
from ingest.decode import owntracks
from ingest.decode.message import AppMessage
from ingest.doors.apps import keep_message
from ingest.mqtt import packets
from ingest.mqtt.packets import Admission, Broken, Kind
from sql.account.devices import DeviceRow
from sql.pool import ASKS, DATABASE_AWAY
from work.away import Away

log = logging.getLogger(__name__)

MOST_BYTES = 256 * 1024
"""Of a packet; the longest that OwnTracks sends is a friend's card with a picture of some 40 kB."""

_CONNECT_BYTES = 4 * 1024
_CONNECT_WITHIN_S = 20.0
_WRITTEN_WITHIN_S = 30.0
_UNDER_WAY = 16  # messages of one connection that are not acknowledged yet
_KEEP_ALIVES = 1.5  # so many of them without a packet, and the phone is gone [3.1.2.10]

_Answer: TypeAlias = bytes | None
"""What is written for a packet; None: it was not kept, and the connection ends."""


class Conversation:
    """A phone that was let in.

    Attributes:
        device: whose it is.
        client_id: its own name for the connection, which a newer one takes over.
        parties: whom what it sends counts for.
    """

    def __init__(
        self,
        app: web.Application,
        device: DeviceRow,
        said: packets.Connect,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.device, self.client_id = device, said.client_id
        self.parties: tuple[Party, ...] = ("device", device.id), ("account", device.account_id)
        self._app, self._secret = app, said.password
        self._reader, self._writer = reader, writer
        self._silent_after_s = said.keep_alive_s * _KEEP_ALIVES or None
        self._under_way: asyncio.Queue[Awaitable[_Answer] | None] = asyncio.Queue()
        self._room = asyncio.Semaphore(_UNDER_WAY)
        self._reading: asyncio.Task[None] | None = None

    def leave(self) -> None:
        """Read nothing more of it; what is under way is kept and acknowledged."""
        if self._reading is not None:
            self._reading.cancel()

    async def converse(self) -> None:
        """Answer what it sends, to its end."""
        async with asyncio.TaskGroup() as tasks:
            self._reading = tasks.create_task(self._read(tasks))
            tasks.create_task(self._answer())

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        try:
            with suppress(Broken, Problem, TimeoutError, EOFError, ConnectionError):
                while await self._room.acquire() and (answer := await self._next(tasks)) is not None:
                    self._under_way.put_nowait(answer)
        finally:
            self._under_way.put_nowait(None)

    async def _next(self, tasks: asyncio.TaskGroup) -> Awaitable[_Answer] | None:
        """Read a packet, and give what its answer will be; None: the phone says good-bye.

        Raises:
            Broken, Problem, TimeoutError, EOFError, ConnectionError: nothing more is to be read.
        """
        with ExitStack() as held:
            holding = self._app[BODIES].of(self.parties)
            held.callback(lambda: holding.give_back(holding.size))
            first, body = await read_packet(self._reader, MOST_BYTES, within_s=self._silent_after_s, take=holding.take)
            kind = packets.kind_in(first)
            if kind is Kind.PUBLISH:
                return tasks.create_task(self._keep(packets.publish_in(first, body), held.pop_all()))
            return None if kind is Kind.DISCONNECT else _at_once(_said_to(kind, body))

    async def _keep(self, message: packets.Publish, held: ExitStack) -> _Answer:
        try:
            with held:
                device = await self._app[DEVICES].find(hash_of(self._secret), can_read=False)
                if device is None:
                    return None  # it was shut out
                self._app[RATES].admit(device.id)
                sent = AppMessage(app=device.app, query={}, body=message.payload)
                await keep_message(self._app, device, sent, decode=owntracks.decode, source="mqtt", secret=self._secret)
        except (Problem, Away, *DATABASE_AWAY) as error:
            log.info("a message by MQTT is not kept now: %s", type(error).__name__)
            return None
        if message.packet_id is None:
            return b""
        return packets.answered(Kind.PUBACK if message.qos == 1 else Kind.PUBREC, message.packet_id)

    async def _answer(self) -> None:
        """Answer in order, until a message is not kept: none behind it may be acknowledged before it."""
        is_over = False
        while (answering := await self._under_way.get()) is not None:
            answer = await answering
            self._room.release()
            if answer is not None and not is_over:
                is_over = not await self._is_written(answer)
            elif answer is None:
                is_over = True
            if is_over:
                self.leave()

    async def _is_written(self, answer: bytes) -> bool:
        try:
            async with asyncio.timeout(_WRITTEN_WITHIN_S):
                self._writer.write(answer)
                await self._writer.drain()
        except (TimeoutError, ConnectionError):
            return False
        return True


async def let_in(
    app: web.Application, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> Conversation | Admission:
    """Find out who connects; else say what is to be told.

    Raises:
        Broken, TimeoutError, EOFError, ConnectionError: nothing that could be told anything.
    """
    async with asyncio.timeout(_CONNECT_WITHIN_S):
        first, body = await read_packet(reader, _CONNECT_BYTES, within_s=None)
    if packets.kind_in(first) is not Kind.CONNECT:
        raise Broken
    said = packets.connect_in(body)
    if said.level not in packets.LEVELS:
        return Admission.OTHER_PROTOCOL
    try:
        device = await app[DEVICES].find(hash_of(said.password), can_read=False)
    except (Away, *DATABASE_AWAY):
        return Admission.UNAVAILABLE
    if device is None:
        return Admission.BAD_PASSWORD
    ASKS.set(("account", device.account_id))
    return Conversation(app, device, said, reader, writer)


async def read_packet(
    reader: asyncio.StreamReader,
    most_bytes: int,
    *,
    within_s: float | None,
    take: Callable[[int], None] = lambda _: None,
) -> tuple[int, bytes]:
    """Read a packet: its first byte, and its body.

    Args:
        within_s: so long it may take to come; None: any time.
        take: told how long its body is, before that is read.

    Raises:
        Broken: it is too long, or no packet.
        Problem: as `take`.
        TimeoutError, EOFError, ConnectionError: it does not come.
    """
    async with asyncio.timeout(within_s):
        first = (await reader.readexactly(1))[0]
    async with asyncio.timeout(_CONNECT_WITHIN_S):
        length, read = None, b""
        while length is None:
            read += await reader.readexactly(1)
            length = packets.length_in(read)
        if length > most_bytes:
            raise Broken
        take(length)
        return first, await reader.readexactly(length)


def _said_to(kind: Kind, body: bytes) -> bytes:
    """Answer what is no message.

    Raises:
        Broken: a client does not send this.
    """
    match kind:
        case Kind.PUBREL:
            return packets.answered(Kind.PUBCOMP, packets.packet_id_in(body))
        case Kind.SUBSCRIBE:
            return packets.suback(packets.packet_id_in(body), packets.wishes_in(body))
        case Kind.UNSUBSCRIBE:
            return packets.answered(Kind.UNSUBACK, packets.packet_id_in(body))
        case Kind.PINGREQ:
            return packets.PONG
    raise Broken


async def _at_once(answer: bytes) -> _Answer:
    return answer
