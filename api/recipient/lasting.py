"""How long what a recipient sees stays as it is while nothing is written: the rules of `view.py`, read by the clock."""

from datetime import datetime, timedelta

from api.recipient.standing import done_at_of, ends_at, heard_at, said_arrival, sight_of
from api.recipient.view import POSITION_FOR
from api.routes.staleness import QUIET, STALE_AFTER
from sql.account.settings import settings_of
from sql.account.shifts import LONGEST_BREAK
from sql.delivery.tracking import TrackedRoute, TrackedStop

_A_SECOND = timedelta(seconds=1)
_JUST_AFTER = timedelta(microseconds=1)  # what holds until a moment still holds at it


def lasts_until(route: TrackedRoute, stop: TrackedStop, now: datetime) -> datetime:
    """Give a moment after `now` until which (itself not among them) `view_of` says of a stop what it says now.

    It may well say the same afterwards.
    """
    moments = [ends_at(route, stop)]
    if done_at_of(route, stop) is None:
        moments.append(heard_at(route))
        if heard_at(route) > now:
            moments.append(_next_second(now))
        if route.break_since is not None:
            moments.append(route.break_since + LONGEST_BREAK)
        if route.van is not None:
            moments.append(route.van.recorded_at + POSITION_FOR + _JUST_AFTER)
        moments += _moments_of_eta(route, stop, now)
    return min((moment for moment in moments if moment > now), default=now + timedelta(days=1))


def _moments_of_eta(route: TrackedRoute, stop: TrackedStop, now: datetime) -> list[datetime]:
    said = said_arrival(route, stop)
    if said is None:
        return []
    as_of, visible = sight_of(route).as_of, timedelta(minutes=settings_of(route.settings).visibility.max_minutes)
    moments = [said.expected - visible, as_of + STALE_AFTER + _JUST_AFTER, as_of + QUIET]
    # Times are shown in whole seconds. What moves with the clock is another one at the next whole second.
    moments += [_next_second(max(said.low, now)), _next_second(max(said.expected, now))]
    if now >= as_of + QUIET:
        high = max(said.high + (now - as_of - QUIET), max(said.expected, now))
        moments.append(now + (_next_second(high) - high))
    return moments


def _next_second(time: datetime) -> datetime:
    return time.replace(microsecond=0) + _A_SECOND
