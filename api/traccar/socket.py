"""The socket that Traccar's clients follow a fleet by: `GET /api/socket`."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from aiohttp import WSMsgType, web

from api.http.auth import Role, caller_of
from api.http.operation import Operations, Parameter, Who
from api.http.shares.bodies import BODIES
from api.http.who import parties_of
from api.stream.hub import HUB
from api.stream.signals import Watch
from api.stream.still import may_still
from api.traccar.following import TraccarNews, follow_for_traccar
from api.traccar.login import authorize_traccar

operations = Operations("traccar", find=authorize_traccar)

GOING_AWAY, NOT_ANY_MORE = 1001, 1008
"""Close codes: we restart; the key was revoked or the session ended."""

CHECK_KEY_S = 15.0
"""A socket looks so often whether whoever opened it may still read."""

_HEARTBEAT_S = 45.0  # a dead client is noticed within this, and proxies see that the connection lives
_TAKES_WITHIN_S = 20.0  # a client that reads nothing for so long, with its buffers full, is gone
_HANG_UP_S = 2.0  # a client that is sent away may say good-bye for so long
_MOST_SAID_BYTES = 4_096  # nothing that a client says is heeded


@operations.operation(
    "GET",
    "/api/socket",
    who=Who.VIEWER,
    status=101,
    query=(Parameter(name="token", description="An API key, for clients without cookies."),),
)
async def get_traccar_socket(request: web.Request) -> web.WebSocketResponse:
    """Follow the fleet over a WebSocket, as Traccar's clients do.

    Each frame is `{"devices": […], "positions": […]}` or `{"events": […]}`: first all drivers, then whoever changes,
    and what happens from now on. Closed with 1008 when the key is revoked or the session ends, with 1001 when the
    server restarts or nothing was read for long.
    """
    hub = request.app[HUB]
    # no compression: its windows would cost each connection more memory than all the rest
    socket = web.WebSocketResponse(
        heartbeat=_HEARTBEAT_S, compress=False, max_msg_size=_MOST_SAID_BYTES, timeout=_HANG_UP_S
    )
    with hub.seat(parties_of(request)), request.app[BODIES].metered(request) as next_message:
        await socket.prepare(request)
        async with hub.watch(follow_for_traccar, caller_of(request).account_id) as watch, asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(_hear(socket, watch, next_message))
            code = GOING_AWAY
            with suppress(ConnectionError, TimeoutError):
                code = await _tell(request, socket, watch)
            await socket.close(code=code)
            hearing.cancel()
    return socket


async def _hear(socket: web.WebSocketResponse, watch: Watch[TraccarNews], next_message: Callable[[], None]) -> None:
    """Pass over what the client says, until it hangs up."""
    async for _ in socket:
        next_message()
    watch.wake()


async def _tell(request: web.Request, socket: web.WebSocketResponse, watch: Watch[TraccarNews]) -> int:
    """Tell what changes until the client hangs up, or may not read any more; give the code to close with."""
    hub, clock, told = request.app[HUB], asyncio.get_running_loop(), None
    check_at = clock.time() + CHECK_KEY_S
    while not hub.closing and not socket.closed:
        news = await watch.next(max(0.0, check_at - clock.time()))
        if clock.time() >= check_at:
            if not await may_still(authorize_traccar(request, Role.VIEWER)):
                return NOT_ANY_MORE
            check_at = clock.time() + CHECK_KEY_S
        if news is None:
            continue
        for frame in news.frames(told):
            async with asyncio.timeout(_TAKES_WITHIN_S):
                await socket.send_frame(frame, WSMsgType.TEXT)
        told = news
    return GOING_AWAY
