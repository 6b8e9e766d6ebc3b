"""How a stop stands that somebody tracks: done or ahead, when it is expected, and when its link is over."""

from datetime import datetime, timedelta
from typing import Literal

from api.routes.staleness import ExpectedArrival, Sight
from sql.delivery.routes import TO_DRIVE
from sql.delivery.tracking import TrackedRoute, TrackedStop

ENDS_AFTER_DONE = timedelta(hours=24)
"""A delivered parcel's page is looked at again the same evening and the next morning, then it is only a leak."""

ENDS_AFTER_ROUTE = timedelta(hours=12)
"""A stop that was never reached: its page still says so for the rest of the day."""

_DONE = frozenset({"completed", "partially_completed", "failed", "skipped", "removed"})
_NOT_COUNTED = frozenset({"break", "depot"})


def stop_of_link(route: TrackedRoute, link_hash: bytes) -> TrackedStop | None:
    """Find the stop that a link is of; None when the link was rotated away or the stop is gone."""
    return next((stop for stop in route.stops if stop.link_hash == link_hash or link_hash in stop.moved_links), None)


def next_stop(route: TrackedRoute) -> TrackedStop | None:
    """Give the stop that the van is heading for; None when it is not out or has nothing left to do."""
    ahead = _ahead(route) if route.status == "started" else ()
    return ahead[0] if ahead else None


def places_ahead(route: TrackedRoute) -> dict[int, int]:
    """Give how many stops the van still makes before each of those that are to do, by its id."""
    return {stop.id: place for place, stop in enumerate(_ahead(route))}


def _ahead(route: TrackedRoute) -> list[TrackedStop]:
    """The stops still to do, in the order the van comes to them: as the ETA has it, else as the tour has it."""
    worded = is_worded(route)
    to_do = {
        stop.id: stop for stop in route.stops if not is_done(stop, worded=worded) and stop.kind not in _NOT_COUNTED
    }
    if route.eta is not None and route.eta.version == route.version:
        ahead = [to_do[stop_id] for stop_id in route.eta.stop_ids if stop_id in to_do]
        if ahead:  # else what is left open lies behind the van
            return ahead
    return list(to_do.values())


def is_worded(route: TrackedRoute) -> bool:
    """Tell whether the driver says what becomes of stops: then that the van was there and left is no outcome."""
    return any(stop.outcome_at is not None for stop in route.stops)


def is_done(stop: TrackedStop, *, worded: bool) -> bool:
    """Tell whether nothing more is to be done at a stop, by what was said of it or as it was seen.

    Args:
        worded: `is_worded(route)`.
    """
    return stop.status in _DONE or (stop.departed_at is not None and not worded)


def done_at_of(route: TrackedRoute, stop: TrackedStop) -> datetime | None:
    """Tell when a stop was done; None when it is not."""
    done = is_done(stop, worded=stop.departed_at is not None and is_worded(route))
    return (stop.outcome_at or stop.departed_at or stop.arrived_at) if done else None


def status_of(route: TrackedRoute, stop: TrackedStop, before: int | None) -> str:
    """Name a stop's status as its recipient reads it; `before`: as in `places_ahead`."""
    if stop.status in _DONE:
        return stop.status
    if stop.departed_at is not None and not is_worded(route):
        return "departed"
    if stop.status == "arrived" and stop.departed_at is None:
        return "arrived"
    return "en_route" if stop.status != "left_open" and route.status == "started" and before == 0 else "pending"


def ends_at(route: TrackedRoute, stop: TrackedStop) -> datetime:
    """Tell when a link is over that nobody ends before."""
    done_at = done_at_of(route, stop)
    if done_at is not None:
        return done_at + ENDS_AFTER_DONE
    return (route.finished_at or route.end_at) + ENDS_AFTER_ROUTE


def why_ended(
    route: TrackedRoute, stop: TrackedStop, now: datetime
) -> Literal["revoked", "cancelled", "removed", "over"] | None:
    """Say why a link shows nothing any more; None while it does."""
    if stop.link_revoked:
        return "revoked"
    if route.deleted_at is not None or route.status == "cancelled":
        return "cancelled"
    if stop.status == "removed":
        return "removed"
    return "over" if now >= ends_at(route, stop) else None


def said_arrival(route: TrackedRoute, stop: TrackedStop) -> ExpectedArrival | None:
    """Give when the van was expected at a stop when that was last estimated; None where nothing is said of it."""
    eta = route.eta
    if eta is None or route.status not in TO_DRIVE or stop.status in _DONE or stop.arrived_at is not None:
        return None
    if stop.id not in eta.stop_ids:
        return None
    place = list(eta.stop_ids).index(stop.id)
    return ExpectedArrival(expected=eta.expected[place], low=eta.low[place], high=eta.high[place])


def lies_behind(route: TrackedRoute, stop: TrackedStop) -> bool:
    """Tell whether a van has passed a stop that nobody was at: it comes yet, and nothing says when."""
    eta = route.eta
    return eta is not None and eta.version == route.version and stop.status == "pending" and stop.id not in eta.stop_ids


def sight_of(route: TrackedRoute) -> Sight:
    """Give what the ETA of a route rests on by now; there is one."""
    assert route.eta is not None
    van = route.van
    return Sight.newest(route.eta.as_of, van.recorded_at if van else None, van.on_route if van else None)


def heard_at(route: TrackedRoute) -> datetime:
    """Tell when the newest thing that a route says was known, by the phone's clock where it is the van's."""
    heard = [route.updated_at if route.eta is None else route.eta.as_of]
    if route.van is not None:
        heard.append(route.van.recorded_at)
    return max(heard)
