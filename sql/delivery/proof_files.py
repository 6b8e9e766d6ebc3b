"""Which bytes the store of proofs must have."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofFiles:
    """The bytes that are kept of a proof.

    Attributes:
        sha256: of the original.
        served_sha256: of what is shown; None: nothing is, the original is no proof.
    """

    id: int
    account_id: int
    sha256: bytes
    served_sha256: bytes | None
    has_thumbnail: bool


async def newest(db: Db | Pool, *, at_most: int) -> list[ProofFiles]:
    """Give the proofs that came last."""
    return [ProofFiles(**row) for row in await db.fetch(_SQL["newest"], at_most)]


async def all_in_pages(db: Db | Pool, *, of: int) -> AsyncIterator[list[ProofFiles]]:
    """Give all proofs by id, so many at a time."""
    after = 0
    while page := [ProofFiles(**row) for row in await db.fetch(_SQL["after"], after, of)]:
        yield page
        after = page[-1].id


async def still_there(db: Db | Pool, proof_ids: Iterable[int]) -> set[int]:
    """Tell which proofs were not forgotten meanwhile."""
    return {row["id"] for row in await db.fetch(_SQL["still_there"], list(proof_ids))}
