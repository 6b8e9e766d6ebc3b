"""Links that let somebody in for the first time, or with another password: each works once, and not for long."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

LinkKind: TypeAlias = Literal["invitation", "password", "owner"]

INVITED_HOURS, RESET_HOURS, FIRST_HOURS = 7 * 24, 1, 48
"""How long a link works: an invitation, a new password that was asked for, one that the machine printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskLink:
    """A link.

    Attributes:
        email: empty in that of the first owner.
        role: what an invitation makes somebody; else None.
        driver_id: whom it has them drive as; None: they are no driver.
    """

    id: int
    account_id: int
    kind: LinkKind
    email: str
    role: str | None
    driver_id: int | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitedAs:
    """What an invitation makes somebody; `driver_id`: whom they drive as, of the role driver, else None."""

    role: str
    driver_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMail:
    """A link that is to be mailed; `settings` are its account's, as they are stored; `mail_tries` counts this one."""

    id: int
    account_id: int
    account: str
    settings: dict[str, Any]
    kind: LinkKind
    email: str
    expires_at: datetime
    mail_tries: int


async def make_link(
    db: Db | Pool,
    *,
    account_id: int,
    kind: LinkKind,
    email: str,
    makes: InvitedAs | None,
    hours: int,
    is_mailed: bool,
) -> DeskLink:
    """Make a link; an earlier one of the same kind, account and address ends.

    Args:
        email: in small letters.
        makes: what an invitation makes somebody; None: it is none.
        is_mailed: `work` sends it; else whoever makes it shows it.
    """
    role, driver_id = (None, None) if makes is None else (makes.role, makes.driver_id)
    row = await db.fetchrow(_SQL["make_link"], account_id, kind, email, role, hours, is_mailed, driver_id)
    assert row is not None
    return DeskLink(**row)


async def owner_link(db: Db, account_id: int) -> DeskLink | None:
    """Give the link that makes the first owner, made unless there is one that works; None: somebody may sign in."""
    row = await db.fetchrow(_SQL["owner_link"], account_id, FIRST_HOURS)
    return None if row is None else DeskLink(**row)


async def open_link(db: Db | Pool, link_id: int) -> DeskLink | None:
    """Find a link that still works."""
    row = await db.fetchrow(_SQL["open_link"], link_id)
    return None if row is None else DeskLink(**row)


async def use_link(db: Db, link_id: int) -> DeskLink | None:
    """End a link by using it; None: somebody did before, or its time is over."""
    row = await db.fetchrow(_SQL["use_link"], link_id)
    return None if row is None else DeskLink(**row)


async def end_links(db: Db, email: str) -> None:
    """End whatever would set the password of an address."""
    await db.execute(_SQL["end_links"], email)


async def list_invitations(db: Db | Pool, account_id: int, *, after: int, limit: int) -> list[DeskLink]:
    """List the invitations of an account that nobody took yet, in the order of ids."""
    return [DeskLink(**row) for row in await db.fetch(_SQL["list_invitations"], account_id, after, limit)]


async def end_invitation(db: Db, account_id: int, link_id: int) -> tuple[str, str] | None:
    """Take an invitation back; give whom it invited, and as what; None when there is no open one."""
    row = await db.fetchrow(_SQL["end_invitation"], account_id, link_id)
    return None if row is None else (row["email"], row["role"])


async def lease_mails(db: Db | Pool, *, lease_s: float, at_most: int) -> list[LinkMail]:
    """Take links that are to be mailed; until the lease ends nobody else does."""
    return [LinkMail(**row) for row in await db.fetch(_SQL["lease_mails"], lease_s, at_most)]


async def mailed(db: Db | Pool, link_id: int) -> None:
    """Note that a link was mailed, or never can be."""
    await db.execute(_SQL["mailed"], link_id)


async def mail_again(db: Db | Pool, link_id: int, after_s: float) -> None:
    """Have a link mailed later, if it still works then."""
    await db.execute(_SQL["mail_again"], link_id, after_s)


async def drop_links(db: Db | Pool) -> None:
    """Forget links whose time has been over for a week."""
    await db.execute(_SQL["drop_links"])
