"""Who may, and who does not want to, be written to; and forgetting somebody altogether."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """The last word of, or about, whoever has an address; `source`: where it was said."""

    channel: str
    address: str
    state: str
    source: str
    at: datetime


async def consents(db: Db | Pool, account_id: int, addresses: Iterable[str]) -> list[Consent]:
    """Read what is known of addresses."""
    return [Consent(**row) for row in await db.fetch(_SQL["consents"], account_id, list(addresses))]


async def put_consent(db: Db | Pool, account_id: int, consent: Consent) -> None:
    """Write the last word."""
    await db.execute(
        _SQL["put_consent"], account_id, consent.channel, consent.address, consent.state, consent.source, consent.at
    )


async def forget_messages(db: Db, account_id: int, address: str) -> int:
    """Forget every message to an address; return how many there were."""
    return len(await db.fetch(_SQL["forget_messages"], account_id, address))


async def forget_consent(db: Db, account_id: int, address: str) -> None:
    """Forget what an address agreed to."""
    await db.fetch(_SQL["forget_consent"], account_id, address)
