"""What wakes those who wait: that something changed, or the newest value of it."""

import asyncio
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_DRIVERS = 10_000  # names kept for one waiter; beyond, everything is read again


class Signal:
    """Wakes one who waits for changes of one thing; names the drivers who changed meanwhile."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._drivers: set[int] = set()
        self._all = True

    def raise_for(self, driver_id: int | None) -> None:
        """Tell of a change; of everybody, perhaps, when `driver_id` is None."""
        if driver_id is None or len(self._drivers) >= _MOST_DRIVERS:
            self._all = True
        else:
            self._drivers.add(driver_id)
        self._event.set()

    async def wait(self, timeout_s: float) -> bool:
        """Wait until something changed; False when nothing did in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        return self._event.is_set()

    def read(self) -> frozenset[int] | None:
        """Give the drivers who changed since last asked; None when it may be any of them, as at first."""
        drivers = None if self._all else frozenset(self._drivers)
        self._event.clear()
        self._drivers.clear()
        self._all = False
        return drivers


class Watch(Generic[T]):
    """The newest value of a watched thing, for one who watches."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._value: T | None = None

    def put(self, value: T) -> None:
        """Replace what was not taken yet."""
        self._value = value
        self._event.set()

    def wake(self) -> None:
        """Let who waits look around; what was not taken yet stays."""
        self._event.set()

    async def next(self, timeout_s: float) -> T | None:
        """Wait for a value that was not given yet; None when there is none in that time, or who waits was woken."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        self._event.clear()
        value, self._value = self._value, None
        return value
