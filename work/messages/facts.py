"""What the feed is told of messages: that one was sent, delivered, or failed; each once."""

from datetime import datetime
from hashlib import blake2b
from uuid import UUID

from sql.messages.messages import MessageFact, MessageRow

TYPES = {
    "sent": "message.sent",
    "delivered": "message.delivered",
    "read": "message.delivered",
    "failed": "message.failed",
}
"""By the state that a message comes to."""


def fact_of(message: MessageRow, state: str, why: str | None, now: datetime) -> MessageFact | None:
    """Say what the feed is told; None: nothing. Whoever reads it learns kind and channel, not whom it was for."""
    kind = TYPES.get(state)
    if kind is None:
        return None
    fact_id = UUID(bytes=blake2b(f"{kind}:{message.id}".encode(), digest_size=16).digest())
    data = {"message_id": f"ms_{message.id}", "kind": message.kind, "channel": message.channel}
    return MessageFact(
        id=message.id, type=kind, fact_id=fact_id, happened_at=now, data=data | ({"why": why} if why else {})
    )
