"""Who may be written to: what people said of it, kept with where they said it; and the page where they say it."""

from datetime import datetime
from html import escape
from string import Template
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.messages.keys import source_of
from api.pages.catalog import LANGUAGES, choose
from sql.account.accounts import account_by_id
from sql.messages import consent as consents
from sql.messages.consent import Consent, put_consent
from sql.messages.messages import Address, address_of
from work.links import message_of_token
from work.messages.channels.settings import SETTINGS
from work.messages.rules.contacts import written
from work.messages.rules.kinds import Channel
from work.messages.words.catalog import words

operations = Operations("messages")

_LONGEST_ADDRESS = 254


class ConsentPut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody said of messages by one channel. `source`: where, in words that a court understands."""

    channel: Channel
    state: Annotated[str, Meta(pattern=r"^(opted_in|opted_out)$(?!\n)")]
    source: Annotated[str, Meta(min_length=1, max_length=300)]


class ConsentView(Struct, frozen=True, kw_only=True):
    """The last word of, or about, whoever has an address."""

    channel: str
    address: str
    state: str
    source: str
    at: datetime


class ConsentList(Struct, frozen=True, kw_only=True):
    """What is known of an address; none of a channel: nothing was said."""

    address: str
    consents: list[ConsentView]


def _address_in(request: web.Request) -> str:
    address = written(request.match_info["address"])
    if not 0 < len(address) <= _LONGEST_ADDRESS or "\0" in address:
        raise NotFound("There is no such address.")
    return address


@operations.operation("GET", "/v1/contacts/{address}/consent", who=Who.SUPPORT, answer=ConsentList)
async def get_consent(request: web.Request) -> web.Response:
    """Read what somebody said of messages, by number (+573001112233) or e-mail address."""
    address = _address_in(request)
    rows = await consents.consents(request.app[POOL], caller_of(request).account_id, [address])
    return answer(request, ConsentList(address=address, consents=[_view(row) for row in rows]))


@operations.operation("PUT", "/v1/contacts/{address}/consent", who=Who.DISPATCHER, body=ConsentPut, answer=ConsentView)
async def put_consent_(request: web.Request) -> web.Response:
    """Write down what somebody said of messages by a channel; the last word counts."""
    address, body = _address_in(request), await read_body(request, ConsentPut)
    if body.channel not in SETTINGS:
        refuse([FieldError(at="/channel", why="there is no such channel")])
    said = Consent(channel=body.channel, address=address, state=body.state, source=body.source, at=now_of(request))
    await put_consent(request.app[POOL], caller_of(request).account_id, said)
    return answer(request, _view(said))


def _view(row: Consent) -> ConsentView:
    return ConsentView(channel=row.channel, address=row.address, state=row.state, source=row.source, at=row.at)


_PAGE = Template(
    """<!doctype html>
<html lang="$language"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>$title</title>
<meta name="color-scheme" content="light dark"></head>
<body><main><h1>$title</h1><p>$text</p>$form</main></body></html>
"""
)
_POLICY = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


@operations.operation(
    "GET",
    "/u/{token}",
    who=Who.ANYONE,
    media=("text/html",),
    also={404: "A page that says that there is no such link."},
)
async def show_unsubscribe(request: web.Request) -> web.Response:
    """Show the page where whoever got a message says that they want no more; opening it changes nothing."""
    found = await _of_token(request)
    return await _page(request, found, done=False)


@operations.operation(
    "POST",
    "/u/{token}",
    who=Who.ANYONE,
    media=("text/html",),
    also={404: "A page that says that there is no such link."},
)
async def unsubscribe(request: web.Request) -> web.Response:
    """Take somebody's word that they want no more messages by this channel (one click, RFC 8058)."""
    found = await _of_token(request)
    if found is not None:
        said = Consent(
            channel=found.channel,
            address=found.address,
            state="opted_out",
            source="unsubscribe link",
            at=now_of(request),
        )
        await put_consent(request.app[POOL], found.account_id, said)
    return await _page(request, found, done=True)


async def _of_token(request: web.Request) -> Address | None:
    source = await source_of(request)
    message_id = message_of_token(source.secret, request.match_info["token"])
    return None if message_id is None else await address_of(request.app[POOL], message_id)


async def _page(request: web.Request, found: Address | None, *, done: bool) -> web.Response:
    offered = [found.locale, *(one for one in LANGUAGES if one != found.locale)] if found else LANGUAGES
    language = choose(request.query.get("lang", ""), request.headers.get("Accept-Language", ""), offered)
    said = words(language)["unsubscribe"]
    brand = ""
    if found is not None:
        account = await account_by_id(request.app[POOL], found.account_id)
        brand = account.settings.get("brand") or account.name
    title = said["unknown" if found is None else "done" if done else "title"].replace("{{ brand }}", brand)
    text = "" if found is None or done else said["text"].replace("{{ channel }}", said["channels"][found.channel])
    form = f'<form method="post"><button>{escape(said["button"])}</button></form>' if found and not done else ""
    html = _PAGE.substitute(language=language, title=escape(title), text=escape(text), form=form)
    return web.Response(
        status=404 if found is None else 200,
        text=html,
        content_type="text/html",
        headers={
            "Content-Security-Policy": _POLICY,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
