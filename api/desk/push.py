"""Whose browser is told of alerts while no page of the desk is open: by choice, each on its own."""

from aiohttp import web
from msgspec import Struct

from api.desk.alerts import SEVERITIES, Severity
from api.desk.pages import LANG, desk_language
from api.http.app_keys import POOL, SEALER
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.problem import Conflict
from api.http.read.bodies import read_body
from api.http.read.browsers import BrowserSubscription, PushOffer, push_key_of, sealed_browser
from api.http.trail import note
from sql.desk.push import DeskBrowser, drop_browser, put_browser
from sql.messages.push import hash_of_endpoint

operations = Operations("alerts")


class AlertPush(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which browser, and of alerts of which severity at least."""

    browser: BrowserSubscription
    severity: Severity = "high"


@operations.operation("GET", "/v1/alerts/push", who=Who.COLLEAGUE, answer=PushOffer)
async def get_alert_push(request: web.Request) -> web.Response:
    """Read the key that a browser needs to be told; null: the account's channel `push` is not switched on."""
    account_id = caller_of(request).account_id
    return answer(request, PushOffer(key=await push_key_of(request.app[POOL], account_id, request.app[SEALER])))


@operations.operation("POST", "/v1/alerts/push", who=Who.COLLEAGUE, query=(LANG,), body=AlertPush, status=204)
async def post_alert_push(request: web.Request) -> web.Response:
    """Have this browser told of alerts, in the language `lang`; of more than five the oldest are told no more.

    Who is taken out of the account is told no more.
    """
    caller, body = caller_of(request), await read_body(request, AlertPush)
    assert caller.person_id is not None
    if await push_key_of(request.app[POOL], caller.account_id, request.app[SEALER]) is None:
        raise Conflict("The channel push of this account is not switched on.")
    browser = DeskBrowser(
        endpoint_hash=hash_of_endpoint(body.browser.endpoint),
        sealed=sealed_browser(request, body.browser, "/browser"),
        language=desk_language(request),
    )
    async with request.app[POOL].acquire() as db, db.transaction():
        least = SEVERITIES.index(body.severity) + 1
        await put_browser(db, caller.account_id, caller.person_id, browser, least=least)
        await note(request, db, after={"severity": body.severity})
    return web.Response(status=204)


@operations.operation(
    "DELETE",
    "/v1/alerts/push",
    who=Who.COLLEAGUE,
    query=(Parameter(name="endpoint", description="Of the browser; without, none of yours is told any more."),),
    status=204,
)
async def delete_alert_push(request: web.Request) -> web.Response:
    """Have a browser told no more."""
    caller, endpoint = caller_of(request), request.query.get("endpoint")
    assert caller.person_id is not None
    of = hash_of_endpoint(endpoint) if endpoint else None
    await drop_browser(request.app[POOL], caller.account_id, caller.person_id, of)
    return web.Response(status=204)
