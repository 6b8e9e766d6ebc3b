"""What an application holds for all of its rooms."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from aiohttp import web
from aiohttp.http import RawRequestMessage

from api.http.config import ApiConfig
from sql.pool import Pool
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer
from work.proofs.store import ProofStore
from work.roads.protocol import Roads

POOL: web.AppKey[Pool] = web.AppKey("pool")
CONFIG: web.AppKey[ApiConfig] = web.AppKey("api_config")
PROOFS: web.AppKey[ProofStore] = web.AppKey("proofs")
ROADS: web.AppKey[Roads] = web.AppKey("roads", Roads)
SEALER: web.AppKey[Sealer] = web.AppKey("sealer")
GUARD: web.AppKey[Guard] = web.AppKey("guard")
"""Seals what providers and endpoints trust us with; says which addresses may be reached."""


def now_of(request: web.Request) -> datetime:
    """Tell the time by the database's clock, which all processes share: the machine's own may be a week off."""
    now: datetime = request.app[POOL].clock.now()
    return now


class TakesAtOnce(Protocol):
    """Answers some requests in front of the application, which answers all others."""

    def may_take(self, message: RawRequestMessage) -> bool:
        """Tell whether a request is of those that may be plain: `take` is asked when it is here to its end."""
        ...

    def take(self, message: RawRequestMessage, body: bytes, answered: Callable[[bytes], None]) -> bool:
        """Take a request, and call `answered` with the bytes of the answer, later and once.

        Returns:
            False when it is the application's after all: then nothing has come of it.
        """
        ...


AT_ONCE: web.AppKey[TakesAtOnce] = web.AppKey("at_once")
