"""Browsers of the company's people that a push service tells of alerts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

MOST_OF_A_PERSON = 5
"""Browsers of one person at an account; another one takes the place of the oldest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskBrowser:
    """A browser that is told; `sealed`: its address and its keys."""

    endpoint_hash: bytes
    sealed: bytes = field(repr=False)
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertToTell:
    """An alert that browsers are told of.

    Attributes:
        is_open: nobody closed it and nobody is at it.
        seen_at: since when it is in sight.
    """

    id: int
    account_id: int
    account: str
    type: str
    severity: int
    is_open: bool
    seen_at: datetime


async def put_browser(db: Db, account_id: int, person_id: int, browser: DeskBrowser, *, least: int) -> None:
    """Have a browser told of alerts of at least a severity, 1 to 3. In a transaction."""
    who = (account_id, person_id)
    await db.execute(_SQL["put_browser"], *who, browser.endpoint_hash, browser.sealed, least, browser.language)
    await db.execute(_SQL["drop_oldest"], *who, MOST_OF_A_PERSON)


async def drop_browser(db: Db | Pool, account_id: int, person_id: int, endpoint_hash: bytes | None) -> None:
    """Have a browser told no more; None: all of this person there."""
    await db.execute(_SQL["drop_browser"], account_id, person_id, endpoint_hash)


async def forget_gone_browsers(db: Db | Pool, account_id: int, gone: Sequence[bytes]) -> None:
    """Forget browsers that their push service knows no more."""
    await db.execute(_SQL["forget_gone"], account_id, list(gone))


async def lease_alerts(db: Db | Pool, *, lease_s: float, at_most: int) -> list[AlertToTell]:
    """Take alerts that browsers are told of; until the lease ends nobody else does."""
    return [AlertToTell(**row) for row in await db.fetch(_SQL["lease_alerts"], lease_s, at_most)]


async def alerts_told(db: Db | Pool, alert_ids: Sequence[int]) -> None:
    """Note that these are told, or are told to nobody."""
    await db.execute(_SQL["told"], list(alert_ids))


async def browsers_for(db: Db | Pool, account_id: int, severity: int) -> list[DeskBrowser]:
    """Read which browsers of an account are told of an alert of a severity."""
    return [DeskBrowser(**row) for row in await db.fetch(_SQL["browsers_for"], account_id, severity)]


async def sealed_browsers(db: Db) -> list[tuple[tuple[int, int, bytes], bytes]]:
    """Read and hold all of them: account, person and hash of the address, and what is sealed."""
    return [
        ((row["account_id"], row["person_id"], row["endpoint_hash"]), row["sealed"])
        for row in await db.fetch(_SQL["sealed_browsers"])
    ]


async def put_sealed_browser(db: Db, which: tuple[int, int, bytes], sealed: bytes) -> None:
    """Replace what is sealed of one."""
    await db.execute(_SQL["put_sealed"], *which, sealed)
