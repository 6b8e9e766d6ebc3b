"""The quarantine: what phones sent that nobody could use."""

from datetime import datetime

import msgspec
from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import DEVICE, DRIVER, QUARANTINED, shown, shown_or_none
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cursor_of, limit_in
from sql.inbox.quarantine import list_quarantined

operations = Operations("quarantine")

MOST_MESSAGES = 100
"""On a page; one can have 64 kB."""

SHOWN_BYTES = 2_000
"""What is shown of a message's body: enough to see what is wrong with it."""


class QuarantinedView(msgspec.Struct, frozen=True, kw_only=True):
    """One unusable message.

    `source` is the door it came through, or `tracker`; `reason` a stable word; `body` the beginning of what was sent,
    as text, with what is not text replaced.
    """

    id: str
    driver_id: str | None
    device_id: str | None
    received_at: datetime
    source: str
    reason: str
    detail: str | None
    size_bytes: int
    body: str


class QuarantineList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of unusable messages, newest first; `next` is the cursor of the next page, null on the last."""

    quarantined: list[QuarantinedView]
    next: str | None


@operations.operation("GET", "/v1/quarantine", who=Who.VIEWER, answer=QuarantineList, query=PAGING)
async def get_quarantine(request: web.Request) -> web.Response:
    """List what phones sent that nobody could use, newest first.

    The phones were answered as if it had been good: they are first in, first out, and would send it again for ever.
    """
    limit = limit_in(request, MOST_MESSAGES)
    cursor = cursor_in(request, tuple[Id])
    messages = await list_quarantined(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        after_id=None if cursor is None else cursor[0],
        limit=limit,
    )
    page = [
        QuarantinedView(
            id=shown(QUARANTINED, message.id),
            driver_id=shown_or_none(DRIVER, message.driver_id),
            device_id=shown_or_none(DEVICE, message.device_id),
            received_at=message.received_at,
            source=message.source,
            reason=message.reason,
            detail=message.detail,
            size_bytes=len(message.body),
            body=message.body[:SHOWN_BYTES].decode(errors="replace"),
        )
        for message in messages
    ]
    return answer(
        request,
        QuarantineList(quarantined=page, next=cursor_of(messages[-1].id) if len(messages) == limit else None),
    )
