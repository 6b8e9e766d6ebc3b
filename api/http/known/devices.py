"""Phones by their secrets, believed as long as somebody vouches that every revocation is heard."""

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextvars import Context
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from aiohttp import web
from cachetools import TTLCache

from sql.account import devices
from sql.account.devices import DeviceRow
from sql.pool import DATABASE_AWAY, Pool

log = logging.getLogger(__name__)

DEVICES: web.AppKey["DeviceCache"] = web.AppKey("devices")

BELIEVED_S = 2.0
"""How long a device's credential is believed without asking again: so long, at most, does a revoked phone send on where
no notification comes."""

BELIEVED_LONGEST_S = 300.0
"""How long it is while every revocation is heard: so long does one that nobody told, written into the table by hand."""

KNOWN_DEVICES = 200_000
"""So many are remembered, about 110 MB of them; of more, the answers that are oldest are forgotten."""

REMEMBERED_S = 900.0
"""A phone is asked for again with others, at 4 µs, as long as it was heard of within so long: looking it up when it
comes costs 300, or 12 with 50 others."""

LOOKED_AT = 250
"""Phones that are asked for again in one query beside the requests: a millisecond or two of the database."""

LOOKED_UP = 1_000
"""Phones of waiting requests that are asked for in one query."""

_Secret: TypeAlias = tuple[bool, bytes]
"""Whether it opens the driver's API too, and its hash."""


@dataclass(slots=True)
class _Answer:
    """What the database said of a secret, when it was asked, and when the phone was last heard of."""

    row: DeviceRow
    asked_s: float
    heard_s: float


class DeviceCache:
    """Devices by the hash of a secret, so that a ping costs no query.

    An answer is believed for `ttl_s`, and while somebody vouches that every revocation is heard (`heard`) for
    `BELIEVED_LONGEST_S`; before that is over its device is asked for again with others, a slice at a time, beside the
    requests. A revoked device is forgotten at once in the process that revokes it, and in the others when the
    database's notification comes (`forget`). A phone that is not known is looked up together with all that wait.

    Attributes:
        clock_s: what its times are by.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        ttl_s: float = BELIEVED_S,
        size: int = KNOWN_DEVICES,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._ttl_s, self._size, self.clock_s = ttl_s, size, clock_s
        self._heard_since_s, self._heard_until_s = math.inf, -math.inf
        self._known: OrderedDict[_Secret, _Answer] = OrderedDict()  # the answer that is oldest first
        self._secrets: dict[int, tuple[_Secret, ...]] = {}  # of each device that is known: at most two
        self._look_at_s = -math.inf
        self._looking: asyncio.Task[None] | None = None
        self._waiting: dict[_Secret, asyncio.Future[DeviceRow | None]] = {}
        self._asking: asyncio.Task[None] | None = None
        # Answers from before may be on their way; nobody believes them for longer.
        self._forgotten_s: TTLCache[int, float] = TTLCache(size, ttl_s, timer=clock_s)

    async def find(self, secret_hash: bytes, *, can_read: bool) -> DeviceRow | None:
        """Find the device of a `token`, or of an `ingest_token` (not `can_read`); None: none works by it."""
        device = self.believed(secret_hash, can_read=can_read)
        return await self._look_up((can_read, secret_hash)) if device is None else device

    def believed(self, secret_hash: bytes, *, can_read: bool) -> DeviceRow | None:
        """Give a device as `find` does, if it is known without asking, and see to those whose time is nearly over."""
        known, now_s = self._known.get((can_read, secret_hash)), self.clock_s()
        if now_s >= self._look_at_s and self._known:
            self._look_if_due(now_s)
        if known is None or now_s >= self._until_s(known):
            return None
        known.heard_s = now_s
        return known.row

    def heard(self, since_s: float, until_s: float) -> None:
        """Take note that every revocation told between these times was heard, and its device forgotten."""
        if since_s != self._heard_since_s:
            self._look_at_s = -math.inf
        self._heard_since_s, self._heard_until_s = since_s, until_s

    def forget(self, device_id: int) -> None:
        """Ask the database again the next time this device comes; what it is being asked now counts as before."""
        self._forgotten_s[device_id] = self.clock_s()
        for secret in self._secrets.get(device_id, ()):
            self._drop(secret)

    async def _look_up(self, secret: _Secret) -> DeviceRow | None:
        """Have it asked for in the next query. What was asked before may be older than its revocation."""
        waiting = self._waiting.get(secret)
        if waiting is None:
            waiting = self._waiting[secret] = asyncio.get_running_loop().create_future()
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_for_waiting(), context=Context())
        return await asyncio.shield(waiting)  # others may wait for the same

    async def _ask_for_waiting(self) -> None:
        while self._waiting:
            asked = dict(islice(self._waiting.items(), LOOKED_UP))
            for secret in asked:
                del self._waiting[secret]
            try:
                found = await self._ask(asked)
            except Exception as error:
                # others would wait for the same again, and every phone has an answer in time
                for answer in (*asked.values(), *self._waiting.values()):
                    answer.set_exception(error)
                    answer.exception()  # whoever asked may have gone
                self._waiting.clear()
                return
            for secret, answer in asked.items():
                answer.set_result(found.get(secret))

    async def _ask(self, secrets: Iterable[_Secret]) -> dict[_Secret, DeviceRow]:
        """Ask the database, and remember what it says."""
        asked_s, found = self.clock_s(), dict[_Secret, DeviceRow]()
        for can_read, find in ((True, devices.find_by_tokens), (False, devices.find_by_ingest_tokens)):
            hashes = [secret_hash for opens, secret_hash in secrets if opens is can_read]
            if hashes:
                rows = await find(self._pool, hashes)
                found |= {(can_read, secret_hash): row for secret_hash, row in rows.items()}
        if self.clock_s() < asked_s + self._ttl_s:  # else it may rest on a time that nobody remembers to be over
            for secret, row in found.items():
                self._note(secret, row, asked_s)
        return found

    def _note(self, secret: _Secret, row: DeviceRow, asked_s: float) -> None:
        if asked_s <= self._forgotten_s.get(row.id, -math.inf):
            return
        self._drop(secret)
        self._known[secret] = _Answer(row, asked_s, asked_s)
        self._secrets[row.id] = (*self._secrets.get(row.id, ()), secret)
        if len(self._known) > self._size:
            self._drop(next(iter(self._known)))

    def _drop(self, secret: _Secret) -> None:
        known = self._known.pop(secret, None)
        if known is None:
            return
        left = tuple(other for other in self._secrets.pop(known.row.id) if other != secret)
        if left:
            self._secrets[known.row.id] = left

    def _until_s(self, known: _Answer) -> float:
        """Tell how long an answer is believed."""
        if known.asked_s < self._heard_since_s:
            return known.asked_s + self._ttl_s
        return max(known.asked_s, min(self._heard_until_s, known.asked_s + BELIEVED_LONGEST_S)) + self._ttl_s

    def _due_s(self, known: _Answer) -> float:
        """Tell from when on it is asked for again: when half of that time is over."""
        if known.asked_s < self._heard_since_s:
            return known.asked_s + self._ttl_s / 2
        return max(known.asked_s, min(self._heard_until_s, known.asked_s + BELIEVED_LONGEST_S / 2)) + self._ttl_s / 2

    def _look_if_due(self, now_s: float) -> None:
        oldest = next(iter(self._known.values()))
        due_s = self._due_s(oldest)
        if now_s < due_s or (self._looking is not None and not self._looking.done()):
            self._look_at_s = max(due_s, now_s)
            return
        # evenly, so that all have had their turn when half of the time that is left is over
        self._look_at_s = now_s + (self._until_s(oldest) - due_s) / 2 * min(1.0, LOOKED_AT / len(self._known))
        # for nobody in particular: whoever happens to come pays no turn for it
        self._looking = asyncio.create_task(self._look_again(now_s), context=Context())

    async def _look_again(self, now_s: float) -> None:
        """Renew the oldest answers, those that ran out too, and forget those about phones that were not heard of."""
        wanted = dict[_Secret, _Answer]()
        for secret, known in list(islice(self._known.items(), LOOKED_AT)):
            if now_s < self._due_s(known):
                break
            if self._is_in_use(known, now_s):
                wanted[secret] = known
            else:
                self._drop(secret)
        if not wanted:
            return
        asked_s = self.clock_s()
        try:
            gone = await devices.not_as_known(self._pool, [(*secret, known.row.id) for secret, known in wanted.items()])
        except DATABASE_AWAY as error:
            log.debug("devices are not asked for again: %s", type(error).__name__)
            self._look_at_s = self.clock_s() + self._ttl_s / 2
            return
        for secret, known in wanted.items():
            if self._known.get(secret) is not known:
                continue  # it was forgotten meanwhile, or asked for by itself
            if secret in gone:
                self._drop(secret)
            else:
                known.asked_s = asked_s
                self._known.move_to_end(secret)

    def _is_in_use(self, known: _Answer, now_s: float) -> bool:
        is_vouched_for = now_s < self._heard_until_s + self._ttl_s
        return known.heard_s > known.asked_s or (is_vouched_for and now_s < known.heard_s + REMEMBERED_S)
