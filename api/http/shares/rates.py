"""How fast one party may go on. Each process counts for itself: a limit against one gone wild, not a quota."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web

from api.http.problem import TooManyRequests
from api.http.shares.ledger import REFUSED

RATES: web.AppKey["Rates"] = web.AppKey("rates")
"""Pings of a device."""

ACCOUNT_WRITES: web.AppKey["Rates"] = web.AppKey("account_writes")
"""Changes of an account that keep the trackers of its drivers waiting."""

QUARANTINE_RATE: web.AppKey["Rates"] = web.AppKey("quarantine_rate")
"""Bytes of a device that nobody can use, and that are kept all the same."""

ENTRY_BYTES = 512
"""What an entry of the quarantine takes besides its body, with its indices and in the log, about."""

_Bucket: TypeAlias = tuple[float, float]
"""What was in it, and when, seconds."""

PARTIES = 200_000
"""So many are remembered, about 60 MB of them; of more, those longest away are forgotten."""


class Rates:
    """A bucket for each device, or whatever else is limited, that fills at a steady rate, a minute's worth at most.

    Whoever has not run dry is let in and pays afterwards, so that a batch larger than the bucket still passes. Who has
    run dry is remembered apart: no number of others makes them free again.
    """

    def __init__(
        self,
        per_minute: int,
        *,
        of: str = "pings",
        whose: str = "device",
        parties: int = PARTIES,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open them.

        Args:
            per_minute: what one party may spend.
            of: the word for that, in metrics and in words to clients.
            whose: the kind of party.
        """
        self._full = float(max(1, per_minute))
        self._of, self._whose = of, whose
        self._clock_s = clock_s
        self._parties = parties
        self._wet: OrderedDict[int, _Bucket] = OrderedDict()
        self._dry: OrderedDict[int, _Bucket] = OrderedDict()

    def admit(self, party: int) -> None:
        """Let somebody go on; it costs one.

        Raises:
            TooManyRequests: they have spent too much; says when to come back.
        """
        level = self._level(party)
        if level < 1:
            wait_s = math.ceil((1 - level) * 60 / self._full)
            REFUSED.labels(self._of, self._whose).inc()
            raise TooManyRequests(
                f"More than {self._full:.0f} {self._of} a minute of one {self._whose}; come back in {wait_s} s.",
                retry_after_s=wait_s,
            )
        self._set(party, level - 1)

    def spend(self, party: int, amount: int) -> None:
        """Take so much, from whoever has not run dry.

        Raises:
            TooManyRequests: as `admit`.
        """
        self.admit(party)
        self.pay(party, amount - 1)

    def pay(self, party: int, amount: int) -> None:
        """Take from a bucket, below empty if need be."""
        if amount > 0:
            self._set(party, self._level(party) - amount)

    def _set(self, party: int, level: float) -> None:
        now, before = (self._wet, self._dry) if level >= 1 else (self._dry, self._wet)
        before.pop(party, None)
        now[party] = (level, self._clock_s())
        now.move_to_end(party)
        if len(now) > self._parties:
            now.popitem(last=False)

    def _level(self, party: int) -> float:
        bucket = self._wet.get(party) or self._dry.get(party)
        if bucket is None:
            return self._full
        level, at_s = bucket
        return min(self._full, level + (self._clock_s() - at_s) * self._full / 60)
