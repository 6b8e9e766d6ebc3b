"""What an application holds for all of its rooms."""

from aiohttp import web

from api.http.config import ApiConfig
from sql.pool import Pool
from work.proofs.store import ProofStore
from work.roads.protocol import Roads

POOL: web.AppKey[Pool] = web.AppKey("pool")
CONFIG: web.AppKey[ApiConfig] = web.AppKey("api_config")
PROOFS: web.AppKey[ProofStore] = web.AppKey("proofs")
ROADS: web.AppKey[Roads] = web.AppKey("roads", Roads)
WELCOME: web.AppKey[tuple[str, ...]] = web.AppKey("welcome")
"""Phone apps that have a door, in whatever process: those that may be let in."""
