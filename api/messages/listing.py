"""Messages as dispatchers see them: what was told to whom, and what became of it."""

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import refuse
from api.http.refs import ref_of
from sql.delivery.routes import find_route
from sql.messages.messages import ListedMessage, list_messages

operations = Operations("messages")

State: TypeAlias = Literal["held", "queued", "sent", "delivered", "read", "failed", "suppressed", "expired"]
_EVERY = 2**63 - 1


class Message(Struct, frozen=True, kw_only=True):
    """A message to a recipient.

    `why`: what holds it, or ended it. `parts` and `price` as it left; null before. `attempts` counts tries to send it.
    """

    id: str
    stop_id: str
    kind: str
    channel: str
    to: str
    locale: str
    state: State
    why: str | None
    subject: str | None
    body: str | None
    parts: int | None
    price: float | None
    provider_id: str | None
    attempts: int
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None


class MessageList(Struct, frozen=True, kw_only=True):
    """A page of messages, the newest first; `next` is the cursor of the next page, null on the last."""

    messages: list[Message]
    next: str | None


@operations.operation(
    "GET",
    "/v1/messages",
    who=Who.SUPPORT,
    answer=MessageList,
    query=(
        Parameter(name="stop", description="Only about this stop, by its id."),
        Parameter(name="route", description="Only about stops of this route, by either of its ids."),
        Parameter(
            name="state",
            description="Only those in this state.",
            schema={"type": "string", "enum": [*get_args(State)]},
        ),
        *PAGING,
    ),
)
async def get_messages(request: web.Request) -> web.Response:
    """List what recipients were told, are about to be told, and were not told and why."""
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    limit, last = limit_in(request), cursor_in(request, tuple[Id])
    stop, route, state = (request.query.get(name) for name in ("stop", "route", "state"))
    stop_id = ids.number_of(ids.STOP, stop) if stop else None
    if stop and stop_id is None:
        refuse([FieldError(at="stop", why="must be the id of a stop, like st_7")])
    if state and state not in get_args(State):
        refuse([FieldError(at="state", why=f"must be one of {', '.join(get_args(State))}")])
    route_id = None
    if route:
        ref = ref_of(ids.ROUTE, route)
        head = (
            await find_route(pool, account_id=account_id, route_id=ref.id, external_id=ref.external_id) if ref else None
        )
        if head is None:
            raise NotFound("There is no route of this id.")
        route_id = head.id
    rows = await list_messages(
        pool,
        account_id,
        stop_id=stop_id,
        route_id=route_id,
        state=state or None,
        before=last[0] if last else _EVERY,
        limit=limit + 1,
    )
    page, more = cut(rows, limit, lambda row: (row.id,))
    return answer(request, MessageList(messages=[message_of(row) for row in page], next=more))


def message_of(row: ListedMessage) -> Message:
    """Show a message."""
    return Message(
        id=ids.shown(ids.MESSAGE, row.id),
        stop_id=ids.shown(ids.STOP, row.stop_id),
        kind=row.kind,
        channel=row.channel,
        to=row.address,
        locale=row.locale,
        state=row.state,  # type: ignore[arg-type]
        why=row.why,
        subject=row.subject,
        body=row.body,
        parts=row.parts,
        price=None if row.price is None else float(row.price),
        provider_id=row.provider_id,
        attempts=row.attempts,
        created_at=row.created_at,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
    )
