"""What may leave now: messages that wait are looked at once more when their turn comes, and written for their reader.

All of it in one short transaction, before anything is sent.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sql.messages.consent import consents
from sql.messages.messages import (
    Leaving,
    MessageFact,
    MessageRow,
    PutBack,
    begin_sending,
    hold_account,
    left_lately,
    put_back,
    put_message_facts,
    spend,
    spent_on,
    take_due,
)
from sql.messages.setup import kinds_of
from sql.messages.told import ToldStop, retracted_facts, told_stops
from sql.pool import Db
from work.links import return_token
from work.messages.channels.protocol import Outgoing
from work.messages.channels.settings import Common, Sms, WhatsApp
from work.messages.facts import fact_of
from work.messages.rules.contacts import address_for
from work.messages.rules.hours import leaves_at
from work.messages.rules.kinds import OF_THE_TRACK, is_asked_for, settings_of, why_not_true
from work.messages.words.catalog import built_in, words
from work.messages.words.gsm7 import count_parts
from work.messages.words.letter import Letterhead, letter
from work.messages.words.render import (
    BadText,
    Source,
    country_at,
    fill,
    for_sms,
    form_of,
    price_of,
    render,
    variables_of,
    words_of,
)

log = logging.getLogger(__name__)

APART = timedelta(minutes=10)
"""Between two messages to one address."""

UNSETTLED = timedelta(seconds=2)
"""Until what rests on a track that is being folded is looked at again."""

LEASE = timedelta(seconds=120)
"""Longer than any channel takes to send one or to give up."""


SECRET = frozenset({"code"})
"""Kinds whose words are nowhere but in what leaves: nobody of the company reads a recipient's code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who sends: a channel of an account. `again_when_unknown` as in the protocol of channels."""

    account_id: int
    channel: str
    settings: Common
    again_when_unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A message that is to be sent now."""

    row: MessageRow
    outgoing: Outgoing
    parts: int
    price: Decimal | None
    until: datetime
    """The lease ends."""


@dataclass(slots=True)
class _Look:
    """What is known while the messages of one lease are looked at; what leaves counts at once."""

    stops: Mapping[int, ToldStop]
    kinds: Mapping[str, dict[str, Any]]
    retracted: set[UUID]
    out: set[str]
    lately: dict[str, tuple[datetime, int]]
    parts_left: float
    money_left: float
    leased: list[Leased] = field(default_factory=list)
    back: list[PutBack] = field(default_factory=list)
    facts: list[MessageFact] = field(default_factory=list)
    parts: int = 0
    money: Decimal = Decimal(0)


async def lease(db: Db, sender: Sender, source: Source, *, now: datetime, at_most: int) -> list[Leased]:
    """Take the messages of a channel that may leave now, and put back or end the others. In a transaction."""
    await hold_account(db, sender.account_id)
    rows = await take_due(db, sender.account_id, sender.channel, now, at_most=at_most)
    if not rows:
        return []
    look = await _look(db, sender, rows, now)
    for row in rows:
        _look_at(row, sender, source, look, now)
    if look.back:
        await put_back(db, look.back)
    if look.facts:
        await put_message_facts(db, look.facts)
    if look.leased:
        leaving = [
            Leaving(
                id=one.row.id,
                subject=None if one.row.kind in SECRET else one.outgoing.subject,
                body=None if one.row.kind in SECRET else one.outgoing.body,
                parts=one.parts,
                price=one.price,
                why="unknown" if one.row.unknowns else None,
            )
            for one in look.leased
        ]
        await begin_sending(db, leaving, until=now + LEASE, now=now)
        await spend(db, sender.account_id, sender.channel, now.date(), parts=look.parts, money=look.money)
    return look.leased


async def _look(db: Db, sender: Sender, rows: Sequence[MessageRow], now: datetime) -> _Look:
    addresses = {row.address for row in rows}
    said = await consents(db, sender.account_id, addresses)
    spent = await spent_on(db, sender.account_id, sender.channel, now.date())
    limits = sender.settings
    return _Look(
        stops=await told_stops(db, {row.stop_id for row in rows}),
        kinds=await kinds_of(db, sender.account_id),
        retracted=await retracted_facts(db, {row.fact_id for row in rows if row.fact_id}),
        out={one.address for one in said if one.channel == sender.channel and one.state == "opted_out"},
        lately=await left_lately(
            db,
            sender.account_id,
            addresses,
            since=now - APART,
            today=now.replace(hour=0, minute=0, second=0, microsecond=0),
        ),
        parts_left=min(
            _left(limits.most_parts_a_day, spent.parts_today), _left(limits.most_parts_a_month, spent.parts_month)
        ),
        money_left=min(
            _left(limits.most_money_a_day, float(spent.money_today)),
            _left(limits.most_money_a_month, float(spent.money_month)),
        ),
    )


def _left(most: float | None, spent: float) -> float:
    return float("inf") if most is None else most - spent


def _look_at(row: MessageRow, sender: Sender, source: Source, look: _Look, now: datetime) -> None:
    """Decide on one message: it leaves, waits, or ends."""
    stop = look.stops[row.stop_id]
    if (ended := _ended(row, sender, stop, look, now)) is not None:
        _end(look, row, *ended, now)
        return
    if (held := _held(row, stop, look, now)) is not None:
        why, until = held
        look.back.append(PutBack(id=row.id, state="held", why=why, next_try_at=until))
        return
    _, today = look.lately.get(row.address, (None, 0))
    is_asked = is_asked_for(row.kind, row.data)
    if today >= sender.settings.most_a_day_each and not row.attempts and not is_asked:
        _end(look, row, "suppressed", "recipient-budget", now)
        return
    leased = _written(row, sender, source, stop, look, now)
    parts, money = leased.parts, leased.price or Decimal(0)
    if parts > look.parts_left or float(money) > look.money_left:
        _end(look, row, "suppressed", "budget", now)
        return
    look.parts_left -= parts
    look.money_left -= float(money)
    look.parts, look.money = look.parts + parts, look.money + money
    if not is_asked:
        look.lately[row.address] = (now, today + 1)
    look.leased.append(leased)


def _ended(row: MessageRow, sender: Sender, stop: ToldStop, look: _Look, now: datetime) -> tuple[str, str] | None:
    """Say in which state a message ends, and why; None: it does not."""
    if row.unknowns > int(sender.again_when_unknown):
        return "failed", "unknown"
    if now >= row.expires_at:
        return "expired", row.why or "too-late"
    why = _why_never(row, stop, look, now)
    return None if why is None else ("suppressed", why)


def _held(row: MessageRow, stop: ToldStop, look: _Look, now: datetime) -> tuple[str, datetime] | None:
    """Say why a message waits, and until when; None: it does not."""
    settings = settings_of(row.kind, look.kinds.get(row.kind))
    if is_asked_for(row.kind, row.data):
        return None
    at = leaves_at(row.kind, settings, stop, row.data, row.happened_at, now)
    if at > now:
        return "quiet-hours", at
    if stop.unsettled and row.kind in OF_THE_TRACK:
        return "unsettled", now + UNSETTLED
    last_at, _ = look.lately.get(row.address, (None, 0))
    if last_at is not None and now - last_at < APART and not row.attempts:
        return "too-soon", last_at + APART
    return None


def _why_never(row: MessageRow, stop: ToldStop, look: _Look, now: datetime) -> str | None:
    why = why_not_true(row.kind, stop, row.data, retracted=row.fact_id in look.retracted, now=now)
    if why is not None:
        return why
    if row.address in look.out:
        return "opted-out"
    address = address_for(
        row.channel,
        phone=stop.phone,
        email=stop.email,
        stop_id=stop.id,
        country=country_at(stop),
        has_browsers=bool(stop.browsers),
    )
    return "contact-changed" if address != row.address and not row.data.get("old") else None


def _end(look: _Look, row: MessageRow, state: str, why: str, now: datetime) -> None:
    look.back.append(PutBack(id=row.id, state=state, why=why, next_try_at=now))
    if state == "failed" and (fact := fact_of(row, state, why, now)) is not None:
        look.facts.append(fact)


def _written(row: MessageRow, sender: Sender, source: Source, stop: ToldStop, look: _Look, now: datetime) -> Leased:
    """Write a message for its reader; where the account's own words do not work, the built-in ones do."""
    values = variables_of(stop, source, row.locale, row.data, message_id=row.id, now=now)
    settings = settings_of(row.kind, look.kinds.get(row.kind))
    try:
        subject, body = render(row.kind, row.channel, row.locale, settings, stop, values)
    except BadText as error:
        log.warning("account %d: the text of %s by %s does not work: %s", row.account_id, row.kind, row.channel, error)
        own = built_in(row.kind, row.channel, row.locale, form_of(stop, row.locale))
        subject, body = (None if own[0] is None else fill(own[0], values)), fill(own[1], values)
    body, parts, price = finish(body, row.channel, row.locale, form_of(stop, row.locale), sender.settings, values)
    unsubscribe = str(values["unsubscribe"]) if row.channel == "email" else ""
    html = None
    if row.channel == "email":
        head = Letterhead(
            brand=str(values["brand"]),
            colour=words_of(stop).colours.get("primary", ""),
            language=row.locale,
            form=form_of(stop, row.locale),
        )
        html = letter(body, head, kind=row.kind, subject=subject or "", unsubscribe=unsubscribe)
    outgoing = Outgoing(
        id=row.id,
        kind=row.kind,
        to=row.address,
        locale=row.locale,
        body=body,
        at=now,
        subject=subject,
        html=html,
        unsubscribe=unsubscribe,
        return_token=return_token(source.secret, row.id),
        values={name: str(value) for name, value in values.items()},
        lives_s=(row.expires_at - now).total_seconds(),
        browsers=stop.browsers,
    )
    return Leased(
        row=row,
        outgoing=outgoing,
        parts=parts,
        price=price,
        until=now + LEASE,
    )


def finish(
    body: str, channel: str, locale: str, form: str, settings: Common, values: Mapping[str, Any]
) -> tuple[str, int, Decimal | None]:
    """Bring a text into the shape in which a channel sends it; return it, its parts and its price."""
    if isinstance(settings, Sms):
        if settings.opt_out != "none":
            body = f"{body} {fill(words(locale, form)[f'opt_out_{settings.opt_out}'], values)}"
        body = for_sms(body, plain=settings.unaccented)
        parts = count_parts(body).parts
        return body, parts, price_of(parts, settings.price_per_part)
    if isinstance(settings, WhatsApp):
        return body, 1, price_of(1, settings.price_per_part)
    return body, 1, None
