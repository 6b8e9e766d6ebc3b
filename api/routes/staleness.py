"""What silence does to an ETA: it rests on what was seen of the van last; reading it adds how old that is.

ETAs are written only when they moved. A ping after which nothing had to be written confirms what is there: how old an
ETA is counts from the newest ping on the route, not from the one at which it was written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

STALE_AFTER = timedelta(minutes=5)
"""Phones send every minute or two when they can; five minutes without is a tunnel, a dead phone or a dead zone."""

QUIET = timedelta(minutes=1)
"""Silence up to this long is usual and says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedArrival:
    """When a van is expected: between `low` and `high` with a probability of 80 %."""

    expected: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen of a van last: its newest ping on the route was recorded then, and was or was not on the path."""

    as_of: datetime
    on_route: bool

    @classmethod
    def newest(cls, eta_as_of: datetime, seen_at: datetime | None, on_route: bool | None) -> "Sight":
        """Tell it from the ping that an ETA rests on and the live one; None while the driver is not on the route."""
        if seen_at is None:
            return cls(as_of=eta_as_of, on_route=True)
        return cls(as_of=max(eta_as_of, seen_at), on_route=bool(on_route))

    def is_stale(self, now: datetime) -> bool:
        """Tell whether an ETA rests on too little: on a ping that is too old, or on a van that has left its path."""
        return now - self.as_of > STALE_AFTER or not self.on_route


def aged(arrival: ExpectedArrival, sight: Sight, now: datetime) -> ExpectedArrival:
    """Say what an ETA is worth `now`.

    Who has not arrived yet does not arrive in the past, so nothing is before `now`. The van may have stood still for as
    long as we have not heard of it, so the end of the window moves away by the silence beyond `QUIET`.
    """
    silence = max(now - sight.as_of - QUIET, timedelta(0))
    expected = max(arrival.expected, now)
    return ExpectedArrival(expected=expected, low=max(arrival.low, now), high=max(arrival.high + silence, expected))
