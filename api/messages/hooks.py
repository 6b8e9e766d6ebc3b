"""What providers call back: receipts, replies of people, bounced mail. All of it is input from outside.

The token in the path says whose it is; what Meta sends is signed besides. A provider is answered 200 whatever it says
of messages that we do not know: it would only repeat it.
"""

import hmac
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from api.http.app_keys import POOL, SEALER, now_of
from api.http.operation import Operations, Parameter, Who
from api.http.problem import BadRequest, NotFound, Unauthorized
from api.http.read.limited import read_limited
from api.messages.keys import source_of
from sql.messages.consent import Consent, put_consent
from sql.messages.setup import ChannelRow, channels_of
from work.links import hook_token
from work.messages.answers.bounces import take_bounce
from work.messages.answers.replies import meaning_of
from work.messages.answers.state import REPORTED, Receipt, receive
from work.messages.channels.gateways import at_path, gateway_of, text_at
from work.messages.channels.settings import Sms, WhatsApp
from work.messages.channels.whatsapp import Reply, Status, is_signed, read_callback
from work.messages.deciding.expand import fall_back
from work.messages.rules.contacts import phone_of
from work.messages.sending.send import opened_settings

operations = Operations("messages")

MOST_BYTES = 256 * 1024
"""Of one callback; a bounce may carry the mail that came back."""

_TOKEN = Parameter(name="hub.challenge", description="Meta's way to check the address; given back as it came.")


@operations.operation("GET", "/hooks/{channel}/{hook}", who=Who.ANYONE, query=(_TOKEN,), media=("text/plain",))
async def check_hook(request: web.Request) -> web.Response:
    """Answer a provider that checks the address, or calls back in the query."""
    account_id, row = await _whose(request)
    if (challenge := request.query.get("hub.challenge")) is not None:
        given = request.query.get("hub.verify_token", "")
        if not hmac.compare_digest(given.encode(), request.match_info["hook"].encode()):
            raise Unauthorized("The verify token is the last part of this address.")
        return web.Response(text=challenge[:200], headers={"X-Content-Type-Options": "nosniff"})
    if row.channel == "sms" and request.query:
        await _take_sms(request, account_id, row, dict(request.query))
    return web.Response(text="ok")


@operations.operation(
    "POST",
    "/hooks/{channel}/{hook}",
    who=Who.ANYONE,
    media=("text/plain",),
    takes={"application/json": {}, "application/x-www-form-urlencoded": {}, "message/rfc822": {}},
)
async def take_hook(request: web.Request) -> web.Response:
    """Take what a provider calls back: receipts of messages, replies of people, mail that came back.

    Only the provider knows the address. What it says of messages that are not known changes nothing.
    """
    account_id, row = await _whose(request)
    body = await read_limited(request, MOST_BYTES)
    match row.channel:
        case "sms":
            await _take_sms(request, account_id, row, _fields(request.content_type, body))
        case "whatsapp":
            await _take_whatsapp(request, account_id, row, body)
        case "email":
            await _take_mail(request, account_id, body)
        case _:
            raise NotFound("Nobody calls back about this channel.")
    return web.Response(text="ok")


async def _whose(request: web.Request) -> tuple[int, ChannelRow]:
    """Find out whose address it is.

    Raises:
        NotFound: it is nobody's.
    """
    channel, token = request.match_info["channel"], request.match_info["hook"]
    head, _, _ = token.partition("-")
    if head.isascii() and head.isdigit() and len(head) < 19:
        account_id = int(head)
        row = (await channels_of(request.app[POOL], account_id)).get(channel)
        if row is not None:
            made = hook_token((await source_of(request)).secret, account_id, channel, row.hook_generation)
            if hmac.compare_digest(made.encode(), token.encode()):
                return account_id, row
    raise NotFound("There is nothing at this address.")


def _fields(content_type: str, body: bytes) -> Any:
    """Read a callback, whatever it calls itself.

    Raises:
        BadRequest: it is neither JSON nor a form.
    """
    try:
        if content_type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadRequest("This is neither JSON nor a form.") from error


async def _take_sms(request: web.Request, account_id: int, row: ChannelRow, said: Any) -> None:
    settings = opened_settings("sms", row.settings, row.secrets, request.app[SEALER])
    assert isinstance(settings, Sms)
    gateway = gateway_of(settings)
    receipts, several = gateway.receipts, at_path(said, gateway.each_path) or said
    for one in (several if isinstance(several, list) else [said])[:1_000]:
        found, state = text_at(one, receipts.id_path), text_at(one, receipts.state_path)
        meant = receipts.states.get(state or "") or (state if state in REPORTED else None)
        if found and meant:
            why = _why(one, state) if meant == "failed" else None
            receipt = Receipt(account_id=account_id, channel="sms", said=meant, why=why, provider_id=found)
            await _take_receipt(request, receipt)
            continue
        by, text = _reply(one)
        if by and text:
            await _reply_of(request, account_id, "sms", by, text)


def _why(one: Any, state: str | None) -> str | None:
    for name in ("why", "error", "ErrorCode", "err-code", "description"):
        if said := text_at(one, name):
            return said
    return state


def _reply(one: Any) -> tuple[str | None, str | None]:
    """Read a reply in the words of any of the gateways."""
    for by, text in (
        ("from", "text"),
        ("From", "Body"),
        ("msisdn", "text"),
        ("msisdn", "message"),
        ("message.from", "message.contents.0.text"),
    ):
        if (who := text_at(one, by)) and (said := text_at(one, text)):
            return who, said
    return None, None


async def _take_whatsapp(request: web.Request, account_id: int, row: ChannelRow, body: bytes) -> None:
    settings = opened_settings("whatsapp", row.settings, row.secrets, request.app[SEALER])
    assert isinstance(settings, WhatsApp)
    if not is_signed(body, request.headers.get("X-Hub-Signature-256", ""), settings.app_secret or ""):
        raise Unauthorized("The signature is not one of this app.")
    for one in read_callback(_fields("application/json", body)):
        match one:
            case Status():
                receipt = Receipt(
                    account_id=account_id,
                    channel="whatsapp",
                    said=one.state,
                    why=one.why if one.state == "failed" else None,
                    provider_id=one.provider_id,
                )
                await _take_receipt(request, receipt, elsewhere=one.elsewhere)
            case Reply():
                await _reply_of(request, account_id, "whatsapp", one.by, one.text)


async def _take_receipt(request: web.Request, receipt: Receipt, *, elsewhere: bool = True) -> None:
    """Take a receipt; `elsewhere`: another channel may reach whom this one did not."""
    now = now_of(request)
    async with request.app[POOL].acquire() as db, db.transaction():
        moved = await receive(db, receipt, now=now)
        if receipt.said == "failed" and elsewhere:
            await fall_back(db, [one for one in moved if now < one.expires_at], now=now)


async def _reply_of(request: web.Request, account_id: int, channel: str, by: str, text: str) -> None:
    address = phone_of(by if by.startswith("+") else f"+{by}", None)
    meant = meaning_of(text)
    if address and meant:
        said = Consent(channel=channel, address=address, state=meant, source=f"reply by {channel}", at=now_of(request))
        await put_consent(request.app[POOL], account_id, said)


async def _take_mail(request: web.Request, account_id: int, body: bytes) -> None:
    await take_bounce(request.app[POOL], (await source_of(request)).secret, body, account_id=account_id)
