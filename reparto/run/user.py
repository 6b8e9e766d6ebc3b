"""`reparto user`: people who sign in, from the command line, for whoever runs the machine."""

import argparse
import asyncio

from rich.markup import escape
from rich.table import Table

from api.desk.addresses import address_in
from api.desk.users import noted_role
from api.http.ids import DRIVER, USER, shown
from api.http.refs import ref_of
from reparto.command import CannotRun, Subparsers, err, out
from reparto.run.key import DEFAULT_ACCOUNT
from reparto.settings.database import check_schema, connected, database_at_hand
from reparto.settings.outgoing import public_url_of
from reparto.settings.settings import Settings
from sql.account.accounts import NEW_ACCOUNT, ensure_account, read_instance
from sql.account.drivers import find_driver
from sql.config import DatabaseConfig
from sql.desk import links, people
from sql.desk.audit import AuditDeed, write_entry
from sql.desk.factors import drop_totp
from sql.pool import Db
from work.links import desk_token

ROLES = ("owner", "admin", "dispatcher", "support", "viewer", "driver")


def add_parser(subparsers: Subparsers) -> None:
    """Declare `user create`, `user reset` and `user list`."""
    parser = subparsers.add_parser("user", help="let people in who sign in", description="People who sign in.")
    actions = parser.add_subparsers(metavar="action", required=True)

    create = actions.add_parser("create", help="make a user, and print the link by which they set their password, once")
    create.add_argument("--email", metavar="ADDRESS", required=True)
    create.add_argument("--role", choices=ROLES, required=True)
    create.add_argument(
        "--account", metavar="NAME", default=DEFAULT_ACCOUNT, help="made if missing; default: %(default)s"
    )
    create.add_argument("--name", metavar="TEXT", default="", help="how they are called")
    create.add_argument(
        "--driver", metavar="DRIVER", help="of the role driver: whom they drive as, dr_7 or external id"
    )
    create.set_defaults(run=run, action=_create)

    reset = actions.add_parser("reset", help="print a link by which a user sets another password, once")
    reset.add_argument("--email", metavar="ADDRESS", required=True)
    reset.add_argument(
        "--codes",
        action="store_true",
        help="ask them for no code of a phone any more: they lost it, and recovery codes",
    )
    reset.set_defaults(run=run, action=_reset)

    actions.add_parser("list", help="list who may sign in, at every account").set_defaults(run=run, action=_list)


def run(args: argparse.Namespace) -> int:
    """Do what is asked on the database at hand."""
    settings = Settings.read()
    with database_at_hand(settings, "user") as database:
        asyncio.run(_on(database, args, public_url_of(settings)))
    return 0


async def _on(database: DatabaseConfig, args: argparse.Namespace, public_url: str) -> None:
    await check_schema(database)
    async with connected(database) as connection:
        await args.action(connection, args, public_url)


async def _create(db: Db, args: argparse.Namespace, public_url: str) -> None:
    email = _email_of(args)
    async with db.transaction():
        account_id = await ensure_account(db, args.account, NEW_ACCOUNT)
        driver_id = await _driver_of(db, args, account_id)
        person = await people.ensure_person(db, email, args.name)
        is_new = await people.add_member(db, account_id, person.id, args.role, driver_id=driver_id)
        if is_new:
            made = {"id": shown(USER, person.id)}
            after = {"email": email} | noted_role(args.role, driver_id)
            await write_entry(
                db, AuditDeed(account_id=account_id, operation="reparto user create", thing=made, after=after)
            )
        if person.password_hash is None:
            await _print_link(db, account_id, email, public_url)
    if not is_new:
        err.print(f"{email} is a user of the account {args.account} already, and stays what they are.", markup=False)
    elif person.password_hash is not None:
        err.print(f"{email} is {args.role} of the account {args.account}, by the password they have.", markup=False)
    else:
        err.print(f"{email} is {args.role} of the account {args.account}. The link is shown only now.", markup=False)


async def _driver_of(db: Db, args: argparse.Namespace, account_id: int) -> int | None:
    """Find whom somebody of the role driver drives as; None: of another role."""
    if (args.role == "driver") != bool(args.driver):
        raise CannotRun("--driver says whom they drive as: of the role driver, and of no other.")
    if not args.driver:
        return None
    ref = ref_of(DRIVER, args.driver)
    row = ref and await find_driver(db, account_id=account_id, driver_id=ref.id, external_id=ref.external_id)
    if not row:
        raise CannotRun(f"The account {args.account} has no driver {args.driver}.")
    return row.id


async def _reset(db: Db, args: argparse.Namespace, public_url: str) -> None:
    email = _email_of(args)
    async with db.transaction():
        person = await people.find_person(db, email)
        accounts = await people.accounts_of(db, person.id) if person else []
        if not accounts:
            raise CannotRun(f"There is no user {email}; `reparto user list` shows those there are.")
        assert person is not None
        after = {"totp": False} if args.codes else None
        if args.codes:
            await drop_totp(db, person.id)
        for account in accounts:
            whose = {"user": shown(USER, person.id)}
            deed = AuditDeed(account_id=account.account_id, operation="reparto user reset", thing=whose, after=after)
            await write_entry(db, deed)
        await _print_link(db, accounts[0].account_id, email, public_url)
    err.print(f"{email} keeps the password until the link is used. It is shown only now.", markup=False)


async def _print_link(db: Db, account_id: int, email: str, public_url: str) -> None:
    link = await links.make_link(
        db,
        account_id=account_id,
        kind="password",
        email=email,
        makes=None,
        hours=links.FIRST_HOURS,
        is_mailed=False,
    )
    token = desk_token((await read_instance(db)).secret, link.id)
    out.print(f"{public_url}/desk/link/{token}", markup=False, soft_wrap=True)


async def _list(db: Db, _args: argparse.Namespace, _public_url: str) -> None:
    table = Table("email", "name", "account", "role", "password")
    for one in await people.all_members(db):
        table.add_row(*map(escape, (one.email, one.name, one.account, one.role, "yes" if one.has_password else "")))
    out.print(table)


def _email_of(args: argparse.Namespace) -> str:
    email = address_in(args.email)
    if email is None:
        raise CannotRun(f"{args.email} is no e-mail address.")
    return email
