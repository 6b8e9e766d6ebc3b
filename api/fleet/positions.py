"""Live positions: where an account's drivers are, asked once or followed."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from api.fleet.followers import Follower, Followers
from api.fleet.held_answers import HeldAnswers
from api.fleet.held_positions import HeldPositions
from api.fleet.position_query import ONLY, VIEW, filter_in, last_event_in, view_in
from api.fleet.position_view import Positions
from api.fleet.shared_changes import Seen, SharedChanges
from api.http.app_keys import CONFIG, now_of
from api.http.auth import Role, authorize, caller_of
from api.http.operation import Operations, Who
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.stream.hub import HUB, Hub
from api.stream.signals import Watch
from api.stream.sse import EventStream, event_stream
from api.stream.still import may_still
from sql.track.live import LivePosition

operations = Operations("positions")

COALESCE_S = 0.25
"""Changes are gathered for so long before a stream gets them: four times a second looks smooth on a map."""

LOOK_AGAIN_S = 10.0
"""A stream is told so often, whether anything changed or not."""

CHECK_KEY_S = 15.0
"""A stream looks so often whether its key was revoked."""


@operations.operation(
    "GET",
    "/v1/positions",
    who=Who.VIEWER,
    answer=Positions,
    query=ONLY,
    also=UNCHANGED,
    headers=(IF_NONE_MATCH,),
    polled=True,
)
async def get_positions(request: web.Request) -> web.Response:
    """Read where the drivers are, as GeoJSON.

    Each at the newest ping that is believed; `age_s` says how old it is. Ask with `If-None-Match` and get 304 while
    nobody moved: then only the ages are other ones.
    """
    wanted = filter_in(request)
    positions = await request.app[HUB].part(HeldPositions).of_account(caller_of(request).account_id)
    return request.app[HUB].part(HeldAnswers).answer(request, caller_of(request).account_id, wanted, positions)


@operations.operation("GET", "/v1/positions/stream", who=Who.VIEWER, query=(*ONLY, *VIEW), media=("text/event-stream",))
async def stream_positions(request: web.Request) -> web.StreamResponse:
    """Follow where the drivers are, as server-sent events.

    First `snapshot` with all of them, then `changed` with those who changed, both GeoJSON feature collections, and
    `gone` with `{"driver_ids": […]}` of those who are no longer among what was asked for. Ends when the key is revoked.

    With a `view`, who moves out of it is told every ten seconds only (`REPARTO_STREAM_ELSEWHERE_S`), and at once when
    they fall silent, leave their route, become late, begin a break or are at a stop, or the other way round. A view
    moves by opening the stream again with the id of the last event: mostly it goes on from there, without a `snapshot`.
    """
    hub, account_id = request.app[HUB], caller_of(request).account_id
    asked = Follower(
        account_id=account_id,
        wanted=filter_in(request),
        view=view_in(request),
        elsewhere_s=request.app[CONFIG].stream_elsewhere_s,
    )
    follower = hub.part(Followers).begin(asked, last_event_in(request))
    async with (
        event_stream(request, hub, name=follower.name if follower.view else "") as stream,
        hub.watch(follow_account, account_id) as watch,
    ):
        with hub.part(Followers).following(follower, watch):
            await _tell(request, stream, follower, watch)
    return stream.response


async def _tell(request: web.Request, stream: EventStream, follower: Follower, watch: Watch[Seen]) -> None:
    """Tell a stream what changes, until it is over."""
    hub, clock, positions = request.app[HUB], asyncio.get_running_loop(), None
    check_at = clock.time() + CHECK_KEY_S
    while not hub.closing and not follower.is_over:
        positions = await watch.next(min(stream.beat_in_s, follower.due_in_s)) or positions
        if clock.time() >= check_at:
            if not await may_still(authorize(request, Role.VIEWER)):
                break
            check_at = clock.time() + CHECK_KEY_S
        if positions is not None:
            for event, data in follower.told(hub.part(SharedChanges), positions, now_of(request)):
                await stream.send(event, data)
        if not stream.beat_in_s:
            await stream.beat()


async def follow_account(hub: Hub, account_id: int) -> AsyncIterator[Mapping[int, LivePosition]]:
    """Give an account's positions by driver, again at every change, also by time alone: one clock for all who follow.

    Who did not change is the same object as before.
    """
    held = hub.part(HeldPositions)
    with hub.on_account(account_id) as signal:
        while True:
            signal.read()
            yield await held.known_of_account(account_id)
            await asyncio.sleep(COALESCE_S)
            await signal.wait(min(LOOK_AGAIN_S, max(0.0, held.lasts_s(account_id))))
