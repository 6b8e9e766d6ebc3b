"""ETAs: when the van is expected at the stops ahead of it."""

from datetime import datetime

import msgspec
from aiohttp import web

from api.http.app_keys import POOL, now_of
from api.http.ids import STOP, shown
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.refs import of_route_in_path
from api.routes.staleness import ExpectedArrival, Sight, aged
from sql.delivery.routes import TO_DRIVE
from sql.eta.eta import EtaStop, RouteEta, eta_of_route, eta_stops

operations = Operations("eta")


class StopEta(msgspec.Struct, frozen=True, kw_only=True):
    """When the van is expected at a stop: between `low` and `high` with a probability of 80 %.

    `remaining_m` is the way along the path, and to doors far from it and back; `stops_before` counts the stops still to
    do before it.
    """

    stop_id: str
    stop_external_id: str
    expected: datetime
    low: datetime
    high: datetime
    remaining_m: float
    stops_before: int


class StopBehind(msgspec.Struct, frozen=True, kw_only=True):
    """A stop still open that the van has passed."""

    stop_id: str
    stop_external_id: str


class RouteEtaView(msgspec.Struct, frozen=True, kw_only=True):
    """The arrivals of a route, in the order the van comes to its stops; none when it has ended.

    `as_of` is when the newest ping on the route was recorded, null until there was one; `stale` says that this was more
    than five minutes ago, or that the van has left its path. `behind`: people still go to these, but whether before the
    others or after all nobody knows, so nothing is said of when.
    """

    computed_at: datetime | None
    as_of: datetime | None
    stale: bool
    stops: list[StopEta]
    behind: list[StopBehind] = []


@operations.operation("GET", "/v1/routes/{route}/eta", who=Who.VIEWER, answer=RouteEtaView)
async def get_eta(request: web.Request) -> web.Response:
    """Read when the van is expected at the stops ahead of it.

    Silence is added when you ask: nothing is expected in the past, and the end of a window moves away by how long the
    van was not heard of, beyond the first minute.
    """
    eta = await of_route_in_path(request, eta_of_route)
    stops = await eta_stops(request.app[POOL], (*eta.stop_ids, *eta.behind_ids))
    return answer(request, view_of(eta, stops, now_of(request)))


def view_of(eta: RouteEta, stops: dict[int, EtaStop], now: datetime) -> RouteEtaView:
    """Tell what an ETA is worth `now`; stops that are done since, or gone, are left out."""
    if eta.as_of is None:
        return RouteEtaView(computed_at=None, as_of=None, stale=True, stops=[])
    sight = Sight.newest(eta.as_of, eta.seen_at, eta.on_route)
    shown_stops: list[StopEta] = []
    columns = zip(eta.stop_ids, eta.expected, eta.low, eta.high, eta.remaining_m, strict=True)
    before = 0
    for stop_id, expected, low, high, remaining_m in columns if eta.status in TO_DRIVE else ():
        stop = stops.get(stop_id)
        if stop is None or stop.status != "pending" or stop.arrived_at is not None:
            continue
        arrival = aged(ExpectedArrival(expected=expected, low=low, high=high), sight, now)
        shown_stops.append(
            StopEta(
                stop_id=shown(STOP, stop_id),
                stop_external_id=stop.external_id,
                expected=arrival.expected,
                low=arrival.low,
                high=arrival.high,
                remaining_m=round(_remaining_m(eta, stop, remaining_m), 1),
                stops_before=before,
            )
        )
        before += stop.kind not in ("break", "depot")
    behind = [
        StopBehind(stop_id=shown(STOP, stop_id), stop_external_id=stops[stop_id].external_id)
        for stop_id in (eta.behind_ids if eta.status in TO_DRIVE else ())
        if stop_id in stops
    ]
    return RouteEtaView(
        computed_at=eta.computed_at, as_of=sight.as_of, stale=sight.is_stale(now), stops=shown_stops, behind=behind
    )


def _remaining_m(eta: RouteEta, stop: EtaStop, then_m: float) -> float:
    """Measure the way to a stop from where the van was seen last, where that is on the path the stop is placed on."""
    if eta.along_m is None or not eta.on_route or not eta.seen_version == eta.version == eta.route_version:
        return then_m
    if eta.from_m is None:
        return max(stop.along_m - eta.along_m, 0.0)
    return max(then_m - (eta.along_m - eta.from_m), 0.0)
