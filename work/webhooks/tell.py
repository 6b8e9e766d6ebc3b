"""One try: what is posted to a webhook, and what is kept of its answer."""

from datetime import datetime
from typing import Any

import aiohttp

from sql.feed.events import FeedEntry
from sql.webhooks.webhooks import Delivery, WebhookRow
from work.outgoing.http import Answer, ask
from work.webhooks.body import body_of, message_id
from work.webhooks.sign import headers_of, secrets_in

ANSWER_BYTES = 1_000
"""Kept of an answer."""


async def tell(
    session: aiohttp.ClientSession,
    row: WebhookRow,
    opened: dict[str, Any],
    delivery: Delivery,
    entry: FeedEntry,
    *,
    source: str,
    now: datetime,
) -> Answer:
    """Tell a webhook of an event, once.

    Raises:
        NotReached, NoAnswer: it did not say that it took it.
    """
    media, body = body_of(row.format, entry, source)
    headers = {"Content-Type": media} | headers_of(secrets_in(opened, now), message_id(row.id, entry.seq), body, now)
    if delivery.replay:
        headers["Reparto-Replay"] = "1"
    return await ask(session, "POST", row.url, headers=headers, body=body, most_bytes=ANSWER_BYTES)


def shown_try(got: Answer | None, why: str, took_ms: int, at: datetime) -> dict[str, Any]:
    """Show a try; 1 kB of the answer is kept, as text."""
    said = (got.body.decode("utf-8", "replace") if got else why).replace("\0", "\ufffd")
    return {
        "at": at.isoformat(),
        "status": got.status if got else None,
        "took_ms": took_ms,
        "answer": said[:ANSWER_BYTES],
    }
