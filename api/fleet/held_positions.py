"""Positions in memory: read once for all who ask for an account's, and again only of whom something was written."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cachetools import LRUCache

from api.fleet.lapses import Lapses
from api.stream.hub import Hub
from sql.track.live import LivePosition, live_of_account, live_of_drivers

MOST_POSITIONS = 200_000
"""Drivers of all accounts that are kept, about 500 bytes each: 100 MB at most in a process."""

LINGERS_S = 60.0
"""An account that nobody asked for is forgotten after so long."""


@dataclass(slots=True, eq=False)
class _Account:
    """An account's positions by driver.

    Attributes:
        changed: drivers of whom something was written since they were read; `all_changed`: perhaps of everybody.
    """

    known: Mapping[int, LivePosition] = field(default_factory=dict)
    changed: set[int] = field(default_factory=set)
    all_changed: bool = True
    asked_s: float = 0.0
    lapses: Lapses = field(default_factory=Lapses)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_stale(self) -> bool:
        """Tell whether something must be read, or is being read."""
        return self.all_changed or bool(self.changed) or self.lock.locked()


class HeldPositions:
    """The accounts of a process that somebody asks for; `hub.part(HeldPositions)`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._clock = asyncio.get_running_loop()
        self._accounts: LRUCache[int, _Account] = LRUCache(
            MOST_POSITIONS, getsizeof=lambda account: 1 + len(account.known)
        )
        hub.looks.told.append(self._on_written)
        hub.looks.also.append(self._forget_unasked)
        hub.moved.append(self._on_written)

    async def of_account(self, account_id: int) -> Mapping[int, LivePosition]:
        """Give where an account's drivers are now, by driver; who did not change is the same object as before.

        So is all of it where nobody did. Who is shown otherwise by time alone is another object, too.

        Raises:
            asyncpg.PostgresError: the database is away, or another of `sql.pool.DATABASE_AWAY`.
        """
        if not self._hub.looks.is_fresh():
            await self._hub.looks.fresh()
        return await self.known_of_account(account_id)

    async def known_of_account(self, account_id: int) -> Mapping[int, LivePosition]:
        """Give the same as far as it was told; the next look tells what was not."""
        account = self._accounts.get(account_id)
        if account is None:
            account = self._accounts[account_id] = _Account()
            self._hub.kept_accounts.add(account_id)
        account.asked_s = self._clock.time()
        if account.is_stale:
            async with account.lock:
                await self._read(account_id, account)
        self._lapse(account)
        return account.known

    def lasts_s(self, account_id: int) -> float:
        """Tell how long what was given last stays true if nothing is written, seconds; or a little less."""
        account = self._accounts.get(account_id)
        return 0.0 if account is None else (account.lapses.next_at - self._hub.pool.clock.now()).total_seconds()

    def _lapse(self, account: _Account) -> None:
        now = self._hub.pool.clock.now()
        over = [account.known[driver_id] for driver_id in account.lapses.over(now) if driver_id in account.known]
        if over:
            account.known = {**account.known, **{one.driver_id: replace(one) for one in over}}
            account.lapses.note(over, now)

    async def _read(self, account_id: int, account: _Account) -> None:
        drivers, everybody = account.changed, account.all_changed
        if not drivers and not everybody:
            return  # somebody else has just read it
        account.changed, account.all_changed = set(), False
        try:
            if everybody:
                read = await live_of_account(self._hub.pool, account_id)
            else:
                read = await live_of_drivers(self._hub.pool, account_id, drivers)
        except BaseException:
            account.all_changed = True
            raise
        self._lapse(account)  # before moments are noted anew: those that are past would be lost
        kept = {} if everybody else {n: one for n, one in account.known.items() if n not in drivers}
        known = kept | {
            driver_id: same if (same := account.known.get(driver_id)) == one and same is not None else one
            for driver_id, one in read.items()
        }
        account.lapses.note(read.values(), self._hub.pool.clock.now())
        if known != account.known:
            account.known = known
        self._accounts.pop(account_id, None)
        if len(account.known) < self._accounts.maxsize:
            self._accounts[account_id] = account  # by its size now

    def _on_written(self, account_id: int, driver_id: int | None, route_id: int | None) -> None:
        if driver_id is not None:
            account = self._accounts.get(account_id)
            if account is not None:
                account.changed.add(driver_id)
        elif not account_id:
            for account in self._accounts.values():
                account.all_changed = True

    async def _forget_unasked(self, _seen: str) -> None:
        since_s = self._clock.time() - LINGERS_S
        for account_id in [one for one, account in self._accounts.items() if account.asked_s < since_s]:
            del self._accounts[account_id]
        self._hub.kept_accounts.intersection_update(self._accounts.keys())
