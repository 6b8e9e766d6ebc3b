"""What somebody shows beside their password: codes of their phone, and codes for the day it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totp:
    """The sealed secret of somebody's codes; asked for once it is confirmed."""

    sealed: bytes = field(repr=False)
    is_confirmed: bool


async def begin_totp(db: Db | Pool, person_id: int, sealed: bytes) -> bool:
    """Keep a secret that is not in force yet; False: another one is in force, and stays."""
    return await db.fetchval(_SQL["begin_totp"], person_id, sealed) is not None


async def totp_of(db: Db | Pool, person_id: int) -> Totp | None:
    """Read the secret of a person's codes."""
    row = await db.fetchrow(_SQL["totp_of"], person_id)
    return None if row is None else Totp(**row)


async def take_step(db: Db | Pool, person_id: int, step: int) -> bool:
    """Take a code by its step, which also puts its secret in force; False: that one, or a later one, was taken."""
    return await db.fetchval(_SQL["take_step"], person_id, step) is not None


async def drop_totp(db: Db, person_id: int) -> bool:
    """Ask somebody for no codes any more; False: they were not asked for any."""
    return bool(await db.fetchval(_SQL["drop_totp"], person_id))


async def put_recovery_codes(db: Db, person_id: int, hashes: Sequence[bytes]) -> None:
    """Replace a person's recovery codes. In a transaction."""
    await db.execute(_SQL["drop_recovery_codes"], person_id)
    await db.execute(_SQL["add_recovery_codes"], person_id, list(hashes))


async def use_recovery_code(db: Db | Pool, person_id: int, code_hash: bytes) -> bool:
    """Use a recovery code up; False: it is none of theirs, or was used."""
    return await db.fetchval(_SQL["use_recovery_code"], person_id, code_hash) is not None


async def sealed_totps(db: Db) -> list[tuple[int, bytes]]:
    """Read every sealed secret, and keep others from changing them until the transaction ends."""
    return [(row["person_id"], row["sealed"]) for row in await db.fetch(_SQL["sealed_totps"])]


async def put_sealed_totp(db: Db, person_id: int, sealed: bytes) -> None:
    """Replace a sealed secret by the same one, sealed anew."""
    await db.execute(_SQL["put_sealed_totp"], person_id, sealed)
