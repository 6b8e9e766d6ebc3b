"""How fast one device may send. Each process counts for itself: a limit against a phone gone wild, not a quota."""

import math
import time
from collections.abc import Callable
from typing import TypeAlias

from aiohttp import web
from cachetools import LRUCache

from api.http.problem import TooManyRequests

RATES: web.AppKey["Rates"] = web.AppKey("rates")

_Bucket: TypeAlias = tuple[float, float]
"""What was in it, pings, and when, seconds."""

DEVICES = 200_000
"""So many devices are remembered, about 60 MB of them; of more, those longest away are forgotten."""


class Rates:
    """A bucket for each device that fills at a steady rate, a minute's worth at most.

    Whoever has not run dry is let in and pays afterwards, so that a batch larger than the bucket still passes. Devices
    that have run dry are remembered apart: no number of others makes one of them free again.
    """

    def __init__(
        self, pings_per_minute: int, *, devices: int = DEVICES, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._full = float(max(1, pings_per_minute))
        self._clock_s = clock_s
        self._wet: LRUCache[int, _Bucket] = LRUCache(devices)
        self._dry: LRUCache[int, _Bucket] = LRUCache(devices)

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
        level = self._level(device_id) - max(0, pings)
        now, before = (self._wet, self._dry) if level >= 1 else (self._dry, self._wet)
        before.pop(device_id, None)
        now[device_id] = (level, self._clock_s())

    def _level(self, device_id: int) -> float:
        bucket = self._wet.get(device_id) or self._dry.get(device_id)
        if bucket is None:
            return self._full
        level, at_s = bucket
        return min(self._full, level + (self._clock_s() - at_s) * self._full / 60)
