"""Everybody who is connected by MQTT."""

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web

from api.http.problem import Problem
from api.http.shares.ledger import Ledger
from ingest.doors.app_keys import DOORS_CONFIG
from ingest.mqtt.conversation import Conversation, let_in
from ingest.mqtt.packets import Admission, Broken, connack

log = logging.getLogger(__name__)

_OF_A_DEVICE = 8  # connections; a phone needs one, and takes over from the one that it lost
_LAST_ANSWERS_S = 15.0
_HANG_UP_S = 2.0  # one that reads nothing keeps no socket longer than this
_BACKLOG = 4096
_ASKED_AFTER_S, _ASKED_EVERY_S, _ASKED_TIMES = 600, 60, 5  # by TCP, whether who says nothing is still there


@asynccontextmanager
async def serving_mqtt(app: web.Application, listener: socket.socket) -> AsyncIterator[None]:
    """Let phones connect during the block; at its end what is under way is kept and acknowledged.

    Args:
        app: has what every door needs (`ingest.doors.doors.open_inbox`), and runs.
    """
    phones = _Phones(app)
    _ask_whoever_is_silent(listener)
    server = await asyncio.start_server(phones.connected, sock=listener, backlog=_BACKLOG)
    try:
        yield
    finally:
        server.close()
        await phones.leave()


class _Phones:
    """Those that are connected."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._seats = Ledger("MQTT connections", app[DOORS_CONFIG].websocket_clients, caps={"device": _OF_A_DEVICE})
        self._tasks: set[asyncio.Task[None]] = set()
        self._connected: dict[tuple[int, str], Conversation] = {}

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk with somebody who connects, as long as that takes."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(Broken, TimeoutError, EOFError, ConnectionError):
                found = await let_in(self._app, reader, writer)
                verdict = await self._talk(found, writer) if isinstance(found, Conversation) else found
                if verdict is not None:
                    writer.write(connack(verdict))
        except Exception:
            log.exception("a connection by MQTT failed")
        finally:
            await _hang_up(writer)

    async def _talk(self, phone: Conversation, writer: asyncio.StreamWriter) -> Admission | None:
        """Talk with a phone; give what is to be told to one that finds no seat."""
        who = (phone.device.id, phone.client_id)
        if (before := self._connected.get(who)) is not None:
            before.leave()
        try:
            with self._seats.held(phone.parties):
                self._connected[who] = phone
                writer.write(connack(Admission.COME_IN))
                await phone.converse()
        except Problem:
            return Admission.UNAVAILABLE
        finally:
            if self._connected.get(who) is phone:
                del self._connected[who]
        return None

    async def leave(self) -> None:
        """Let all of them go, and those who have not said who they are."""
        for phone in self._connected.values():
            phone.leave()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=_LAST_ANSWERS_S)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection; what a phone does not read of its last answers is dropped."""
    writer.close()
    try:
        async with asyncio.timeout(_HANG_UP_S):
            await writer.wait_closed()
    except (TimeoutError, OSError):
        writer.transport.abort()


def _ask_whoever_is_silent(listener: socket.socket) -> None:
    """Have connections end whose phone is gone without a word: its keep-alive may be none, or hours.

    They inherit this of their listener.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _ASKED_AFTER_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _ASKED_EVERY_S)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _ASKED_TIMES)
