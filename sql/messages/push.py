"""Browsers of recipients that are told by a push service."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

MOST_OF_A_STOP = 5
"""Browsers that are told of one stop: a household; another one takes the place of the oldest."""


def hash_of_endpoint(endpoint: str) -> bytes:
    """Name a browser's address at its push service without telling it."""
    return sha256(endpoint.encode()).digest()


async def put_subscription(
    db: Db, *, stop_id: int, account_id: int, endpoint_hash: bytes, sealed: bytes, now: datetime
) -> None:
    """Have a browser told of a stop. In a transaction."""
    await db.execute(_SQL["put_subscription"], stop_id, endpoint_hash, account_id, sealed, now)
    await db.execute(_SQL["drop_oldest"], stop_id, MOST_OF_A_STOP)


async def drop_subscriptions(db: Db | Pool, stop_id: int, endpoint_hash: bytes | None) -> None:
    """Have a browser told no more of a stop; None: all of them."""
    await db.execute(_SQL["drop_subscriptions"], stop_id, endpoint_hash)


async def forget_gone(db: Db, gone: Iterable[tuple[int, bytes]]) -> None:
    """Forget browsers that their push service knows no more: stop, hash of the address."""
    await db.execute(_SQL["forget_gone"], *map(list, zip(*gone, strict=True)))


async def sealed_subscriptions(db: Db) -> list[tuple[int, bytes, bytes]]:
    """Read and hold all of them: stop, hash of the address, what is sealed."""
    return [
        (row["stop_id"], row["endpoint_hash"], row["sealed"]) for row in await db.fetch(_SQL["sealed_subscriptions"])
    ]


async def put_sealed_subscription(db: Db, stop_id: int, endpoint_hash: bytes, sealed: bytes) -> None:
    """Replace what is sealed of one."""
    await db.execute(_SQL["put_sealed"], stop_id, endpoint_hash, sealed)
