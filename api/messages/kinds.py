"""Kinds of messages: on or off, when, by which channels, in which words; and a look at them on a real stop."""

from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL, SEALER, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import converted, read_body, refuse
from api.messages.keys import source_of
from sql.messages.setup import channels_of, kinds_of, put_kind
from sql.messages.told import told_stops
from work.messages.channels.settings import SETTINGS, Common, Email, Log, Sms, WhatsApp
from work.messages.deciding.leave import finish
from work.messages.rules.kinds import KINDS, MOST_TEXT, Channel, Kind, KindSettings, Language, settings_of
from work.messages.sending.send import opened_settings
from work.messages.words.gsm7 import count_parts
from work.messages.words.render import BadText, fill, form_of, problems_of, text_of, unknown_in, variables_of
from work.outgoing.sealed import CannotOpen

operations = Operations("messages")


class KindView(KindSettings, frozen=True, kw_only=True):
    """A kind as it is in force: what was never said has its default."""

    kind: str


class KindList(Struct, frozen=True, kw_only=True):
    """All kinds, on one page."""

    kinds: list[KindView]
    next: str | None = None


class Preview(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to look at. `body` and `subject` are texts that are not kept yet; else the ones in force are shown."""

    kind: Kind
    channel: Channel
    locale: Language
    stop_id: str
    body: str | None = None
    subject: str | None = None


class Previewed(Struct, frozen=True, kw_only=True):
    """A text as it would leave now, and what is wrong with it."""

    subject: str | None
    body: str
    parts: int
    encoding: str
    price: float | None
    problems: list[str]


def _kind_in(request: web.Request) -> str:
    kind = request.match_info["kind"]
    if kind not in KINDS:
        raise NotFound(f"There is no such kind of message; there are {', '.join(KINDS)}.")
    return kind


@operations.operation("GET", "/v1/account/messages", who=Who.VIEWER, answer=KindList)
async def list_kinds(request: web.Request) -> web.Response:
    """List the kinds of messages as they are in force."""
    stored = await kinds_of(request.app[POOL], caller_of(request).account_id)
    return answer(request, KindList(kinds=[_view(kind, settings_of(kind, stored.get(kind))) for kind in KINDS]))


@operations.operation("GET", "/v1/account/messages/{kind}", who=Who.VIEWER, answer=KindView)
async def get_kind(request: web.Request) -> web.Response:
    """Read a kind of message as it is in force."""
    kind = _kind_in(request)
    stored = await kinds_of(request.app[POOL], caller_of(request).account_id)
    return answer(request, _view(kind, settings_of(kind, stored.get(kind))))


@operations.operation("PUT", "/v1/account/messages/{kind}", who=Who.ADMIN, body=KindSettings, answer=KindView)
async def put_kind_(request: web.Request) -> web.Response:
    """Set a kind of message; what is not said has its default.

    Texts are minijinja. One that does not work, or speaks of what there is not, is refused.
    """
    kind = _kind_in(request)
    raw = await read_body(request, dict[str, Any])
    default = msgspec.to_builtins(KINDS[kind].default)
    settings: KindSettings = converted(default | raw, KindSettings, "")
    refuse(_mistakes(settings))
    await put_kind(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        kind=kind,
        settings={name: value for name, value in msgspec.to_builtins(settings).items() if name in raw},
    )
    return answer(request, _view(kind, settings))


@operations.operation("POST", "/v1/messages/preview", who=Who.DISPATCHER, body=Preview, answer=Previewed)
async def preview(request: web.Request) -> web.Response:
    """Look at a text, filled in for a real stop.

    `problems` begin with what they are: unknown-variable, missing-link, missing-pin, segments, shortener, many-links,
    or broken, where it does not work at all.
    """
    body, account_id, pool = await read_body(request, Preview), caller_of(request).account_id, request.app[POOL]
    number = ids.number_of(ids.STOP, body.stop_id)
    stop = (await told_stops(pool, [number])).get(number) if number else None
    if stop is None or stop.account_id != account_id:
        refuse([FieldError(at="/stop_id", why="there is no such stop")])
        raise AssertionError
    stored = await kinds_of(pool, account_id)
    subject, template = text_of(
        body.kind, body.channel, body.locale, settings_of(body.kind, stored.get(body.kind)), stop
    )
    template = template if body.body is None else body.body
    subject = subject if body.subject is None or subject is None else body.subject
    values = variables_of(stop, await source_of(request), body.locale, {}, message_id=0, now=now_of(request))
    try:
        if len(template) > MOST_TEXT:
            raise BadText(f"is longer than {MOST_TEXT} characters")
        text, title = fill(template, values).strip(), None if subject is None else fill(subject, values)
        settings = await _settings(request, body.channel)
        text, parts, price = finish(text, body.channel, body.locale, form_of(stop, body.locale), settings, values)
        problems = problems_of(body.kind, body.channel, template, text, str(values["link"]))
        if subject is not None:
            problems += [f"unknown-variable: {name}" for name in unknown_in(subject)]
    except BadText as error:
        shown = Previewed(subject=None, body="", parts=0, encoding="GSM-7", price=None, problems=[f"broken: {error}"])
        return answer(request, shown)
    return answer(
        request,
        Previewed(
            subject=title,
            body=text,
            parts=parts,
            encoding=count_parts(text).encoding,
            price=None if price is None else float(price),
            problems=problems,
        ),
    )


async def _settings(request: web.Request, channel: str) -> Common:
    """Read a channel as it is set; one that is not is taken as its defaults."""
    row = (await channels_of(request.app[POOL], caller_of(request).account_id)).get(channel)
    if row is None:
        return _UNSET.get(channel, Log())
    try:
        return opened_settings(channel, row.settings, row.secrets, request.app[SEALER])
    except CannotOpen:
        return msgspec.convert(row.settings, SETTINGS[channel])


_UNSET: dict[str, Common] = {
    "email": Email(host="-", port=25, from_="-"),
    "sms": Sms(gateway="custom"),
    "whatsapp": WhatsApp(phone_number_id="0"),
    "log": Log(),
}


def _mistakes(settings: KindSettings) -> list[FieldError]:
    found = []
    lists = {"/channels": settings.channels}
    lists |= {f"/channels_by_country/{country}": each for country, each in settings.channels_by_country.items()}
    for at, channels in lists.items():
        if len(set(channels)) < len(channels):
            found.append(FieldError(at=at, why="names a channel twice"))
    for channel, by_locale in settings.texts.items():
        for locale, text in by_locale.items():
            for part in ("subject", "body"):
                said = getattr(text, part)
                at = f"/texts/{channel}/{locale}/{part}"
                try:
                    unknown = unknown_in(said) if said else []
                except BadText as error:
                    found.append(FieldError(at=at, why=f"does not work: {error}"))
                    continue
                found += [FieldError(at=at, why=f"there is no variable {name!r}") for name in unknown]
    return found


def _view(kind: str, settings: KindSettings) -> KindView:
    return KindView(kind=kind, **msgspec.structs.asdict(settings))
