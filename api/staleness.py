"""What silence does to an ETA: it rests on the last believed ping; reading it adds how old that is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

STALE_AFTER = timedelta(minutes=5)
"""Phones send every minute or two when they can; five minutes without is a tunnel, a dead phone or a dead zone."""

QUIET = timedelta(minutes=1)
"""Silence up to this long is usual and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """When a van is expected: between `low` and `high` with a probability of 80 %."""

    expected: datetime
    low: datetime
    high: datetime


def is_stale(as_of: datetime, now: datetime) -> bool:
    """Tell whether an ETA rests on a ping that is too old to be relied on."""
    return now - as_of > STALE_AFTER


def aged(arrival: Arrival, as_of: datetime, now: datetime) -> Arrival:
    """Say what an ETA is worth `now`, when the ping it rests on was recorded at `as_of`.

    Who has not arrived yet does not arrive in the past, so nothing is before `now`. The van may have stood still for as
    long as we have not heard of it, so the end of the window moves away by the silence beyond `QUIET`.
    """
    silence = max(now - as_of - QUIET, timedelta(0))
    expected = max(arrival.expected, now)
    return Arrival(expected=expected, low=max(arrival.low, now), high=max(arrival.high + silence, expected))
