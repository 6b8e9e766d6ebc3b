"""How a recipient reaches the company: its card with hours, and links that carry what the call or mail is about."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from msgspec import Struct

from api.pages.catalog import help_texts
from sql.account.settings import AccountSettings, ContactCard, OpenHours
from work.messages.rules.hours import country_of, is_public_holiday

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD_DAYS = 15


class HandOff(Struct, frozen=True, kw_only=True):
    """Links that hand over to a person; null where the company names no such way. `tel` cannot carry the reference."""

    tel: str | None
    whatsapp: str | None
    mail: str | None


class ContactView(Struct, frozen=True, kw_only=True):
    """How the company is reached.

    `open_now` and `opens_at`: by its hours; null where it names none, `opens_at` also while it is open. `reference`:
    what to name.
    """

    name: str
    phone: str | None
    whatsapp: str | None
    email: str | None
    timezone: str
    hours: list[OpenHours]
    open_now: bool | None
    opens_at: datetime | None
    reference: str
    links: HandOff


def contact_of(settings: AccountSettings, *, reference: str, language: str, now: datetime) -> ContactView | None:
    """Show an account's contact card for whoever asks about a delivery; None: it has none."""
    card = settings.contact
    if card is None:
        return None
    subject = f"{settings.brand} {reference}".strip()
    words = help_texts(language)["contact_about"].format(order=reference)
    return ContactView(
        name=settings.brand,
        phone=card.phone,
        whatsapp=card.whatsapp,
        email=card.email,
        timezone=card.timezone,
        hours=card.hours,
        open_now=_is_open(card, now) if card.hours else None,
        opens_at=_opens_at(card, now),
        reference=reference,
        links=HandOff(
            tel=f"tel:{card.phone}" if card.phone else None,
            whatsapp=f"https://wa.me/{card.whatsapp[1:]}?text={quote(words, safe='')}" if card.whatsapp else None,
            mail=f"mailto:{quote(card.email, safe='@')}?subject={quote(subject, safe='')}&body={quote(words, safe='')}"
            if card.email
            else None,
        ),
    )


def _is_open(card: ContactCard, now: datetime) -> bool:
    return any(begin <= now < end for begin, end in _spans(card, now - timedelta(days=1), days=3))


def _opens_at(card: ContactCard, now: datetime) -> datetime | None:
    if not card.hours or _is_open(card, now):
        return None
    return min((begin for begin, _ in _spans(card, now, days=_LOOK_AHEAD_DAYS) if begin > now), default=None)


def _spans(card: ContactCard, since: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Give when somebody answers on some days; a holiday is none where the card says so."""
    zone = ZoneInfo(card.timezone)
    first, country = since.astimezone(zone).date(), country_of(card.timezone)
    for day in (first + timedelta(days=number) for number in range(days)):
        if card.closed_on_holidays and is_public_holiday(day, country):
            continue
        for hours in card.hours:
            if _DAYS[day.weekday()] in hours.days:
                yield (
                    datetime.combine(day, datetime.min.time(), zone) + _since_midnight(hours.open),
                    datetime.combine(day, datetime.min.time(), zone) + _since_midnight(hours.close),
                )


def _since_midnight(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
