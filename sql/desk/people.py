"""People who sign in, and of which accounts they are members."""

from dataclasses import dataclass, field
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an e-mail address.

    Attributes:
        password_hash: None until they have set one.
        has_totp: a code of their phone is asked for too.
    """

    id: int
    email: str
    name: str
    password_hash: str | None = field(repr=False)
    has_totp: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What somebody is in an account."""

    account_id: int
    name: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person as an account sees them.

    Attributes:
        driver_id: whom they drive as; None: they are no driver.
        last_used_at: of their sessions there; None: there is none.
    """

    id: int
    email: str
    name: str
    role: str
    driver_id: int | None
    created_at: datetime
    has_password: bool
    has_totp: bool
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyMember:
    """A member of some account, as whoever runs the machine sees them."""

    email: str
    name: str
    account: str
    role: str
    has_password: bool


async def find_person(db: Db | Pool, email: str) -> Person | None:
    """Find a person by their address in small letters."""
    row = await db.fetchrow(_SQL["find_person"], email)
    return None if row is None else Person(**row)


async def person_by_id(db: Db | Pool, person_id: int) -> Person:
    """Read a person who is known to exist."""
    row = await db.fetchrow(_SQL["person_by_id"], person_id)
    assert row is not None
    return Person(**row)


async def ensure_person(db: Db | Pool, email: str, name: str = "") -> Person:
    """Find the person of an address, or make them without a password."""
    row = await db.fetchrow(_SQL["ensure_person"], email, name)
    assert row is not None
    return Person(**row)


async def set_password(db: Db | Pool, person_id: int, password_hash: str) -> None:
    """Replace a password."""
    await db.execute(_SQL["set_password"], person_id, password_hash)


async def set_name(db: Db | Pool, person_id: int, name: str) -> None:
    """Call a person otherwise."""
    await db.execute(_SQL["set_name"], person_id, name)


async def accounts_of(db: Db | Pool, person_id: int) -> list[Membership]:
    """Tell which accounts somebody may sign in at themselves, the oldest membership first.

    Where only the account's provider said who they are, only it lets them in: nobody who learns a password of theirs
    comes in there, and no link of theirs is mailed by that account.
    """
    return [Membership(**row) for row in await db.fetch(_SQL["accounts_of"], person_id)]


async def list_members(db: Db | Pool, account_id: int, *, after: int, limit: int) -> list[Member]:
    """List the members of an account, in the order of ids."""
    return [Member(**row) for row in await db.fetch(_SQL["list_members"], account_id, after, limit)]


async def hold_members(db: Db, account_id: int) -> None:
    """Keep others from changing who owns an account until the transaction ends."""
    await db.execute(_SQL["hold_members"], account_id)


async def role_of(db: Db | Pool, account_id: int, person_id: int) -> str | None:
    """Tell what somebody is in an account; None: no member."""
    role: str | None = await db.fetchval(_SQL["role_of"], account_id, person_id)
    return role


async def other_owners(db: Db, account_id: int, person_id: int) -> int:
    """Count who owns an account beside somebody."""
    return int(await db.fetchval(_SQL["other_owners"], account_id, person_id))


async def add_member(
    db: Db | Pool,
    account_id: int,
    person_id: int,
    role: str,
    *,
    by_provider: bool = False,
    driver_id: int | None = None,
) -> bool:
    """Make somebody a member; False: they are one already, and keep their role.

    Args:
        by_provider: nobody but the account's provider said that it is them.
        driver_id: whom they drive as, one who works, if `role` is driver; else None.
    """
    return await db.fetchval(_SQL["add_member"], account_id, person_id, role, by_provider, driver_id) is not None


async def membership_of(db: Db | Pool, account_id: int, person_id: int) -> Membership | None:
    """Tell what somebody is in an account, however they came in; None: no member."""
    row = await db.fetchrow(_SQL["membership_of"], account_id, person_id)
    return None if row is None else Membership(**row)


async def is_settled(db: Db | Pool, email: str) -> bool:
    """Tell whether there is somebody of this address who signs in, or may, by something of their own."""
    return bool(await db.fetchval(_SQL["is_settled"], email))


async def set_role(db: Db, account_id: int, person_id: int, role: str, *, driver_id: int | None = None) -> None:
    """Give a member another role, and whom they drive as; it counts at once."""
    await db.execute(_SQL["set_role"], account_id, person_id, role, driver_id)


async def drop_drivers(db: Db, account_id: int, driver_id: int) -> list[int]:
    """Take whoever signs in as a driver out of the account, and end invitations of such; give whom it took out."""
    await db.execute(_SQL["end_invitations_of_driver"], driver_id)
    out = [row["person_id"] for row in await db.fetch(_SQL["who_drives_as"], driver_id)]
    for person_id in out:
        await drop_member(db, account_id, person_id)
    return out


async def drop_member(db: Db, account_id: int, person_id: int) -> None:
    """Take somebody out of an account and sign them out there; who is a member nowhere any more is forgotten."""
    await db.execute(_SQL["drop_member"], account_id, person_id)
    await db.execute(_SQL["drop_person"], person_id)


async def all_members(db: Db) -> list[AnyMember]:
    """List the members of every account."""
    return [AnyMember(**row) for row in await db.fetch(_SQL["all_members"])]
