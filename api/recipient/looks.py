"""A route read for its recipients' pages, and what one link shows of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.recipient.standing import next_stop, places_ahead, stop_of_link
from api.recipient.view import Ended, TrackingView, view_of
from geo.shape.stretch import stretch
from sql.delivery.tracking import PathStretch, TrackedRoute, TrackedStop, read_stretch, tracked_route
from sql.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteLook:
    """A route and, from its van to its next stop, the way ahead; the same for all who track the route.

    Attributes:
        path_ahead: lon, lat; empty where there is no van on the path, or nothing left to do.
        places: how many stops are before each of those to do, by its id.
        read: the vertices that `path_ahead` was cut from.
    """

    route: TrackedRoute
    path_ahead: Sequence[tuple[float, float]]
    places: Mapping[int, int]
    read: PathStretch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one link shows, and of which stop and route."""

    route: TrackedRoute
    stop: TrackedStop
    view: TrackingView | Ended


async def look_at(pool: Pool, route_id: int, before: RouteLook | None = None) -> RouteLook:
    """Read a route, and the way ahead.

    Args:
        before: an earlier look at it: what of it is known to be as it was is not read again.
    """
    route = await tracked_route(pool, route_id, None if before is None else before.route)
    places = places_ahead(route)
    stop, van = next_stop(route), route.van
    if stop is None or van is None or not van.on_route or van.along_m is None or van.version != route.version:
        return RouteLook(route=route, path_ahead=(), places=places)
    read = None
    if before is not None and before.route.version == route.version and before.read is not None:
        read = before.read.part(van.along_m, stop.along_m)
    if read is None:
        read = await read_stretch(pool, route_id=route_id, version=van.version, from_m=van.along_m, to_m=stop.along_m)
    if read is None:
        return RouteLook(route=route, path_ahead=(), places=places)
    drawn = stretch(read.lon, read.lat, read.along_m, van.along_m, stop.along_m)
    path_ahead = [(round(lon, 6), round(lat, 6)) for lon, lat in drawn.tolist()]
    return RouteLook(route=route, path_ahead=path_ahead, places=places, read=read)


def seen_in(look: RouteLook, link_hash: bytes, now: datetime) -> Seen | None:
    """Give what a link shows of a route; None when it is not, or no longer, of one of its stops."""
    stop = stop_of_link(look.route, link_hash)
    if stop is None:
        return None
    view = view_of(look.route, stop, now, path_ahead=look.path_ahead, places=look.places)
    return Seen(route=look.route, stop=stop, view=view)
