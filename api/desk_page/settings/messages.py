"""Messages to recipients: which kinds, by which channels, in which words; with a look at one before it is kept."""

from typing import get_args

import msgspec
from aiohttp import web

from api.desk.pages import LANG
from api.desk_page.settings.fields import Fields
from api.desk_page.settings.frame import ALSO, NOT_ADMINS, settings_page
from api.desk_page.shown import Looker, for_people
from api.http import ids
from api.http.app_keys import POOL
from api.http.operation import Operations, Parameter, Who
from api.pages.catalog import desk_texts
from sql.desk.tours import example_stop
from sql.messages.setup import channels_of, kinds_of
from work.messages.rules.kinds import KINDS, MOST_TEXT, Channel, KindSettings, Language, settings_of
from work.messages.words.render import VARIABLES

operations = Operations("desk")

_WRITTEN = tuple(one for one in get_args(Channel) if one != "whatsapp")
"""Channels whose words an account writes here; those of WhatsApp are templates that Meta has to approve."""


@operations.operation(
    "GET",
    "/desk/settings/messages",
    who=Who.ANYONE,
    query=(
        LANG,
        Parameter(name="kind", description="Which kind of message; else the first."),
        Parameter(name="channel", description="Whose words; else those of SMS."),
        Parameter(name="locale", description="es, pt or en: in which language; else that of the page."),
    ),
    media=("text/html",),
    also=ALSO,
)
@for_people(but=NOT_ADMINS)
async def get_messages_page(request: web.Request, looker: Looker) -> web.Response:
    """Show the kinds of messages, and one of them to change."""
    pool, account_id, of = request.app[POOL], looker.caller.account_id, Fields(desk_texts(looker.language))
    asked, words = request.query, looker.words
    kind = asked.get("kind", "") if asked.get("kind", "") in KINDS else next(iter(KINDS))
    channel = asked.get("channel", "") if asked.get("channel", "") in _WRITTEN else "sms"
    locale = asked.get("locale", "") if asked.get("locale", "") in get_args(Language) else looker.language
    stored, set_up = await kinds_of(pool, account_id), await channels_of(pool, account_id)
    now = settings_of(kind, stored.get(kind))
    text = now.texts.get(channel, {}).get(locale)  # type: ignore[call-overload]
    stop_id = await example_stop(pool, account_id)
    return settings_page(
        request,
        looker,
        "messages.html",
        title="settings_messages",
        kinds=[
            {"name": one, "label": words["message_kind"][one], "is_on": settings_of(one, stored.get(one)).enabled}
            for one in KINDS
        ],
        kind=kind,
        channel=channel,
        locale=locale,
        channels=[(one, words["channel"][one]) for one in _WRITTEN],
        locales=of.choices("language", get_args(Language)),
        fields=_fields(of, now, [(one, words["channel"][one]) for one in get_args(Channel)]),
        off=[words["channel"][one] for one in now.channels if one != "log" and one not in set_up],
        subject="" if text is None else text.subject or "",
        body="" if text is None else text.body,
        has_subject=channel == "email",
        longest=MOST_TEXT,
        variables=VARIABLES,
        stop="" if stop_id is None else ids.shown(ids.STOP, stop_id),
        stored=msgspec.json.encode(stored.get(kind) or {}).decode().replace("<", "\\u003c"),
    )


def _fields(of: Fields, now: KindSettings, channels: list[tuple[str, str]]) -> list[object]:
    quiet = now.quiet_hours
    return [
        of.make("enabled", "check", now.enabled),
        of.make("channels", "order", now.channels, choices=channels),
        of.make("after_s", "number", now.after_s, least=0, most=7 * 86_400, is_needed=True),
        of.make("quiet_hours/start", "time", "" if quiet is None else quiet.start),
        of.make("quiet_hours/end", "time", "" if quiet is None else quiet.end),
        of.make("wait_for_workday", "check", now.wait_for_workday),
    ]
