"""`reparto work`: the role that does what nobody waits for."""

import asyncio

from reparto.command import Subparsers
from reparto.run.jobs import jobs_of
from reparto.run.role import add_loop, healthy
from reparto.settings.proof_store import proofs_of
from reparto.settings.road_engine import roads_of
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from work.job import run_work

_WORDS = "number events, send messages and webhooks, match detours, finish uploads, drop what is too old"


def add_parser(subparsers: Subparsers) -> None:
    """Declare `work`."""
    add_loop(subparsers, "work", _WORDS, _work)


async def _work(settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    async with healthy(settings, database), roads_of(settings) as roads, proofs_of(settings) as store:
        await run_work(database, stop=stop, jobs=jobs_of(settings, roads, store))
