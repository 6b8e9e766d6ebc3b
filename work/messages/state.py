"""States of a message as a lattice: receipts come late, twice and in any order, and only ever bring it further."""

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


async def receive(
    db: Db,
    account_id: int,
    channel: str,
    *,
    provider_id: str | None,
    message_id: int | None,
    said: str,
    why: str | None,
    now: datetime,
) -> list[MessageRow]:
    """Take a receipt; return the messages that it brought further, as they were before. In a transaction.

    Args:
        message_id: our own id, where the provider gives it back; else it is found by the provider's.
    """
    if message_id is not None:
        one = await find_message(db, account_id, message_id)
        found = [one] if one is not None and one.channel == channel else []
    else:
        found = await find_sent(db, account_id, channel, provider_id or "")
    moved = [one for one in found if raised(one.state, said) is not None]
    facts: list[MessageFact] = []
    for one in moved:
        await raise_state(
            db,
            one.id,
            state=said,
            why=why,
            sent_at=now if said != "failed" else None,
            delivered_at=now if said in ("delivered", "read") else None,
            read_at=now if said == "read" else None,
        )
        if (fact := fact_of(one, said, why, now)) is not None:
            facts.append(fact)
    if facts:
        await put_message_facts(db, facts)
    return moved
