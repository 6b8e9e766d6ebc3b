"""States of a message as a lattice: receipts come late, twice and in any order, and only ever bring it further."""

from dataclasses import dataclass
from datetime import datetime

from sql.messages.messages import MessageFact, MessageRow, find_message, find_sent, put_message_facts, raise_state
from sql.pool import Db
from work.messages.facts import fact_of

RANK = {"held": 0, "queued": 1, "expired": 2, "suppressed": 2, "failed": 3, "sent": 2, "delivered": 4, "read": 5}
"""`failed` is above `sent`, and final only if nothing better comes."""

REPORTED = frozenset({"sent", "delivered", "read", "failed"})


def raised(before: str, said: str) -> str | None:
    """Say which state a receipt brings a message to; None: none that is further."""
    if before in ("held", "suppressed", "expired"):
        return None  # it never left
    return said if RANK[said] > RANK[before] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of a message that had left, as its provider says.

    Attributes:
        said: one of `REPORTED`.
        provider_id: what the provider calls the message.
        message_id: our own id, where the provider gives it back; else the message is found by the provider's.
    """

    account_id: int
    channel: str
    said: str
    why: str | None = None
    provider_id: str | None = None
    message_id: int | None = None


async def receive(db: Db, receipt: Receipt, *, now: datetime) -> list[MessageRow]:
    """Take a receipt; return the messages that it brought further, as they were before. In a transaction."""
    said = receipt.said
    moved = [one for one in await _found(db, receipt) if raised(one.state, said) is not None]
    facts: list[MessageFact] = []
    for one in moved:
        await raise_state(
            db,
            one.id,
            state=said,
            why=receipt.why,
            sent_at=now if said != "failed" else None,
            delivered_at=now if said in ("delivered", "read") else None,
            read_at=now if said == "read" else None,
        )
        if (fact := fact_of(one, said, receipt.why, now)) is not None:
            facts.append(fact)
    if facts:
        await put_message_facts(db, facts)
    return moved


async def _found(db: Db, receipt: Receipt) -> list[MessageRow]:
    """Hold the messages that a receipt is about."""
    if receipt.message_id is None:
        return await find_sent(db, receipt.account_id, receipt.channel, receipt.provider_id or "")
    one = await find_message(db, receipt.account_id, receipt.message_id)
    return [one] if one is not None and one.channel == receipt.channel else []
