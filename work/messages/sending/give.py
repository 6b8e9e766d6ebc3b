"""Noting, before a message is given to its provider, that it is: what was not is sent after a crash as if never tried.

Many are noted in one transaction: all that come while one is under way.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sql.messages.messages import begin_giving
from sql.pool import Pool
from work.messages.channels.protocol import NotGiven
from work.messages.deciding.leave import Leased

_Waiting: TypeAlias = tuple[Leased, asyncio.Future[None]]


@dataclass(slots=True)
class Notes:
    """What is to be noted."""

    _waiting: asyncio.Queue[_Waiting] = field(default_factory=asyncio.Queue)

    async def note(self, leased: Leased) -> None:
        """Note that a message may have left from now on.

        Raises:
            NotGiven: that cannot be noted, or somebody else has it leased by now.
        """
        noted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((leased, noted))
        await noted

    async def run(self, pool: Pool) -> None:
        """Note what comes, until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await _write(pool, batch)


async def _write(pool: Pool, batch: Sequence[_Waiting]) -> None:
    try:
        given = await begin_giving(pool, [(leased.row.id, leased.until) for leased, _ in batch])
        failed: Exception | None = None
    except Exception as error:
        given, failed = set(), error
    for leased, noted in batch:
        if noted.done():  # whoever asked is gone
            continue
        if leased.row.id in given:
            noted.set_result(None)
        else:
            why = NotGiven("somebody else has it" if failed is None else type(failed).__name__)
            why.__cause__ = failed
            noted.set_exception(why)
