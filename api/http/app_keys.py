"""What an application holds for all of its rooms."""

from datetime import datetime

from aiohttp import web

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

WELCOME: web.AppKey[tuple[str, ...]] = web.AppKey("welcome")
"""Phone apps that have a door, in whatever process: those that may be let in."""


def now_of(request: web.Request) -> datetime:
    """Tell the time by the database's clock, which all processes share: the machine's own may be a week off."""
    now: datetime = request.app[POOL].clock.now()
    return now
