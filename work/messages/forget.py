"""Forgetting somebody: what they were told goes with their data."""

from sql.messages.consent import forget_consent, forget_messages
from sql.pool import Db
from work.messages.rules.contacts import written


async def forget_contact(db: Db, account_id: int, address: str) -> int:
    """Forget all that messages hold of an address, in any way of writing it; return how many messages that were.

    What they agreed to is forgotten too: whoever gives the address again is somebody new. Call it in the transaction
    that erases the rest of their data.
    """
    kept = written(address)
    await forget_consent(db, account_id, kept)
    return await forget_messages(db, account_id, kept)
