"""`reparto status`: what runs, how far behind it is."""

import argparse
import asyncio
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from reparto.command import CannotRun, Subparsers, out
from reparto.operate.doctor_retention import guard_in, in_words
from reparto.postgres import dsn_of
from reparto.settings.database import check_schema, connected, given_database, is_embedded_running, named, postgres_dir
from reparto.settings.settings import Settings
from reparto.version import __version__
from sql.config import DatabaseConfig
from sql.inbox.quarantine import count_quarantined
from sql.operate import operator
from sql.operate.health import read_backlog
from sql.pings.partitions import partition_days
from work.retention.guard import RetentionGuard


def add_parser(subparsers: Subparsers) -> None:
    """Declare `status`."""
    words = "show what runs and how far behind it is"
    subparsers.add_parser("status", help=words, description=f"{words.capitalize()}.").set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print it."""
    settings = Settings.read()
    if settings.database.database_url:
        database = given_database(settings, "status")
    elif is_embedded_running(settings):
        database = named(settings.database, dsn_of(postgres_dir(settings)), "status")
    else:
        raise CannotRun(f"Nothing runs on {settings.server.data_dir}: start `reparto up`, or set REPARTO_DATABASE_URL.")
    asyncio.run(_print(database, guard_in(settings)))
    return 0


async def _print(database: DatabaseConfig, guard: RetentionGuard) -> None:
    await check_schema(database)
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    async with connected(database) as db:
        server, backlog = await operator.server(db), await read_backlog(db)
        events, last_ping = await operator.unnumbered_events(db), await operator.last_ping(db)
        running, days = await operator.processes(db), await partition_days(db)
        kept = await count_quarantined(db)
        forecasts = await guard.forecast(db)
        now = db.clock.now()
    used = f"{server.connections} of {server.max_connections} connections"
    table.add_row("version", f"Reparto {__version__} on PostgreSQL {version_text(server.version)}")
    table.add_row("database", f"{server.size_bytes / 1e6:,.0f} MB, {used}")
    for one in running:
        table.add_row(one.name, f"{one.connections} connections, since {since(one.since, now)}")
    if not running:
        table.add_row("processes", "none is connected")
    table.add_row("last ping", "none yet" if last_ping is None else f"{since(last_ping, now)} ago")
    oldest = f", the oldest for {since(backlog.oldest, now)}" if backlog.oldest else ""
    table.add_row("inbox", f"{backlog.pings:,} pings wait{oldest}")
    behind = f", by up to {duration(backlog.unfolded_s)} of driving" if backlog.unsettled_tracks else ""
    table.add_row("tracks", f"{backlog.unsettled_tracks:,} drivers are behind{behind}")
    oldest = f", the oldest for {duration(events.oldest_s)}" if events.events else ""
    table.add_row("events", f"{events.events:,} wait for their number{oldest}")
    aside = f", {kept.set_aside:,} of them acknowledged pings that a tracker set aside" if kept.set_aside else ""
    table.add_row("quarantine", f"{kept.entries:,} entries{aside}")
    table.add_row("partitions", f"{days[0]} to {days[-1]} ({len(days)})" if days else "none: pings cannot be stored")
    goes = [in_words(one) for one in forecasts if one.things and one.why_held is None]
    table.add_row("goes within a day", "\n".join(goes) or "nothing is too old")
    for held in forecasts:
        if held.why_held is not None:
            table.add_row("held", escape(f"{in_words(held)}: {held.why_held}; see `reparto retention`"))
    out.print(table)


def since(then: datetime, now: datetime) -> str:
    """Write how long ago it was."""
    return duration((now - then).total_seconds())


def duration(seconds: float) -> str:
    """Write a duration as people say it: 0.4 s, 12 s, 3 min, 5 h, 2 days."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    for size_s, unit, until in ((1, "s", 100), (60, "min", 100), (3600, "h", 48)):
        if seconds / size_s < until:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def version_text(number: int) -> str:
    """Write `server_version_num`: 150004 is 15.4."""
    return f"{number // 10_000}.{number % 10_000}"
