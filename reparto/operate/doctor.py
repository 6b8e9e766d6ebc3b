"""`reparto doctor`: what is wrong with an installation, and how to mend it."""

import argparse
import asyncio
import os
import resource
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from rich.markup import escape

from geo.step.library import library
from ingest.mqtt.packets import Admission, Kind, connack
from reparto.command import CannotRun, Subparsers, out
from reparto.operate.doctor_proofs import look_into_store, try_store
from reparto.operate.doctor_retention import look_ahead
from reparto.operate.finding import Finding, Severity, free_space, judge
from reparto.operate.status import duration, version_text
from reparto.postgres import PostgresError
from reparto.process.serve import bind
from reparto.settings.config import address_of
from reparto.settings.database import connected, database_at_hand, postgres_dir
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from sql.inbox.quarantine import count_quarantined
from sql.migrate import applied, migrations
from sql.operate import operator
from sql.operate.health import read_backlog
from sql.pings.held import unreadable_held
from sql.pings.partitions import partition_days
from sql.pool import Db

_OPEN_FILES = 4_096
_STUCK_S = 60.0
_CLOCK_S = 2.0
_OLDEST, _NEWEST = 15, 18  # the versions of PostgreSQL that the tests run on


def add_parser(subparsers: Subparsers) -> None:
    """Declare `doctor`."""
    words = "find what is wrong and say how to mend it"
    parser = subparsers.add_parser("doctor", help=words, description=f"{words.capitalize()}.")
    parser.add_argument("--proofs", action="store_true", help="also read every file of every proof (slow)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print every finding; the exit code is 1 when something is bad."""
    settings = Settings.read()
    bad = False
    for finding in chain(
        [Finding(Severity.GOOD, "the settings can be used")],
        _machine(settings),
        _store(settings),
        _database(settings, all_proofs=args.proofs),
    ):
        bad |= finding.level is Severity.BAD
        out.print(f"{finding.level.value}  {escape(finding.what)}")
        if finding.advice:
            out.print(f"      {escape(finding.advice)}", style="dim")
    return int(bad)


def _machine(settings: Settings) -> Iterator[Finding]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield judge(
        files >= _OPEN_FILES,
        f"{files} files and connections may be open at once in a process",
        "Thousands of phones need more: ulimit -n 65536 (LimitNOFILE= in systemd).",
    )
    yield judge(
        library() is not None,
        "the step of a fix is compiled" if library() else "the step of a fix is not compiled",
        "Trackers take two to three times as long for it. Install a C compiler (gcc, libc6-dev), then Reparto again.",
    )
    server = settings.server
    yield _listening(server.listen, "REPARTO_LISTEN", partial(_answers, path="/health/live", status=200))
    if server.osmand_listen:
        yield _listening(server.osmand_listen, "REPARTO_OSMAND_LISTEN", partial(_answers, path="/", status=401))
    if server.mqtt_listen:
        yield _listening(server.mqtt_listen, "REPARTO_MQTT_LISTEN", _speaks_mqtt)
    yield from _public_url(settings)
    if not (settings.database.database_url and settings.proofs.blob_url):
        yield from _data_dir(Path(settings.server.data_dir))


def _listening(listen: str, setting: str, is_ours: Callable[[str, int], bool]) -> Finding:
    """Tell whether an address can be listened on, or we do already."""
    try:
        bind(listen, setting).close()
    except CannotRun as why:
        if is_ours(*address_of(listen)):
            return Finding(Severity.GOOD, f"Reparto answers at {listen}")
        return Finding(Severity.BAD, f"{listen} cannot be listened on", str(why))
    return Finding(Severity.GOOD, f"{listen} is free to listen on")


def _answers(host: str, port: int, *, path: str, status: int) -> bool:
    try:
        with urlopen(f"http://{host}:{port}{path}", timeout=3) as response:
            return bool(response.status == status)
    except HTTPError as refused:
        return refused.code == status
    except (URLError, OSError, ValueError):
        return False


def _speaks_mqtt(host: str, port: int) -> bool:
    """Connect without a password, which our door refuses."""
    said = bytes((Kind.CONNECT << 4, 12)) + b"\0\4MQTT\4\2\0\x3c\0\0"
    try:
        with socket.create_connection((host, port), timeout=3) as phone:
            phone.sendall(said)
            return phone.recv(4) == connack(Admission.BAD_PASSWORD)
    except OSError:
        return False


def _public_url(settings: Settings) -> Iterator[Finding]:
    host, _ = address_of(settings.server.listen)
    if settings.api.public_url.startswith("https://"):
        yield Finding(Severity.GOOD, f"recipients reach {settings.api.public_url}")
    elif settings.api.public_url:
        advice = "Links carry a secret: put a proxy with a certificate in front and say https:// here."
        yield Finding(Severity.LOOK, f"recipients reach {settings.api.public_url}, without encryption", advice)
    elif host not in ("127.0.0.1", "localhost", "::1"):
        advice = "Set REPARTO_PUBLIC_URL to what recipients and phones reach, such as https://track.example.com."
        yield Finding(Severity.LOOK, "tracking links name the address listened on", advice)


def _data_dir(data_dir: Path) -> Iterator[Finding]:
    if not data_dir.exists():
        yield Finding(Severity.GOOD, f"{data_dir} does not exist yet; it is made when it is needed")
        return
    yield free_space(data_dir)
    key = data_dir / "admin.key"
    if key.exists():
        advice = f"chmod 600 {key}, and if others use this machine, make another key and revoke this one."
        yield judge(not key.stat().st_mode & 0o077, f"{key} is read by its owner only", advice, Severity.BAD)
    yield judge(
        os.access(data_dir, os.W_OK), f"{data_dir} can be written", "Run as the user that owns it.", Severity.BAD
    )


def _store(settings: Settings) -> Iterator[Finding]:
    yield from asyncio.run(try_store(settings))


def _database(settings: Settings, *, all_proofs: bool) -> Iterator[Finding]:
    if not settings.database.database_url and not (postgres_dir(settings) / "cluster").exists():
        yield Finding(Severity.GOOD, "there is no embedded Postgres yet; `reparto up` makes it")
        return
    try:
        with database_at_hand(settings, "doctor") as database:
            yield from asyncio.run(_ask(settings, database, all_proofs=all_proofs))
    except (CannotRun, PostgresError) as why:
        yield Finding(Severity.BAD, "the database cannot be used", str(why))


async def _ask(settings: Settings, database: DatabaseConfig, *, all_proofs: bool) -> list[Finding]:
    async with connected(database) as db:
        findings = [*await _server(db), *await _way_there(db)]
        have, want = await applied(db), len(migrations())
        if have < want:
            return [*findings, Finding(Severity.BAD, f"the schema is at migration {have} of {want}", "reparto migrate")]
        update = "This program is older than its database: update it."
        findings.append(judge(have == want, f"the schema is at migration {have}", update))
        return [
            *findings,
            *await _work(db),
            *await look_ahead(settings, db),
            *await look_into_store(settings, db, all_of_it=all_proofs),
        ]


async def _server(db: Db) -> list[Finding]:
    server = await operator.server(db)
    major, version = server.version // 10_000, version_text(server.version)
    tested = f"It is tested with PostgreSQL {_OLDEST} to {_NEWEST}."
    used = server.connections / server.max_connections
    ahead_s = (datetime.now(UTC) - server.clock).total_seconds()
    return [
        judge(major >= _OLDEST, f"PostgreSQL {version}", f"Too old. {tested}", Severity.BAD)
        if major <= _NEWEST
        else Finding(Severity.LOOK, f"PostgreSQL {version}", tested),
        judge(
            server.fsync == server.full_page_writes == "on",
            f"fsync is {server.fsync}, full_page_writes {server.full_page_writes}",
            "A power cut would lose pings that phones have deleted: switch both on.",
            Severity.BAD,
        ),
        judge(
            not server.standby, "the server takes writes", "This is a standby: name the primary server.", Severity.BAD
        ),
        judge(
            used < 0.8,
            f"{server.connections} of {server.max_connections} connections are in use",
            "Raise max_connections, or lower REPARTO_POOL_CONNECTIONS.",
        ),
        judge(
            abs(ahead_s) < _CLOCK_S,
            f"the clocks of this machine and of the database agree within {max(abs(ahead_s), 0.1):.1f} s",
            "Silence, lateness and waiting times will be wrong: let both machines follow a time server (NTP).",
        ),
    ]


async def _way_there(db: Db) -> list[Finding]:
    backends = {await operator.backend(db) for _ in range(5)}
    advice = "Connections must not be shared between transactions (LISTEN, prepared statements): use session pooling."
    return [judge(len(backends) == 1, "the way to the server keeps its connection", advice, Severity.BAD)]


async def _work(db: Db) -> list[Finding]:
    now = db.clock.now()
    today = now.date()
    days = await partition_days(db)
    running = {one.name for one in await operator.processes(db)}
    backlog, events = await read_backlog(db), await operator.unnumbered_events(db)
    sealed, kept = await unreadable_held(db), await count_quarantined(db)
    oldest_s = (now - backlog.oldest).total_seconds() if backlog.oldest else 0.0
    return [
        judge(
            {today, today + timedelta(days=1)} <= set(days),
            "the partitions of today and tomorrow are there",
            "Run `reparto migrate`, and keep a `reparto work` (or `reparto up`) running, which makes them.",
            Severity.BAD,
        ),
        judge(
            oldest_s < _STUCK_S,
            f"{backlog.pings:,} pings wait" + (f", the oldest for {duration(oldest_s)}" if backlog.oldest else ""),
            "Trackers cannot follow: start more `reparto track`, and read their logs."
            if "reparto track" in running
            else "No tracker runs: start `reparto track`.",
            Severity.BAD,
        ),
        judge(
            events.oldest_s < _STUCK_S,
            f"{events.events:,} events wait for their number"
            + (f", the oldest for {duration(events.oldest_s)}" if events.events else ""),
            "Start a `reparto work`, or read its log.",
            Severity.BAD,
        ),
        judge(
            not kept.set_aside,
            f"{kept.entries:,} entries in quarantine, {kept.set_aside:,} of them acknowledged pings",
            "A tracker set them aside: read its log, then `GET /v1/quarantine` and `POST /v1/quarantine/{id}/apply`.",
        ),
        judge(
            not sealed,
            f"{sealed:,} blocks of held pings cannot be opened",
            "Run one release everywhere. They are tried again when their driver's shifts change, and deleted when "
            "their time is over; `GET /v1/quarantine` says whose they are.",
        ),
    ]
