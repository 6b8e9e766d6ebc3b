"""How fast one device may send. Each process counts for itself: a limit against a phone gone wild, not a quota."""

import math
import time
from collections.abc import Callable

from aiohttp import web

from api.http.problem import TooManyRequests

RATES: web.AppKey["Rates"] = web.AppKey("rates")

_DEVICES = 200_000


class Rates:
    """A bucket for each device that fills at a steady rate, a minute's worth at most.

    Whoever has not run dry is let in and pays afterwards, so that a batch larger than the bucket still passes.
    """

    def __init__(self, pings_per_minute: int, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._full = float(max(1, pings_per_minute))
        self._clock_s = clock_s
        self._seen: dict[int, tuple[float, float]] = {}  # what was in the bucket, and when

    def admit(self, device_id: int) -> None:
        """Let a device send a message; it costs one ping.

        Raises:
            TooManyRequests: the device has sent too much; says when to come back.
        """
        missing = 1.0 - self._level(device_id)
        if missing > 0:
            wait_s = math.ceil(missing * 60 / self._full)
            raise TooManyRequests(
                f"This device sends more than {self._full:.0f} pings a minute; come back in {wait_s} s.",
                retry_after_s=wait_s,
            )
        self.pay(device_id, 1)

    def pay(self, device_id: int, pings: int) -> None:
        """Take from a device's bucket, below empty if need be."""
        if len(self._seen) >= _DEVICES:
            self._seen.clear()
        self._seen[device_id] = (self._level(device_id) - max(0, pings), self._clock_s())

    def _level(self, device_id: int) -> float:
        level, at_s = self._seen.get(device_id, (self._full, 0.0))
        return min(self._full, level + (self._clock_s() - at_s) * self._full / 60)
