"""The same batches as WebSocket frames: `GET /v1/pings/ws`.

A connection is two tasks: one reads frames and has them kept, the other answers in the order they came. What is under
way is bounded: a phone that does not read its answers, or a slow database, stops the reading.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from aiohttp import WSMessage, WSMsgType, web
from prometheus_client import Gauge

from api.http.auth import bearer_of, find_device
from api.http.operation import Operations, Who
from api.http.problem import BadRequest, TooManyRequests, Unauthorized, Unavailable, document
from api.http.shares.bodies import BODIES
from api.http.shares.ledger import Ledger
from api.http.shares.rates import RATES
from api.http.who import is_of_device, parties_of
from ingest.decode import native
from ingest.decode.refusals import TooMuch, Unreadable
from ingest.doors.app_keys import DOORS_CONFIG
from ingest.doors.config import DoorsConfig
from ingest.doors.native import keep_batch
from ingest.doors.refusals import problem_of
from ingest.inbox import Full
from sql.account.devices import DeviceRow
from sql.pool import DATABASE_AWAY

SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("sockets")
SEATS: web.AppKey[Ledger] = web.AppKey("seats", Ledger)
DOORSTEP: web.AppKey[Ledger] = web.AppKey("doorstep", Ledger)
"""Sockets of clients who are told why they may not come in, and have not hung up yet."""

OPEN = Gauge("reparto_websockets_open", "Phones connected by WebSocket")

GOING_AWAY, COME_BACK_LATER, BAD_TOKEN = 1001, 1013, 4401
"""Close codes: we restart; the reason says when to come back; the token is not (or no longer) known."""

_HEARTBEAT_S = 45.0  # a dead phone is noticed within this; mobile networks forget silent connections after minutes
_UNDER_WAY = 16  # frames of one connection that are not answered yet
_HANG_UP_S = 2.0  # a client that is sent away may say good-bye for so long

SOCKETS_OF_A_DEVICE = 8
"""A phone needs one, and those that it lost on the way are noticed after `_HEARTBEAT_S`."""

_ON_THE_DOORSTEP = 64

operations = Operations("pings")


@dataclass(frozen=True, slots=True)
class _Close:
    code: int
    reason: str


_Answer: TypeAlias = bytes | str | _Close


@operations.operation("GET", "/v1/pings/ws", who=Who.ANYONE, status=101)
async def get_pings_ws(request: web.Request) -> web.WebSocketResponse:
    """Send pings over a WebSocket.

    Send the device's `token` as `Authorization: Bearer …`. Each frame, text with JSON or binary with MessagePack, is
    `{"n": number, "pings": […]}` or `{"n": number, "columns": {…}}`. Each is answered in its own form, in order, after
    the commit: `{"n", "accepted", "rejected"}`; or `{"n", "error": problem}` for a frame that cannot be used and must
    not be sent again. The connection goes on. What was not answered is to be sent again.

    The server closes with 4401 for a bad or revoked token, with 1013 when it cannot take more now (the reason says in
    how many seconds to come back), with 1001 when it restarts, with 1007 for text that is not UTF-8, with 1009 for too
    long a frame.
    """
    app = request.app
    if not _socket(app).can_prepare(request):
        raise BadRequest("Pings come here by WebSocket: ask to upgrade, and have proxies in between pass that on.")
    device = await _device(request)
    if isinstance(device, _Close):
        return await _sent_away(request, device)
    with app[SEATS].held(parties_of(request)), app[BODIES].metered(request) as next_message:
        socket = _socket(app)
        await socket.prepare(request)
        app[SOCKETS].add(socket)
        OPEN.inc()
        try:
            await _converse(request, socket, next_message)
        finally:
            app[SOCKETS].discard(socket)
            OPEN.dec()
    return socket


def add_to(app: web.Application, config: DoorsConfig) -> None:
    """Put into an application what the handler looks for there."""
    app[SOCKETS] = set()
    app[SEATS] = Ledger("WebSockets", config.websocket_clients, caps={"device": SOCKETS_OF_A_DEVICE})
    app[DOORSTEP] = Ledger("WebSockets without a token", _ON_THE_DOORSTEP)


def _socket(app: web.Application) -> web.WebSocketResponse:
    # no compression: its windows would cost each connection more memory than all the rest
    return web.WebSocketResponse(
        heartbeat=_HEARTBEAT_S,
        compress=False,
        max_msg_size=app[DOORS_CONFIG].max_ping_bytes,
        timeout=_HANG_UP_S,
    )


async def _sent_away(request: web.Request, why: _Close) -> web.WebSocketResponse:
    """Say why, in a close frame, to a client that takes no seat.

    Raises:
        Unavailable, TooManyRequests: so many are being told already.
    """
    with request.app[DOORSTEP].held(parties_of(request)):
        socket = _socket(request.app)
        await socket.prepare(request)
        await socket.close(code=why.code, message=why.reason.encode())
    return socket


async def close_all(app: web.Application) -> None:
    """Send every phone away, before the server stops."""
    sockets = app[SOCKETS].copy()
    await asyncio.gather(*(socket.close(code=GOING_AWAY) for socket in sockets))


async def _converse(request: web.Request, socket: web.WebSocketResponse, next_message: Callable[[], None]) -> None:
    under_way: asyncio.Queue[asyncio.Task[_Answer] | None] = asyncio.Queue(_UNDER_WAY)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_answer(socket, under_way))
        async for frame in socket:
            next_message()
            if frame.type is not WSMsgType.ERROR:
                await under_way.put(tasks.create_task(_keep(request, frame)))
        await under_way.put(None)


async def _device(request: web.Request) -> DeviceRow | _Close:
    """Find the device, without asking the database when it was asked a moment ago."""
    try:
        device = await find_device(request.app, bearer_of(request.headers), can_read=True)
    except Unauthorized as problem:
        return _Close(BAD_TOKEN, problem.detail)
    except DATABASE_AWAY:
        return _Close(COME_BACK_LATER, "unavailable; come back in 5 s")
    is_of_device(request, device.id, device.account_id)
    return device


async def _keep(request: web.Request, frame: WSMessage) -> _Answer:
    """Keep the batch in a frame; give its answer, or the reason to close."""
    app, packed = request.app, frame.type is WSMsgType.BINARY
    body: bytes = frame.data if packed else frame.data.encode()
    device = await _device(request)
    if isinstance(device, _Close):
        return device
    n: int | None = None
    try:
        app[RATES].admit(device.id)
        with app[BODIES].held(parties_of(request), len(body)):
            message = native.read(body, packed=packed)
            n = message.n
            kept = await keep_batch(app, device, message, source="websocket")
    except (TooManyRequests, Unavailable) as problem:
        return _Close(COME_BACK_LATER, f"{problem.type}; come back in {problem.headers['Retry-After']} s")
    except Full as full:
        return _Close(COME_BACK_LATER, f"unavailable; come back in {full.retry_after_s} s")
    except (Unreadable, TooMuch) as refusal:
        return _packed({"n": n, "error": document(problem_of(refusal))}, packed=packed)
    return _packed({"n": n, "accepted": kept.accepted, "rejected": kept.rejected}, packed=packed)


def _packed(answer: dict[str, Any], *, packed: bool) -> bytes | str:
    return msgspec.msgpack.encode(answer) if packed else msgspec.json.encode(answer).decode()


async def _answer(socket: web.WebSocketResponse, under_way: "asyncio.Queue[asyncio.Task[_Answer] | None]") -> None:
    """Answer in order. After the end of the connection what is under way is waited for all the same."""
    while (task := await under_way.get()) is not None:
        answer = await task
        if socket.closed:
            continue
        with suppress(ConnectionError):
            if isinstance(answer, _Close):
                await socket.close(code=answer.code, message=answer.reason.encode())
            elif isinstance(answer, bytes):
                await socket.send_bytes(answer)
            else:
                await socket.send_str(answer)
