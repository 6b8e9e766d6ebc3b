"""Words of a message for one stop: which text, in which language, filled with what.

Accounts write their own in minijinja. What a text may cost is limited: instructions by fuel, which also pays for every
character that grows, and the length of what comes out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import minijinja
from msgspec import Struct, convert, field

from sql.messages.told import ToldStop
from work.links import code_of, pin_of, token_of, unsubscribe_token
from work.messages.rules.contacts import country_of_phone
from work.messages.rules.hours import country_of, zone_at
from work.messages.rules.kinds import MOST_TEXT, KindSettings
from work.messages.words.catalog import LANGUAGES, built_in, words
from work.messages.words.gsm7 import Parts, count_parts, unaccented
from work.messages.words.windows import day_words, window_words

FUEL = 10_000
"""Instructions of one text; the longest built-in one takes about fifty."""

VARIABLES = (
    *("brand", "first_name", "window", "day", "link", "thing", "pickup", "reason"),
    *("pin", "code", "order", "unsubscribe", "ticket", "answer"),
)
"""What a text may speak of."""

_VOS = frozenset({"AR", "UY", "PY"})
_SHORT_HOST = re.compile(
    r"https?://(?:www\.)?(bit\.ly|t\.co|goo\.gl|tinyurl\.com|ow\.ly|is\.gd|cutt\.ly|rb\.gy|rebrand\.ly|tiny\.cc|acortar\.link"
    r"|s\.id|shorturl\.at|buff\.ly|t\.ly)/",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://")
_HALF_OF_DAY_ENDS = re.compile(r"(?<=[ap]\.m)\.\.(?!\.)")
"""A sentence that ends in `p.m.` has one point there, not two (RAE, Ortografía: el punto abreviativo)."""


class Words(Struct, frozen=True, kw_only=True):
    """What messages need of an account's settings (api/account/endpoints.py)."""

    brand: str = ""
    languages: list[str] = field(default_factory=lambda: [*LANGUAGES])
    address_form: str = "tu"
    failure_reasons: list[dict[str, str]] = []
    colours: dict[str, str] = field(default_factory=dict)
    logo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the addresses in messages lead.

    Attributes:
        secret: the installation's, from which tokens are derived.
        public_url: without a slash at its end.
    """

    secret: bytes
    public_url: str

    def link(self, stop: ToldStop) -> str:
        """Give the address of a stop's tracking page; empty: its link was ended."""
        token = token_of(self.secret, stop.id, stop.link_generation)
        return "" if stop.link_revoked else f"{self.public_url}/t/{token}"

    def unsubscribe(self, message_id: int) -> str:
        """Give the address where whoever got a message says that they want no more."""
        return f"{self.public_url}/u/{unsubscribe_token(self.secret, message_id)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A text as it leaves; `problems` say what is wrong with it."""

    subject: str | None
    body: str
    parts: Parts
    problems: list[str]


class BadText(Exception):  # noqa: N818 (what is wrong is the text)
    """A text that an account wrote does not work; the message says why."""


def words_of(stop: ToldStop) -> Words:
    """Read what an account set for its messages."""
    return convert(stop.settings, Words)


def locale_of(stop: ToldStop) -> str:
    """Choose the language of whoever waits at a stop, of those that the account speaks."""
    spoken = [one for one in words_of(stop).languages if one in LANGUAGES] or list(LANGUAGES)
    own = (stop.locale or "").replace("_", "-").partition("-")[0].lower()
    return own if own in spoken else spoken[0]


def country_at(stop: ToldStop) -> str | None:
    """Tell which country a stop is in."""
    return country_of(zone_at(stop.lat, stop.lon, stop.timezone))


def variables_of(
    stop: ToldStop, source: Source, locale: str, data: Mapping[str, Any], *, message_id: int, now: datetime
) -> dict[str, Any]:
    """Say what a text may speak of.

    Args:
        data: what came with the cause; `old`: it is for a contact that is not the stop's any more.
        message_id: 0 for a preview.
    """
    zone = zone_at(stop.lat, stop.lon, stop.timezone)
    said, form = words(locale, form_of(stop, locale)), words_of(stop)
    pickup = stop.kind in ("pickup", "return")
    return {
        "brand": form.brand or stop.account_name,
        "first_name": stop.name.split()[0] if stop.name.split() else "",
        "window": _window(stop, now, zone, locale),
        "day": _day(stop, now, zone, locale),
        "link": "" if data.get("old") else source.link(stop),
        "thing": said["thing_pickup" if pickup else "thing"],
        "pickup": pickup,
        "reason": _reason(stop, form, said),
        "pin": pin_of(source.secret, stop.id, stop.pin_generation) if stop.asks_pin else "",
        "code": code_of(source.secret, stop.id, data["generation"]) if "generation" in data else "",
        "order": stop.external_id,
        "ticket": data.get("ticket", ""),
        "answer": data.get("answer", ""),
        "unsubscribe": source.unsubscribe(message_id),
    }


def form_of(stop: ToldStop, locale: str) -> str:
    """Say how a reader of Spanish is addressed: as the account does, by vos where tú is foreign."""
    form = words_of(stop).address_form
    region = (stop.locale or "").replace("_", "-").upper().split("-")[-1]
    lives = region if len(region) == 2 and "-" in (stop.locale or "").replace("_", "-") else country_at(stop)
    return "vos" if locale == "es" and form == "tu" and lives in _VOS else form


def render(
    kind: str, channel: str, locale: str, settings: KindSettings, stop: ToldStop, variables: Mapping[str, Any]
) -> tuple[str | None, str]:
    """Fill in the account's text, or the built-in one; return subject and body.

    Raises:
        BadText: the account's does not work.
    """
    subject, body = text_of(kind, channel, locale, settings, stop)
    return (None if subject is None else " ".join(fill(subject, variables).split())), fill(body, variables).strip()


def text_of(kind: str, channel: str, locale: str, settings: KindSettings, stop: ToldStop) -> tuple[str | None, str]:
    """Find the text of a kind: the account's own in this language, else the built-in one."""
    subject, body = built_in(kind, channel, locale, form_of(stop, locale))
    own = settings.texts.get(channel, {}).get(locale)  # type: ignore[call-overload]
    if own is None:
        return subject, body
    return (own.subject or subject if channel == "email" else None), own.body


@lru_cache(maxsize=1)
def _environment() -> minijinja.Environment:
    return minijinja.Environment(fuel=FUEL, debug=False, auto_escape_callback=lambda name: False, pycompat=False)


def fill(text: str, variables: Mapping[str, Any]) -> str:
    """Fill in a text.

    Raises:
        BadText: it is not minijinja, costs too much or becomes too long.
    """
    try:
        filled = str(_environment().render_str(text, **variables))
    except minijinja.TemplateError as error:
        raise BadText(str(error).splitlines()[0]) from error
    if len(filled) > 2 * MOST_TEXT:
        raise BadText(f"becomes longer than {2 * MOST_TEXT} characters")
    return _HALF_OF_DAY_ENDS.sub(".", filled)


def unknown_in(text: str) -> list[str]:
    """Name the variables of a text that there are not.

    Raises:
        BadText: it is not minijinja.
    """
    try:
        named = _environment().undeclared_variables_in_str(text)
    except minijinja.TemplateError as error:
        raise BadText(str(error).splitlines()[0]) from error
    return sorted(named - {*VARIABLES, "range", "dict", "namespace", "debug"})


def problems_of(kind: str, channel: str, template: str, body: str, link: str) -> list[str]:
    """Say what is wrong with a text, in words for whoever wrote it.

    Args:
        template: as written; body: filled in for a real stop.
    """
    found = [f"unknown-variable: {name}" for name in unknown_in(template)]
    if kind not in ("pin", "code", "locked") and channel != "push" and link and link not in body:
        found.append("missing-link: the text does not hold {{ link }}")
    if kind in ("pin", "code") and kind not in template:
        found.append(f"missing-{kind}: the text does not hold {{{{ {kind} }}}}")
    short = sorted({match[1].lower() for match in _SHORT_HOST.finditer(body)})
    found += [f"shortener: {one} is blocked by carriers, and shows nobody who writes" for one in short]
    if len(_URL.findall(body)) > 2:
        found.append("many-links: more than two look like fraud")
    if channel == "sms":
        counted = count_parts(body)
        if counted.parts > 1:
            found.append(f"segments: {counted.parts} parts in {counted.encoding}")
    return found


def for_sms(body: str, *, plain: bool) -> str:
    """Write a text as it leaves by SMS: without accents where those make it dearer, if the account wants that."""
    if not plain:
        return body
    bare = unaccented(body)
    return bare if count_parts(bare).parts < count_parts(body).parts else body


def price_of(parts: int, price_per_part: float | None) -> Decimal | None:
    """Say what a message costs; None: the account gave no price."""
    return None if price_per_part is None else parts * Decimal(str(price_per_part))


def country_for(stop: ToldStop, address: str) -> str | None:
    """Tell which country's rules hold for an address: that of a number, else that of the stop."""
    return country_of_phone(address) if address.startswith("+") else country_at(stop)


def _reason(stop: ToldStop, form: Words, said: Mapping[str, Any]) -> str:
    known: str | None = said["reasons"].get(stop.reason or "other")
    if known is not None:
        return known
    own = next((one["text"] for one in form.failure_reasons if one.get("code") == stop.reason), None)
    return own or str(said["reasons"]["other"])


def _window(stop: ToldStop, now: datetime, zone: str, locale: str) -> str:
    low, high = stop.window_start, stop.window_end
    if stop.eta_low is not None and stop.eta_high is not None and stop.route_status == "started":
        low, high = max(stop.eta_low, now), max(stop.eta_high, now)
    elif low is None or high is None:
        if stop.planned_arrival is None:
            return _day(stop, now, zone, locale)
        low, high = stop.planned_arrival - timedelta(minutes=30), stop.planned_arrival + timedelta(minutes=30)
    return window_words(low, high, now, zone=zone, language=locale, country=country_of(zone))


def _day(stop: ToldStop, now: datetime, zone: str, locale: str) -> str:
    there = ZoneInfo(zone)
    at = stop.outcome_at or stop.window_start or stop.planned_arrival or stop.start_at
    return day_words(at.astimezone(there).date(), now.astimezone(there).date(), locale)
