"""Live positions: where an account's drivers are, asked once or followed."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from api.fleet.held_answers import HeldAnswers
from api.fleet.held_positions import HeldPositions
from api.fleet.position_view import STATUSES, Filter, Positions
from api.fleet.shared_changes import SharedChanges
from api.http.app_keys import now_of
from api.http.auth import Role, authorize, caller_of
from api.http.operation import Operations, Parameter, Who
from api.http.problem import FieldError, Invalid, Problem
from api.http.versions import IF_NONE_MATCH, UNCHANGED
from api.stream.hub import HUB, Hub
from api.stream.sse import event_stream
from sql.pool import DATABASE_AWAY
from sql.track.live import LivePosition

operations = Operations("positions")

COALESCE_S = 0.25
"""Changes are gathered for so long before a stream gets them: four times a second looks smooth on a map."""

LOOK_AGAIN_S = 10.0
"""A stream is told so often, whether anything changed or not."""

CHECK_KEY_S = 15.0
"""A stream looks so often whether its key was revoked."""

_QUERY = (
    Parameter(
        name="bbox", description="minlon,minlat,maxlon,maxlat in degrees; minlon > maxlon crosses the antimeridian."
    ),
    Parameter(name="status", description=f"Only drivers of these, separated by commas: {', '.join(STATUSES)}."),
)


@operations.operation(
    "GET",
    "/v1/positions",
    who=Who.VIEWER,
    answer=Positions,
    query=_QUERY,
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


@operations.operation("GET", "/v1/positions/stream", who=Who.VIEWER, query=_QUERY, media=("text/event-stream",))
async def stream_positions(request: web.Request) -> web.StreamResponse:
    """Follow where the drivers are, as server-sent events.

    First `snapshot` with all of them, then `changed` with those who changed, both GeoJSON feature collections, and
    `gone` with `{"driver_ids": […]}` of those who are no longer among what was asked for. Ends when the key is revoked.
    """
    wanted, hub, account_id = filter_in(request), request.app[HUB], caller_of(request).account_id
    async with event_stream(request, hub) as stream, hub.watch(follow_account, account_id) as watch:
        sent: Mapping[int, LivePosition] | None = None
        clock = asyncio.get_running_loop()
        check_at = clock.time() + CHECK_KEY_S
        while not hub.closing:
            positions = await watch.next(stream.beat_in_s)
            if clock.time() >= check_at:
                if not await _may_still(request):
                    break
                check_at = clock.time() + CHECK_KEY_S
            if positions is None:
                await stream.beat()
                continue
            sent, told = hub.part(SharedChanges).told(account_id, wanted, positions, sent, now_of(request))
            for event, data in told:
                await stream.send(event, data)
    return stream.response


async def follow_account(hub: Hub, account_id: int) -> AsyncIterator[Mapping[int, LivePosition]]:
    """Give an account's positions by driver, again at every change; who did not change is the same object as before."""
    held = hub.part(HeldPositions)
    with hub.on_account(account_id) as signal:
        while True:
            signal.read()
            yield await held.known_of_account(account_id)
            await asyncio.sleep(COALESCE_S)
            await signal.wait(LOOK_AGAIN_S)


def filter_in(request: web.Request) -> Filter:
    """Read `?bbox=` and `?status=`.

    Raises:
        Invalid: they are no box, or no statuses.
    """
    errors: list[FieldError] = []
    box = statuses = None
    if text := request.query.get("bbox", ""):
        box = _box(text)
        if box is None:
            why = "must be minlon,minlat,maxlon,maxlat in degrees, like -74.2,4.5,-74.0,4.8"
            errors.append(FieldError(at="bbox", why=why))
    if text := request.query.get("status", ""):
        statuses = frozenset(text.split(","))
        if not statuses <= set(STATUSES):
            errors.append(FieldError(at="status", why=f"must be some of {', '.join(STATUSES)}, separated by commas"))
    if errors:
        raise Invalid("A parameter is not usable.", errors=errors)
    return Filter(box=box, statuses=statuses)


def _box(text: str) -> tuple[float, float, float, float] | None:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        return None
    fits = all(map(math.isfinite, (west, south, east, north)))
    fits = fits and max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
    return (west, south, east, north) if fits else None


async def _may_still(request: web.Request) -> bool:
    try:
        await authorize(request, Role.VIEWER)
    except Problem:
        return False
    except DATABASE_AWAY:
        return True  # not known now; asked again
    return True
