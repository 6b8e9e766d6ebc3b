"""What an installation begins with: an admin key for programs, a link that makes the owner."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from api.http.auth import KEY_PREFIX, hash_of, new_secret
from api.http.ids import KEY, shown
from reparto.command import out
from reparto.run.key import DEFAULT_ACCOUNT, write_secret
from reparto.settings.database import connected
from sql.account.accounts import NEW_ACCOUNT, ensure_account, read_instance
from sql.account.keys import create_key, has_working_key
from sql.config import DatabaseConfig
from sql.desk.audit import AuditDeed, write_entry
from sql.desk.links import owner_link
from work.links import desk_token

OPERATION = "reparto up"


async def first_admin_key(database: DatabaseConfig, file: Path) -> bool:
    """Give the account `default` an admin key if it has none that works; tell whether it got one.

    The key is written to `file`, mode 0600, before the database knows it: a crash in between leaves a file that the
    next start replaces, never a key that nobody has.
    """
    async with connected(database) as db, db.transaction():
        account_id = await ensure_account(db, DEFAULT_ACCOUNT, NEW_ACCOUNT)
        if await has_working_key(db, account_id):
            return False
        secret = new_secret(KEY_PREFIX)
        write_secret(file, secret)
        key_id, _ = await create_key(
            db, account_id=account_id, role="admin", label="first start", secret_hash=hash_of(secret)
        )
        made, after = {"id": shown(KEY, key_id)}, {"role": "admin", "label": "first start"}
        await write_entry(db, AuditDeed(account_id=account_id, operation=OPERATION, thing=made, after=after))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstLink:
    """Where the owner of the account `default` chooses their address and password, once."""

    url: str
    expires_at: datetime


def print_first_link(link: FirstLink) -> None:
    """Say what the link is for, and until when."""
    out.print(f"  desk       {link.url}", markup=False, soft_wrap=True)
    out.print(f"             makes the owner, once, until {link.expires_at:%Y-%m-%d %H:%M} UTC", markup=False)


async def first_link(database: DatabaseConfig, public_url: str) -> FirstLink | None:
    """Give the link by which the first owner is made; None: somebody may sign in already.

    The same one until it is used or its time is over, however often it is asked for.
    """
    async with connected(database) as db, db.transaction():
        link = await owner_link(db, await ensure_account(db, DEFAULT_ACCOUNT, NEW_ACCOUNT))
        if link is None:
            return None
        token = desk_token((await read_instance(db)).secret, link.id)
    return FirstLink(url=f"{public_url}/desk/link/{token}", expires_at=link.expires_at)
