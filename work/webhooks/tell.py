"""One try: what is posted to a webhook, and what is kept of its answer."""

from datetime import datetime
from typing import Any

from sql.webhooks.webhooks import Delivery
from work.outgoing.http import Answer
from work.outgoing.kept import KeptLine
from work.webhooks.body import message_id
from work.webhooks.sign import headers_of, secrets_in
from work.webhooks.written import WrittenEvent

ANSWER_BYTES = 1_000
"""Kept of an answer."""


async def tell(
    line: KeptLine, opened: dict[str, Any], delivery: Delivery, event: WrittenEvent, *, now: datetime
) -> Answer:
    """Tell a webhook of an event, once.

    Raises:
        NotReached, NoAnswer: it did not say that it took it.
    """
    named = message_id(delivery.webhook_id, event.seq)
    headers = {"Content-Type": event.media} | headers_of(secrets_in(opened, now), named, event.body, now)
    if delivery.replay:
        headers["Reparto-Replay"] = "1"
    return await line.post(headers, event.body, most_bytes=ANSWER_BYTES)


def shown_try(got: Answer | None, why: str, took_ms: int, at: datetime) -> dict[str, Any]:
    """Show a try; 1 kB of the answer is kept, as text."""
    said = (got.body.decode("utf-8", "replace") if got else why).replace("\0", "\ufffd")
    return {
        "at": at.isoformat(),
        "status": got.status if got else None,
        "took_ms": took_ms,
        "answer": said[:ANSWER_BYTES],
    }
