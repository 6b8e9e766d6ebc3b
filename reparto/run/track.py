"""`reparto track`: the role that folds pings."""

import asyncio

from ingest.track.tracker import run_tracker
from reparto.command import Subparsers
from reparto.run.role import add_loop, healthy
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig


def add_parser(subparsers: Subparsers) -> None:
    """Declare `track`."""
    add_loop(subparsers, "track", "fold pings from the inbox into tracks, visits, ETAs and events", _track)


async def _track(settings: Settings, database: DatabaseConfig, stop: asyncio.Event) -> None:
    async with healthy(settings, database):
        await run_tracker(settings.ingest, database, stop=stop)
