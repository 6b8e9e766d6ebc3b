"""`reparto bounce`: mail that came back, from a mail server's pipe or from a mailbox (Maildir)."""

import argparse
import asyncio
import mailbox
import sys
from collections.abc import Iterator
from pathlib import Path

from reparto.command import CannotRun, Subparsers, err
from reparto.settings.database import check_schema, database_at_hand, in_words
from reparto.settings.settings import Settings
from sql.account.accounts import read_instance
from sql.config import DatabaseConfig
from sql.pool import create_pool
from work.messages.answers.bounces import take_bounce

MOST_BYTES = 1_000_000
"""Of one mail; what is longer is cut: the status of a delivery is at its beginning."""

_TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and calls again


def add_parser(subparsers: Subparsers) -> None:
    """Declare `reparto bounce`."""
    words = "take mail that came back, from standard input or a mailbox"
    parser = subparsers.add_parser("bounce", help=words, description=f"bounce: {words}. {__doc__}")
    parser.add_argument(
        "--maildir", type=Path, help="take what is new in this Maildir and mark it as seen, not standard input"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Take one mail, or those of the mailbox; 75 when it must be tried again."""
    box = None if args.maildir is None else _open(args.maildir)
    mails = iter([(None, sys.stdin.buffer.read(MOST_BYTES))]) if box is None else _new_in(box)
    try:
        with database_at_hand(Settings.read(), "bounce") as database:
            ours, count = asyncio.run(_take(database, mails, box))
    except CannotRun as error:
        err.print(f"reparto: {error}", markup=False)
        return _TRY_AGAIN
    err.print(f"{count} mails, of which {ours} came back from our recipients.", markup=False)
    return 0


def _open(path: Path) -> mailbox.Maildir:
    if not (path / "new").is_dir():
        raise CannotRun(f"{path} is no Maildir: it has no folder `new`.")
    return mailbox.Maildir(path, create=False)


def _new_in(box: mailbox.Maildir) -> Iterator[tuple[str | None, bytes]]:
    for key in sorted(box.keys()):
        if box.get_message(key).get_subdir() == "new":
            with box.get_file(key) as file:
                yield key, file.read(MOST_BYTES)


async def _take(
    database: DatabaseConfig, mails: Iterator[tuple[str | None, bytes]], box: mailbox.Maildir | None
) -> tuple[int, int]:
    """Take mails; return how many were of messages of ours, and how many there were."""
    await check_schema(database)
    ours = count = 0
    with in_words():
        async with await create_pool(database, connections=1) as pool:
            secret = (await read_instance(pool)).secret
            for key, raw in mails:
                ours += await take_bounce(pool, secret, raw)
                count += 1
                if box is not None and key is not None:
                    _mark_seen(box, key)
    return ours, count


def _mark_seen(box: mailbox.Maildir, key: str) -> None:
    """Move a mail from `new` to `cur`, as every reader of a Maildir does: it is not taken twice."""
    message = box.get_message(key)
    message.set_subdir("cur")
    message.add_flag("S")
    box[key] = message
