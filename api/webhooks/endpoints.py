"""Webhooks as a company sets them: addresses, secrets, what was delivered, and once more."""

import time
from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias, get_args

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http import ids
from api.http.app_keys import GUARD, POOL, SEALER, now_of
from api.http.auth import caller_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import Conflict, FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from sql.feed.events import events_numbered
from sql.pool import Db
from sql.webhooks import webhooks
from sql.webhooks.webhooks import ListedDelivery, WebhookRow
from work.feed.types import NAMES
from work.outgoing.http import NoAnswer, NotReached, ask, open_session
from work.webhooks.body import test_body
from work.webhooks.sign import headers_of, new_secret, rotated, secrets_in
from work.webhooks.tell import ANSWER_BYTES, shown_try

operations = Operations("webhooks")

MOST_WEBHOOKS = 50
"""Of one account: each costs a reading of its feed."""

MOST_REPLAYED = 10_000
"""Events of one replay that were never delivered before; ask again for more."""

_EVERY = 2**63 - 1

Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2_000, examples=["https://shop.example/hooks/reparto"])]
Types: TypeAlias = Annotated[list[str], Meta(min_length=1, max_length=100)]
Format: TypeAlias = Literal["json", "cloudevents"]
State: TypeAlias = Literal["pending", "delivered", "failed"]


class WebhookPost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook to make; without `types` it is told of every event."""

    url: Url
    types: Types | None = None
    enabled: bool = True
    format: Format = "json"


class WebhookPatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be another one; what is left out stays."""

    url: Url | UnsetType = UNSET
    types: Types | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET
    format: Format | UnsetType = UNSET


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook. `disabled_why`: it was switched off by itself, after a 410 or three days without success.

    `failing_since`: nothing was taken since then; null: the last try went well.
    """

    id: str
    url: str
    types: list[str] | None
    enabled: bool
    format: Format
    disabled_why: str | None
    failing_since: datetime | None
    created_at: datetime


class WebhookMade(Webhook, frozen=True, kw_only=True):
    """A new webhook. `secret` signs what it is told; it is shown only this once."""

    secret: str


class WebhookList(Struct, frozen=True, kw_only=True):
    """A page of webhooks, the oldest first; `next` is the cursor of the next page, null on the last."""

    webhooks: list[Webhook]
    next: str | None


class Secret(Struct, frozen=True, kw_only=True):
    """A new secret, shown only this once; the one before signs too until then."""

    secret: str
    old_until: datetime


class Try(Struct, frozen=True, kw_only=True):
    """One try; `status` null: there was no answer. `answer` is its first 1,000 bytes, or why there was none."""

    at: datetime
    status: int | None
    took_ms: int
    answer: str


class TestResult(Struct, frozen=True, kw_only=True):
    """What came of a test."""

    id: str
    state: State
    status: int | None
    took_ms: int
    answer: str


class Replay(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events to deliver again: all from `since_seq` until `until_seq`, or only those that failed."""

    since_seq: Annotated[int, Meta(ge=1)] | None = None
    until_seq: Annotated[int, Meta(ge=1)] | None = None
    failed_only: bool = False


class Replayed(Struct, frozen=True, kw_only=True):
    """How many events are delivered again."""

    deliveries: int


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One event for one webhook. `seq` null: a test. `tries` are the last twenty; `next_try_at` null: there is none."""

    id: str
    seq: int | None
    type: str
    state: State
    replay: bool
    attempts: int
    next_try_at: datetime | None
    tries: list[Try]
    created_at: datetime
    delivered_at: datetime | None


class DeliveryList(Struct, frozen=True, kw_only=True):
    """A page of deliveries, the newest first; `next` is the cursor of the next page, null on the last."""

    deliveries: list[DeliveryView]
    next: str | None


@operations.operation("POST", "/v1/webhooks", who=Who.ADMIN, body=WebhookPost, answer=WebhookMade, status=201)
async def post_webhook(request: web.Request) -> web.Response:
    """Make a webhook.

    It is told of every event from now on, by POST, signed as Standard Webhooks says: verify it with any of their
    libraries and the secret of this answer.
    """
    body, account_id, pool = await read_body(request, WebhookPost), caller_of(request).account_id, request.app[POOL]
    refuse(_mistakes(request, body.url, body.types))
    if await webhooks.count_webhooks(pool, account_id) >= MOST_WEBHOOKS:
        raise Conflict(f"An account has {MOST_WEBHOOKS} webhooks at most.")
    secret = new_secret()
    webhook_id = await webhooks.create_webhook(
        pool,
        account_id=account_id,
        url=body.url,
        types=body.types,
        form=body.format,
        enabled=body.enabled,
        secrets=request.app[SEALER].seal({"secret": secret}),
    )
    row = await webhooks.find_webhook(pool, account_id, webhook_id)
    assert row is not None
    return answer(request, WebhookMade(secret=secret, **_fields(row)), status=201)


@operations.operation("GET", "/v1/webhooks", who=Who.ADMIN, answer=WebhookList, query=PAGING)
async def list_webhooks(request: web.Request) -> web.Response:
    """List the webhooks."""
    limit, last = limit_in(request), cursor_in(request, tuple[Id])
    rows = await webhooks.list_webhooks(
        request.app[POOL], caller_of(request).account_id, after=last[0] if last else 0, limit=limit + 1
    )
    page, more = cut(rows, limit, lambda row: (row.id,))
    return answer(request, WebhookList(webhooks=[Webhook(**_fields(row)) for row in page], next=more))


@operations.operation("GET", "/v1/webhooks/{webhook}", who=Who.ADMIN, answer=Webhook)
async def get_webhook(request: web.Request) -> web.Response:
    """Read a webhook."""
    return answer(request, Webhook(**_fields(await _row(request))))


@operations.operation("PATCH", "/v1/webhooks/{webhook}", who=Who.ADMIN, body=WebhookPatch, answer=Webhook)
async def patch_webhook(request: web.Request) -> web.Response:
    """Change a webhook.

    One that is switched on again is told of what comes from then on; `replay` brings what it missed.
    """
    body = await read_body(request, WebhookPatch)
    async with request.app[POOL].acquire() as db, db.transaction():
        row = await _held(request, db)
        url = row.url if body.url is UNSET else body.url
        types = row.types if body.types is UNSET else body.types
        refuse(_mistakes(request, url, types))
        await webhooks.change_webhook(
            db,
            row,
            url=url,
            types=types,
            form=row.format if body.format is UNSET else body.format,
            enabled=row.enabled if body.enabled is UNSET else body.enabled,
        )
    return answer(request, Webhook(**_fields(await _row(request))))


@operations.operation("DELETE", "/v1/webhooks/{webhook}", who=Who.ADMIN, status=204)
async def delete_webhook(request: web.Request) -> web.Response:
    """Forget a webhook and what was delivered to it."""
    row = await _row(request)
    await webhooks.delete_webhook(request.app[POOL], row.account_id, row.id)
    return web.Response(status=204)


@operations.operation("POST", "/v1/webhooks/{webhook}/rotate", who=Who.ADMIN, answer=Secret)
async def rotate_secret(request: web.Request) -> web.Response:
    """Give a webhook another secret; for a day what it is told is signed with both."""
    app, now = request.app, now_of(request)
    async with app[POOL].acquire() as db, db.transaction():
        row = await _held(request, db)
        fresh = new_secret()
        opened = rotated(app[SEALER].open(row.secrets), fresh, now)
        await webhooks.put_webhook_secrets(db, row.id, app[SEALER].seal(opened))
    return answer(request, Secret(secret=fresh, old_until=datetime.fromisoformat(opened["old_until"])))


@operations.operation("POST", "/v1/webhooks/{webhook}/test", who=Who.ADMIN, answer=TestResult)
async def test_webhook(request: web.Request) -> web.Response:
    """Send an event of the type `webhook.test`, once, now, also to a webhook that is off; say what came of it."""
    row, app, now = await _row(request), request.app, now_of(request)
    media, body = test_body(row.format, row.id, f"{public_url(request)}/v1/events", now)
    signed = headers_of(
        secrets_in(app[SEALER].open(row.secrets), now), f"msg_{row.id}_test_{now.timestamp():.0f}", body, now
    )
    got, why = None, ""
    began_s = time.monotonic()
    async with open_session(app[GUARD], at_once=1) as session:
        try:
            got = await ask(
                session, "POST", row.url, headers={"Content-Type": media} | signed, body=body, most_bytes=ANSWER_BYTES
            )
        except (NotReached, NoAnswer) as error:
            why = str(error)
    tried = shown_try(got, why, round((time.monotonic() - began_s) * 1000), now)
    state: State = "delivered" if got is not None and 200 <= got.status < 300 else "failed"
    delivery_id = await webhooks.put_test(app[POOL], row, state=state, tried=tried, now=now)
    return answer(
        request,
        TestResult(
            id=ids.shown(ids.WEBHOOK_DELIVERY, delivery_id),
            state=state,
            status=tried["status"],
            took_ms=tried["took_ms"],
            answer=tried["answer"],
        ),
    )


@operations.operation("POST", "/v1/webhooks/{webhook}/replay", who=Who.ADMIN, body=Replay, answer=Replayed, status=202)
async def replay(request: web.Request) -> web.Response:
    """Deliver events again: those that failed, or all of a span of the feed; each with the `webhook-id` it had.

    They carry the header `Reparto-Replay: 1`.
    """
    row, body, pool = await _row(request), await read_body(request, Replay), request.app[POOL]
    if not row.enabled:
        raise Conflict("This webhook is off. Switch it on first.")
    if body.since_seq is None and not body.failed_only:
        refuse([FieldError(at="/since_seq", why="is missing: say since when, or `failed_only`")])
    until = body.until_seq or await events_numbered(pool, row.account_id)
    async with pool.acquire() as db, db.transaction():
        count = await webhooks.replay(
            db,
            row,
            since=body.since_seq or 1,
            until=until,
            failed_only=body.failed_only,
            now=now_of(request),
            at_most=MOST_REPLAYED,
        )
    return answer(request, Replayed(deliveries=count), status=202)


@operations.operation(
    "GET",
    "/v1/webhooks/{webhook}/deliveries",
    who=Who.ADMIN,
    answer=DeliveryList,
    query=(
        Parameter(
            name="state",
            description="Only those in this state.",
            schema={"type": "string", "enum": [*get_args(State)]},
        ),
        *PAGING,
    ),
)
async def get_deliveries(request: web.Request) -> web.Response:
    """List what a webhook was told, with the last tries of each."""
    row, limit, last = await _row(request), limit_in(request), cursor_in(request, tuple[Id])
    state = request.query.get("state") or None
    if state and state not in get_args(State):
        refuse([FieldError(at="state", why=f"must be one of {', '.join(get_args(State))}")])
    rows = await webhooks.list_deliveries(
        request.app[POOL], row.id, before=last[0] if last else _EVERY, state=state, limit=limit + 1
    )
    page, more = cut(rows, limit, lambda one: (one.id,))
    return answer(request, DeliveryList(deliveries=[_delivery(one) for one in page], next=more))


async def _row(request: web.Request) -> WebhookRow:
    return _found(await webhooks.find_webhook(request.app[POOL], caller_of(request).account_id, _id_in(request)))


async def _held(request: web.Request, db: Db) -> WebhookRow:
    return _found(await webhooks.hold_webhook(db, caller_of(request).account_id, _id_in(request)))


def _id_in(request: web.Request) -> int:
    return ids.id_in_path(request, "webhook", ids.WEBHOOK)


def _found(row: WebhookRow | None) -> WebhookRow:
    if row is None:
        raise NotFound("There is no webhook of this id.")
    return row


def _mistakes(request: web.Request, url: str, types: list[str] | None) -> list[FieldError]:
    found = []
    if why := request.app[GUARD].why_not(url):
        found.append(FieldError(at="/url", why=why))
    for place, one in enumerate(types or ()):
        if one not in NAMES:
            found.append(FieldError(at=f"/types/{place}", why=f"there is no {one!r}; there are {', '.join(NAMES)}"))
    return found


def _fields(row: WebhookRow) -> dict[str, Any]:
    return {
        "id": ids.shown(ids.WEBHOOK, row.id),
        "url": row.url,
        "types": row.types,
        "enabled": row.enabled,
        "format": row.format,
        "disabled_why": row.disabled_why,
        "failing_since": row.failing_since,
        "created_at": row.created_at,
    }


def _delivery(row: ListedDelivery) -> DeliveryView:
    return DeliveryView(
        id=ids.shown(ids.WEBHOOK_DELIVERY, row.id),
        seq=row.seq,
        type=row.type,
        state=row.state,  # type: ignore[arg-type]
        replay=row.replay,
        attempts=row.attempts,
        next_try_at=row.next_try_at if row.state == "pending" else None,
        tries=[Try(**one | {"at": datetime.fromisoformat(one["at"])}) for one in row.tries],
        created_at=row.created_at,
        delivered_at=row.delivered_at,
    )
