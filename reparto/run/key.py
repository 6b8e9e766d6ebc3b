"""`reparto key`: API keys from the command line, for whoever runs the machine."""

import argparse
import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from api.http.ids import KEY, number_of, shown
from reparto.command import CannotRun, Subparsers, err, out
from reparto.settings.database import check_schema, connected, database_at_hand
from reparto.settings.settings import Settings
from sql.account.accounts import NEW_ACCOUNT, ensure_account
from sql.account.keys import create_key
from sql.config import DatabaseConfig
from sql.desk.audit import AuditDeed, write_entry
from sql.operate.operator import all_keys, revoke_any_key
from sql.pool import Db

DEFAULT_ACCOUNT = "default"
ROLES = ("admin", "dispatcher", "viewer")
_MOST_DAYS = 3_650  # who means longer means until it is revoked


def add_parser(subparsers: Subparsers) -> None:
    """Declare `key create`, `key list` and `key revoke`."""
    parser = subparsers.add_parser("key", help="make, list and revoke API keys", description="API keys.")
    actions = parser.add_subparsers(metavar="action", required=True)

    create = actions.add_parser("create", help="make a key and print it, once")
    create.add_argument("--role", choices=ROLES, required=True)
    create.add_argument(
        "--account", metavar="NAME", default=DEFAULT_ACCOUNT, help="made if missing; default: %(default)s"
    )
    create.add_argument("--label", metavar="TEXT", help="what or who it is for")
    create.add_argument("--days", metavar="N", type=_days, help="it works for so many days; else until it is revoked")
    create.set_defaults(run=run, action=_create)

    actions.add_parser("list", help="list the keys that work, of every account").set_defaults(run=run, action=_list)

    revoke = actions.add_parser("revoke", help="end a key at once")
    revoke.add_argument("key", metavar="KEY", help="its id as `reparto key list` shows it: ky_7")
    revoke.set_defaults(run=run, action=_revoke)


def run(args: argparse.Namespace) -> int:
    """Do what is asked on the database at hand."""
    with database_at_hand(Settings.read(), "key") as database:
        asyncio.run(_on(database, args))
    return 0


async def _on(database: DatabaseConfig, args: argparse.Namespace) -> None:
    await check_schema(database)
    async with connected(database) as connection:
        await args.action(connection, args)


async def _create(db: Db, args: argparse.Namespace) -> None:
    secret = new_secret(KEY_PREFIX)
    async with db.transaction():
        account_id = await ensure_account(db, args.account, NEW_ACCOUNT)
        key_id, _ = await create_key(
            db,
            account_id=account_id,
            role=args.role,
            label=args.label,
            secret_hash=hash_of(secret),
            expires_at=None if args.days is None else db.clock.now() + timedelta(days=args.days),
        )
        made, after = {"id": shown(KEY, key_id)}, {"role": args.role, "label": args.label, "days": args.days}
        await write_entry(db, AuditDeed(account_id=account_id, operation="reparto key create", thing=made, after=after))
    out.print(secret, markup=False)
    err.print(f"Key {shown(KEY, key_id)} ({args.role} of account {args.account}). It is shown only now.", markup=False)


async def _list(db: Db, args: argparse.Namespace) -> None:
    table = Table("id", "account", "role", "label", "made", "until", "last used")
    for key in await all_keys(db):
        times = [_time(at) for at in (key.created_at, key.expires_at, key.last_used_at)]
        table.add_row(shown(KEY, key.id), escape(key.account), key.role, escape(key.label or ""), *times)
    out.print(table)


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {_MOST_DAYS}")
    return days


async def _revoke(db: Db, args: argparse.Namespace) -> None:
    key_id = number_of(KEY, args.key)
    async with db.transaction():
        account_id = None if key_id is None else await revoke_any_key(db, key_id)
        if account_id is None:
            raise CannotRun(f"No key {args.key} works; `reparto key list` shows those that do.")
        whose = {"key": args.key}
        await write_entry(db, AuditDeed(account_id=account_id, operation="reparto key revoke", thing=whose))
    err.print(f"Key {args.key} is revoked.", markup=False)


def write_secret(file: Path, secret: str) -> None:
    """Write a file that only its owner reads; it appears whole or not at all."""
    making = file.with_name(f".{file.name}.{os.getpid()}")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(secret + "\n")
        opened.flush()
        os.fsync(opened.fileno())
    making.replace(file)
