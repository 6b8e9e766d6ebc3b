"""How an account sends: its channels, their secrets, and a message to try them."""

import re
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http.app_keys import CONFIG, GUARD, POOL, SEALER, now_of
from api.http.auth import caller_of
from api.http.media import answer, parse
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import converted, read_body, refuse, unstorable
from api.http.read.limited import read_limited
from api.messages.keys import source_of
from sql.account.accounts import account_by_id
from sql.messages.setup import ChannelRow, ProviderRow, channels_of, put_channel
from work.messages.channels.gateways import filled
from work.messages.channels.protocol import Accepted, Later, Outgoing, Refused
from work.messages.channels.push import new_key, public_key_of
from work.messages.channels.settings import (
    SECRETS,
    SETTINGS,
    Common,
    Email,
    Push,
    Sms,
    WhatsApp,
    split,
)
from work.messages.rules.contacts import email_of, phone_of
from work.messages.sending.send import opened_settings
from work.messages.sending.service import hook_url, open_channel
from work.messages.words.catalog import words
from work.messages.words.letter import Letterhead, letter
from work.messages.words.render import VARIABLES

operations = Operations("messages")


ChannelView: TypeAlias = dict[str, Any]
"""A channel as it is set, without its secrets.

`secrets` names those that are there; `hook_url` is where its provider sends receipts and replies of people.
"""


class ChannelList(Struct, frozen=True, kw_only=True):
    """Every channel that was ever set, all on one page."""

    channels: list[ChannelView]
    next: str | None = None


class TestMessage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to send a test to: a number with its country's code, or an e-mail address."""

    to: str


class TestSent(Struct, frozen=True, kw_only=True):
    """What came of it: `state` is sent, failed, or unknown where the provider did not answer."""

    state: str
    why: str | None
    provider_id: str | None


def _channel_in(request: web.Request) -> str:
    name = request.match_info["channel"]
    if name not in SETTINGS:
        raise NotFound(f"There is no such channel; there are {', '.join(SETTINGS)}.")
    return name


@operations.operation("GET", "/v1/account/channels", who=Who.ADMIN, answer=ChannelList)
async def list_channels(request: web.Request) -> web.Response:
    """List the channels that were set."""
    rows = await channels_of(request.app[POOL], caller_of(request).account_id)
    return answer(request, ChannelList(channels=[await _view(request, row) for row in rows.values()]))


@operations.operation("GET", "/v1/account/channels/{channel}", who=Who.ADMIN, answer=ChannelView)
async def get_channel(request: web.Request) -> web.Response:
    """Read a channel: email, sms, whatsapp, push or log. Secrets are never shown."""
    return answer(request, await _view(request, await _row(request, _channel_in(request))))


@operations.operation(
    "PUT",
    "/v1/account/channels/{channel}",
    who=Who.ADMIN,
    answer=ChannelView,
    takes={
        "application/json": {"type": "object", "description": "As docs/howto says of each channel."},
    },
)
async def put_channel_(request: web.Request) -> web.Response:
    """Set a channel; what is not said has its default.

    A secret that is left out stays the one before; null takes it away. Secrets are sealed where they are kept.
    """
    channel, account_id = _channel_in(request), caller_of(request).account_id
    content = await read_limited(request, request.app[CONFIG].max_body_bytes)
    raw: Any = parse(request.content_type, content, Any)
    refuse(list(unstorable(raw))[:100])
    settings: Common = converted(raw, SETTINGS[channel], "")
    before = (await channels_of(request.app[POOL], account_id)).get(channel)
    kept = request.app[SEALER].open(before.secrets) if before else {}
    kept = {name: value for name, value in kept.items() if name not in raw}
    if channel == "push" and not raw.get("key"):
        kept.setdefault("key", new_key())
    whole = msgspec.to_builtins(settings)
    shown, hidden = split(channel, whole | kept)
    refuse(_mistakes(request, msgspec.convert(shown | hidden, SETTINGS[channel])))
    await put_channel(
        request.app[POOL],
        account_id=account_id,
        channel=channel,
        enabled=settings.enabled,
        settings=shown,
        secrets=request.app[SEALER].seal(hidden) if hidden else None,
    )
    return answer(request, await _view(request, await _row(request, channel)))


@operations.operation("POST", "/v1/account/channels/{channel}/test", who=Who.ADMIN, body=TestMessage, answer=TestSent)
async def test_channel(request: web.Request) -> web.Response:
    """Send a short message by a channel, now, to see whether it works; no rule of when holds it back."""
    channel, account_id, app = _channel_in(request), caller_of(request).account_id, request.app
    body = await read_body(request, TestMessage)
    row = await _row(request, channel)
    if channel == "push":
        refuse([FieldError(at="/to", why="is no browser: press the button on a tracking page, and be approached")])
    to = body.to if channel == "log" else email_of(body.to) if channel == "email" else phone_of(body.to, None)
    if not to:
        why = "must be an e-mail address" if channel == "email" else "must be a mobile number like +573001112233"
        refuse([FieldError(at="/to", why=why)])
    settings = opened_settings(channel, row.settings, row.secrets, app[SEALER])
    source = await source_of(request)
    account = await account_by_id(app[POOL], account_id)
    languages = account.settings.get("languages") or ["es"]
    said = words(languages[0])["test"]
    provider = ProviderRow(
        account_id=account_id, updated_at=account.created_at, **{name: getattr(row, name) for name in row.__slots__}
    )
    sends = open_channel(provider, settings, source, app[GUARD], app[SEALER])
    brand = account.settings.get("brand") or account.name
    head = Letterhead(brand=brand, colour="", language=languages[0], form="tu")
    try:
        outcome = await sends.send(
            Outgoing(
                id=0,
                kind="departed_depot",
                to=to or "",
                locale=languages[0],
                subject=said["subject"],
                body=said["body"],
                at=now_of(request),
                html=letter(said["body"], head, kind="test", subject=said["subject"], unsubscribe=""),
                values=dict.fromkeys(VARIABLES, "Reparto"),
            )
        )
    finally:
        await sends.close()
    match outcome:
        case Accepted(provider_id):
            return answer(request, TestSent(state="sent", why=None, provider_id=provider_id))
        case Refused(why) | Later(_, why):
            return answer(request, TestSent(state="failed", why=why, provider_id=None))
    return answer(request, TestSent(state="unknown", why=outcome.why, provider_id=None))


async def _row(request: web.Request, channel: str) -> ChannelRow:
    row = (await channels_of(request.app[POOL], caller_of(request).account_id)).get(channel)
    if row is None:
        raise NotFound(f"The channel {channel} was never set.")
    return row


async def _view(request: web.Request, row: ChannelRow) -> ChannelView:
    source = await source_of(request)
    hidden = request.app[SEALER].open(row.secrets)
    own = {"public_key": public_key_of(hidden["key"])} if row.channel == "push" else {}
    return {
        "channel": row.channel,
        **own,
        **row.settings,
        "enabled": row.enabled,
        "secrets": sorted(name for name in hidden if name in SECRETS[row.channel]),
        "hook_url": hook_url(source, caller_of(request).account_id, row.channel, row.hook_generation),
    }


def _mistakes(request: web.Request, settings: Common) -> list[FieldError]:
    """Say what cannot be meant; what only the provider knows shows when a test message is sent."""
    match settings:
        case Email():
            return _email_mistakes(request, settings)
        case Sms():
            return _sms_mistakes(request, settings)
        case WhatsApp():
            return _whatsapp_mistakes(request, settings)
        case Push():
            return _push_mistakes(settings)
    return []


def _email_mistakes(request: web.Request, settings: Email) -> list[FieldError]:
    found = []
    for at, text in (
        ("/from", settings.from_),
        ("/return_path", settings.return_path),
        ("/reply_to", settings.reply_to),
    ):
        if text and email_of(parseaddr(text)[1]) is None:
            found.append(FieldError(at=at, why="must be like name@example.com or Name <name@example.com>"))
    why = request.app[GUARD].why_not(f"https://{settings.host}/")
    if why or not re.fullmatch(r"[\w.:\[\]-]+", settings.host):
        found.append(FieldError(at="/host", why=why or "must be the name of a mail server"))
    return found


def _sms_mistakes(request: web.Request, settings: Sms) -> list[FieldError]:
    found = []
    if settings.gateway == "custom":
        if not settings.url:
            found.append(FieldError(at="/url", why="is missing"))
        if not settings.body and settings.method != "GET":
            found.append(FieldError(at="/body", why="is missing"))
    else:
        needs = {"infobip": ("key",), "zenvia": ("key",)}.get(settings.gateway, ("key", "secret"))
        needs = (*needs, "from") if settings.gateway not in ("sns", "labsmobile") else needs
        given = {"key": settings.key, "secret": settings.secret, "from": settings.from_}
        found += [FieldError(at=f"/{name}", why="is missing") for name in needs if not given[name]]
    values = {**dict.fromkeys(("text", "id", "from", "key", "secret", "hook_url"), "x"), "region": "us-east-1"}
    values |= {"to": "+573001112233", "gsm": True}  # type: ignore[dict-item]
    for at, template in (("/url", settings.url), ("/body", settings.body), *_header_templates(settings)):
        try:
            text = filled(template or "", values)
        except ValueError as error:
            found.append(FieldError(at=at, why=f"does not work: {error}"))
            continue
        if at == "/url" and text and (why := request.app[GUARD].why_not(text)):
            found.append(FieldError(at=at, why=why))
    return found


def _push_mistakes(settings: Push) -> list[FieldError]:
    try:
        public_key_of(settings.key or "")
    except ValueError:
        return [FieldError(at="/key", why="must be 32 bytes as base64url: a private key of the curve P-256")]
    return []


def _header_templates(settings: Sms) -> Iterator[tuple[str, str]]:
    for name, text in settings.headers.items():
        yield f"/headers/{name}", text if re.fullmatch(r"[A-Za-z0-9-]{1,100}", name) else "{{"


def _whatsapp_mistakes(request: web.Request, settings: WhatsApp) -> list[FieldError]:
    given = {"token": settings.token, "app_secret": settings.app_secret}
    found = [FieldError(at=f"/{name}", why="is missing") for name, value in given.items() if not value]
    if why := request.app[GUARD].why_not(settings.url):
        found.append(FieldError(at="/url", why=why))
    named = {"/templates": settings.templates}
    named |= {f"/templates_by_language/{tongue}": each for tongue, each in settings.templates_by_language.items()}
    for at, templates in named.items():
        for kind, template in templates.items():
            unknown = [name for name in template.parameters if name not in VARIABLES]
            if unknown:
                found.append(FieldError(at=f"{at}/{kind}/parameters", why=f"there is no {unknown[0]!r}; {_VARIABLES}"))
    return found


_VARIABLES = f"there are {', '.join(VARIABLES)}"
