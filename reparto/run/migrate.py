"""`reparto migrate`: bring the database to today's schema."""

import argparse
import asyncio

from reparto.command import CannotRun, Subparsers, out
from reparto.settings.database import connected, database_at_hand, in_words
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.migrate import migrate, migrations
from work.upkeep.partitions import make_partitions


def add_parser(subparsers: Subparsers) -> None:
    """Declare `migrate`."""
    words = "bring the database to today's schema"
    parser = subparsers.add_parser("migrate", help=words, description=f"{words.capitalize()}. Safe to repeat.")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Apply what is missing and say what was applied."""
    settings = Settings.read()
    with database_at_hand(settings, "migrate") as database:
        done = asyncio.run(prepare(settings, database))
    for name in done:
        out.print(f"applied {name}", markup=False)
    out.print(f"The database is at migration {len(migrations())}.", markup=False)
    return 0


async def prepare(settings: Settings, database: DatabaseConfig) -> list[str]:
    """Migrate, and make the partitions that pings of today need; return the names of the migrations applied.

    Raises:
        CannotRun: the database cannot be reached, is in use, or is newer than this program.
    """
    with in_words():
        try:
            done = await migrate(database)
        except RuntimeError as error:
            raise CannotRun(f"{error}.") from error
    async with connected(database) as connection:
        await make_partitions(connection, settings.ingest.oldest_ping_days)
    return done
