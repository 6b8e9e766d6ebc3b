"""Which devices were revoked, heard as it is told: so busy phones need not be asked for again every other second."""

import asyncio
import logging
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from api.http.known.devices import DeviceCache
from sql.account.devices import REVOKED_CHANNEL, tell_revoked
from sql.config import DatabaseConfig
from sql.operate.health import alive
from sql.pool import DATABASE_AWAY, connect

log = logging.getLogger(__name__)

_BEAT_S = 0.5
_PROVED_WITHIN_S = 5.0
_RECONNECT_S = 1.0

_NOBODY = 0
"""No device has this id."""


class Revocations:
    """Listens on a connection of its own and tells the cache up to when nothing was missed; `async with` it.

    A connection that is lost, hangs, or has a pooler before it that passes no notifications on makes no beat: then the
    cache believes devices as shortly as if nobody listened.
    """

    def __init__(self, database: DatabaseConfig, devices: DeviceCache) -> None:
        self._database, self._devices = database, devices
        self._proved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="revocations")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def proved(self) -> None:
        """Wait until revocations are heard."""
        await self._proved.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (*DATABASE_AWAY, TimeoutError) as error:
                log.info("revoked devices are not heard of: %s", type(error).__name__)
            except Exception:
                log.exception("revoked devices are not heard of")
            self._proved.clear()
            await asyncio.sleep(_RECONNECT_S)

    async def _listen(self) -> None:
        connection = await connect(self._database)
        try:
            await connection.add_listener(REVOKED_CHANNEL, self._on_revoked)
            since_s = self._devices.clock_s()
            await tell_revoked(connection, _NOBODY)
            async with asyncio.timeout(_PROVED_WITHIN_S):
                await self._proved.wait()
            while True:
                asked_s = self._devices.clock_s()
                await alive(connection)
                self._devices.heard(since_s, asked_s)
                await asyncio.sleep(_BEAT_S)
        finally:
            with suppress(*DATABASE_AWAY):
                await connection.close(timeout=2)

    def _on_revoked(self, _connection: Any, _process: int, _channel: str, payload: Any) -> None:
        if not payload.isdecimal():
            return  # anybody with the database can send one
        if int(payload) == _NOBODY:
            self._proved.set()
        self._devices.forget(int(payload))
