"""`reparto retention`: what is deleted by age, what is held, and the yes that it waits for."""

import argparse
import asyncio

from rich.markup import escape
from rich.table import Table

from reparto.command import CannotRun, Subparsers, err, out
from reparto.operate.doctor_retention import guard_in, in_words
from reparto.settings.database import check_schema, connected, database_at_hand
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.desk.audit import write_for_all
from work.retention.guard import RetentionGuard


def add_parser(subparsers: Subparsers) -> None:
    """Declare `retention`."""
    words = "show what is deleted by age within a day, and let go what is held"
    parser = subparsers.add_parser("retention", help=words, description=f"{words.capitalize()}.")
    parser.add_argument("--confirm", action="store_true", help="what is shown as held may be deleted")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show it, or confirm it."""
    settings = Settings.read()
    with database_at_hand(settings, "retention") as database:
        asyncio.run(_on(database, guard_in(settings), confirm=args.confirm))
    return 0


async def _on(database: DatabaseConfig, guard: RetentionGuard, *, confirm: bool) -> None:
    await check_schema(database)
    async with connected(database) as db:
        if confirm:
            if await guard.now(db) is None:
                raise CannotRun("The clocks of this machine and of the database disagree: mend that first.")
            async with db.transaction():
                let_go = await guard.confirm(db)
                if let_go:
                    after = {"classes": [one.name for one in let_go]}
                    await write_for_all(db, "reparto retention --confirm", after)
            for one in let_go:
                err.print(f"{in_words(one)} may be deleted; `reparto work` does it within an hour.", markup=False)
            return
        table = Table("class", "older than", "goes within a day", "held, because")
        for one in await guard.forecast(db):
            things = f"{one.things:,}{'+' if one.is_more else ''}"
            table.add_row(one.name, f"{one.horizon:%Y-%m-%d %H:%M} UTC", things, escape(one.why_held or ""))
    out.print(table)
