"""From notices to messages: to whom, by which channel, and whether at all."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geo.shape.plane import metres_between
from sql.messages.consent import consents
from sql.messages.messages import MessageRow, NewMessage, put_messages, rounds_told, told_before
from sql.messages.notices import Notice, stops_of_routes
from sql.messages.setup import ChannelRow, channels_of, kinds_of
from sql.messages.told import ToldStop, told_before_move, told_stops
from sql.pool import Db
from work.messages.rules.contacts import address_for
from work.messages.rules.hours import leaves_at
from work.messages.rules.kinds import KINDS, KindSettings, is_asked_for, settings_of
from work.messages.words.render import country_at, country_for, locale_of

SAME_PLACE_M = 100.0
"""Two stops of a tour so near, with one contact: whoever is there hears of the first, and not again of the second."""

_REAL_STOPS = frozenset({"delivery", "pickup", "return"})
_IN_ROUNDS = ("delayed", "changed", "ticket")
_OF_A_DAY = frozenset({"booked", "departed_depot"})
"""Told once for an order and day, also when it goes to another van."""

_OF_A_PLACE = frozenset({"booked", "departed_depot", "approaching", "arrived", "delayed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingSetup:
    """How an account sends, and who wants none: `out` holds (channel, address)."""

    channels: Mapping[str, ChannelRow]
    kinds: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """By which channel somebody hears; `why`: not at all, and why not."""

    channel: str
    address: str
    why: str | None = None


async def make_messages(db: Db, notices: Sequence[Notice], now: datetime) -> None:
    """Make the messages of notices, in the transaction that took them."""
    about = await _about(db, notices)
    for account_id in sorted({notice.account_id for notice in notices}):
        setup = SendingSetup(channels=await channels_of(db, account_id), kinds=await kinds_of(db, account_id))
        if not any(channel.enabled for channel in setup.channels.values()):
            continue
        mine = [one for one in about if one[0].account_id == account_id]
        messages = await _of_account(db, account_id, setup, mine, now)
        if messages:
            await put_messages(db, messages, now=now)


async def _about(db: Db, notices: Sequence[Notice]) -> list[tuple[Notice, ToldStop]]:
    """Say which stops notices are about; one of a whole tour is about each of its stops."""
    tours = await stops_of_routes(db, {one.route_id for one in notices if one.stop_id is None and one.route_id})
    pairs = [
        (notice, stop_id)
        for notice in notices
        for stop_id in ([notice.stop_id] if notice.stop_id else tours.get(notice.route_id or 0, []))
    ]
    stops = await told_stops(db, {stop_id for _, stop_id in pairs})
    return [(notice, stops[stop_id]) for notice, stop_id in pairs if stop_id in stops]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Worth:
    """Something that is worth telling at a stop; `turn` is the round of its kind."""

    notice: Notice
    stop: ToldStop
    settings: KindSettings
    turn: int

    @property
    def key(self) -> tuple[int, int, str, int]:
        """Of this there is one message at most to each address."""
        return self.stop.id, self.stop.attempt, self.notice.kind, self.turn


async def _of_account(
    db: Db, account_id: int, setup: SendingSetup, about: Sequence[tuple[Notice, ToldStop]], now: datetime
) -> list[NewMessage]:
    """Make the messages of one account."""
    rounds = await _rounds(db, setup, about)
    worth = []
    for place, (notice, stop) in enumerate(about):
        settings = settings_of(notice.kind, setup.kinds.get(notice.kind))
        if place in rounds and settings.enabled and _is_worth_telling(notice, stop, now):
            worth.append(_Worth(notice=notice, stop=stop, settings=settings, turn=rounds[place]))
    worth = await _not_told_of_the_day(db, worth)
    told = await told_before(db, [one.key for one in worth])
    addresses = {address for one in worth for address in _addresses(one.notice, one.stop)}
    said = {(one.channel, one.address): one.state for one in await consents(db, account_id, addresses)}
    return _chosen([one for one in worth if one.key not in told], setup, said, now)


async def _not_told_of_the_day(db: Db, worth: Sequence[_Worth]) -> list[_Worth]:
    """Leave out what was told of an order while it was on another route of the day."""
    told = await told_before_move(db, [one.stop.id for one in worth if one.notice.kind in _OF_A_DAY])
    return [one for one in worth if one.notice.kind not in _OF_A_DAY or (one.stop.id, one.notice.kind) not in told]


def _chosen(
    worth: Sequence[_Worth], setup: SendingSetup, said: Mapping[tuple[str, str], str], now: datetime
) -> list[NewMessage]:
    """Choose a channel for whoever hears; at one place with one contact they hear of the first stop only."""
    found: dict[tuple[int, int, str, int, str], NewMessage] = {}
    heard: dict[tuple[str, str, int], list[ToldStop]] = {}
    for one in worth:
        for contact, data in _contacts(one.notice, one.stop):
            choice = choose(setup, one.settings, one.stop, contact, said)
            if choice is None:
                continue
            if choice.why is None and _is_told_beside(heard, one.notice.kind, choice.address, one.stop):
                choice = Choice(channel=choice.channel, address=choice.address, why="duplicate-contact")
            heard.setdefault((one.notice.kind, choice.address, one.stop.route_id), []).append(one.stop)
            found.setdefault((*one.key, choice.address), _message(one, choice, data, now))
    return list(found.values())


def _is_worth_telling(notice: Notice, stop: ToldStop, now: datetime) -> bool:
    """Tell whether a message may follow: notices of a tour come to stops that are done, and to routes of the past."""
    if stop.kind not in _REAL_STOPS or (notice.kind == "pin" and not stop.asks_pin):
        return False
    if notice.kind in ("departed_depot", "booked") and stop.status != "pending":
        return False
    if notice.kind == "pin" and stop.status not in ("pending", "arrived"):
        return False
    if notice.kind in ("departed_depot", "pin") and stop.route_status != "started":
        return False  # a PIN that was replaced before is told when the van leaves
    return notice.kind not in ("booked", "departed_depot", "pin", "changed") or now < stop.end_at


async def _rounds(db: Db, setup: SendingSetup, about: Sequence[tuple[Notice, ToldStop]]) -> dict[int, int]:
    """Say which round of its kind each notice would begin, by place; missing: none, enough was said.

    A delay is told when the promise is missed by more than the account says, and again when it has grown by as much.
    A change and an answer are told each time, a PIN for each that there was.
    """
    turns: dict[int, int] = {}
    for kind in _IN_ROUNDS:
        of = {place: one for place, one in enumerate(about) if one[0].kind == kind}
        told = dict(await rounds_told(db, {stop.id for _, stop in of.values()}, kind)) if of else {}
        after_s = settings_of(kind, setup.kinds.get(kind)).after_s
        for place, (notice, stop) in of.items():
            key = (stop.id, stop.attempt)
            number, before = told.get(key, (0, {}))
            late_s = notice.data.get("lateness_s", 0)
            if kind == "delayed" and late_s <= after_s + before.get("lateness_s", 0):
                continue
            if KINDS[kind].most and number >= KINDS[kind].most:
                continue
            turns[place] = number + 1
            told[key] = (number + 1, notice.data)
    for place, (notice, stop) in enumerate(about):
        if notice.kind not in _IN_ROUNDS:
            turns[place] = _own_round(notice, stop)
    return turns


def _own_round(notice: Notice, stop: ToldStop) -> int:
    """Say which round it is of what is told once for each PIN, each code, each time that codes are locked."""
    if notice.kind == "pin":
        return 1 + stop.pin_generation
    turn: int = notice.data.get("round", 1)
    return turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How somebody can be reached."""

    phone: str | None
    email: str | None
    has_browsers: bool


def _contacts(notice: Notice, stop: ToldStop) -> Iterable[tuple[Contact, dict[str, Any]]]:
    """Give whom a notice concerns: who waits at the stop, and of a contact that was changed what is new and old."""
    was = notice.data.get("old_contact")
    now = _contact_of(stop, notice.kind, notice.data)
    yield now, {k: v for k, v in notice.data.items() if k != "old_contact"}
    if not was:
        return
    guarded = {"guarded": True} if notice.data.get("guarded") else {}
    other_phone, other_email = stop.phone != was.get("phone"), stop.email != was.get("email")
    new = Contact(
        phone=stop.phone if other_phone else None, email=stop.email if other_email else None, has_browsers=False
    )
    old = Contact(
        phone=was.get("phone") if other_phone else None,
        email=was.get("email") if other_email else None,
        has_browsers=False,
    )
    for contact, data in ((new, guarded), (old, guarded | {"old": True})):
        if contact.phone or contact.email:
            yield contact, data


def _contact_of(stop: ToldStop, kind: str, data: Mapping[str, Any]) -> Contact:
    """Give how whoever waits at a stop is told of a kind.

    Whoever has the link has their browser told: what is to show who has the contact too, or to warn them of somebody
    who has not, goes to none.
    """
    return Contact(
        phone=stop.phone, email=stop.email, has_browsers=bool(stop.browsers) and not is_asked_for(kind, data)
    )


def _addresses(notice: Notice, stop: ToldStop) -> Iterable[str]:
    for contact, _ in _contacts(notice, stop):
        for channel in ("email", "sms"):
            if found := _address(channel, stop, contact):
                yield found


def _address(channel: str, stop: ToldStop, contact: Contact) -> str | None:
    return address_for(
        channel,
        phone=contact.phone,
        email=contact.email,
        stop_id=stop.id,
        country=country_at(stop),
        has_browsers=contact.has_browsers,
    )


def choose(
    setup: SendingSetup,
    settings: KindSettings,
    stop: ToldStop,
    contact: Contact,
    said: Mapping[tuple[str, str], str],
    *,
    without: Collection[str] = (),
) -> Choice | None:
    """Choose the first channel that reaches somebody; with none, say why the first one does not.

    Args:
        said: what people said of messages, by channel and address: opted_in or opted_out.
        without: channels that were tried.

    Returns:
        None when the account has switched on none of the kind's channels.
    """
    country = country_at(stop)
    order = settings.channels_by_country.get(country or "", settings.channels)
    order = sorted(order, key=lambda channel: channel != stop.wished_channel)
    usable = [channel for channel in order if (row := setup.channels.get(channel)) and row.enabled]
    passed = {*without} if contact.has_browsers else {*without, "push"}  # nobody asked for it, and nobody misses it
    usable = [channel for channel in usable if channel not in passed]
    refused: Choice | None = None
    for channel in usable:
        choice = _by(setup.channels[channel], stop, contact, said)
        if choice.why is None:
            return choice
        if refused is None or (refused.why == "no-address" and choice.why != "no-address"):
            refused = choice
    return refused


def _by(row: ChannelRow, stop: ToldStop, contact: Contact, said: Mapping[tuple[str, str], str]) -> Choice:
    """Say whether a channel reaches somebody, and where."""
    address = _address(row.channel, stop, contact)
    if address is None:
        return Choice(channel=row.channel, address=_given(row.channel, contact), why="no-address")
    return Choice(channel=row.channel, address=address, why=why_not(row, stop, address, said))


async def reached_by(db: Db, stop_id: int, kind: str) -> Choice | None:
    """Say how whoever waits at a stop would hear of a kind now; None: the account sends it by nothing that is on."""
    stop = (await told_stops(db, [stop_id]))[stop_id]
    setup = SendingSetup(channels=await channels_of(db, stop.account_id), kinds=await kinds_of(db, stop.account_id))
    settings = settings_of(kind, setup.kinds.get(kind))
    if not settings.enabled:
        return None
    contact = Contact(phone=stop.phone, email=stop.email, has_browsers=False)
    addresses = [found for channel in ("email", "sms") if (found := _address(channel, stop, contact))]
    said = {(one.channel, one.address): one.state for one in await consents(db, stop.account_id, addresses)}
    return choose(setup, settings, stop, contact, said)


def _given(channel: str, contact: Contact) -> str:
    """Show what was given in place of an address, where it is none."""
    return ((contact.email if channel == "email" else contact.phone) or "").strip()


def why_not(row: ChannelRow, stop: ToldStop, address: str, said: Mapping[tuple[str, str], str]) -> str | None:
    """Say why a channel may not write to an address; None: it may."""
    state = said.get((row.channel, address))
    if state == "opted_out":
        return "opted-out"
    if row.settings.get("opt_in") == "required" and state != "opted_in":
        return "no-consent"
    countries = row.settings.get("countries")
    if countries and address.startswith("+") and country_for(stop, address) not in countries:
        return "country-not-allowed"
    return None


def _is_told_beside(
    heard: Mapping[tuple[str, str, int], list[ToldStop]], kind: str, address: str, stop: ToldStop
) -> bool:
    """Tell whether whoever has an address hears the same of another stop at the same place."""
    others = heard.get((kind, address, stop.route_id), ()) if kind in _OF_A_PLACE and address[:3] != "st_" else ()
    return any(
        other.id != stop.id and metres_between(other.lon, other.lat, stop.lon, stop.lat) <= SAME_PLACE_M
        for other in others
    )


def _message(about: _Worth, choice: Choice, data: dict[str, Any], now: datetime) -> NewMessage:
    notice, stop, settings = about.notice, about.stop, about.settings
    rule = KINDS[notice.kind]
    wait = timedelta(seconds=settings.after_s if notice.kind == "rating" else 0)
    due = now + wait
    at = leaves_at(notice.kind, settings, stop, data, notice.happened_at, due)
    state = "suppressed" if choice.why else "held" if at > now else "queued"
    why = choice.why or ("after" if at == due and wait else "quiet-hours" if at > now else None)
    return NewMessage(
        account_id=notice.account_id,
        route_id=stop.route_id,
        stop_id=stop.id,
        attempt=stop.attempt,
        kind=notice.kind,
        round=about.turn,
        channel=choice.channel,
        address=choice.address,
        locale=locale_of(stop),
        state=state,
        why=why,
        fact_id=notice.fact_id,
        happened_at=notice.happened_at,
        next_try_at=at,
        expires_at=due + rule.lives if wait else notice.happened_at + rule.lives,
        data=data,
    )


async def fall_back(db: Db, failed: Sequence[MessageRow], *, now: datetime) -> int:
    """Make the messages that go by the next channel, where one cannot reach somebody; return how many."""
    stops = await told_stops(db, {one.stop_id for one in failed})
    made: list[NewMessage] = []
    for one in failed:
        stop = stops.get(one.stop_id)
        if stop is None or one.data.get("old"):
            continue
        setup = SendingSetup(channels=await channels_of(db, one.account_id), kinds=await kinds_of(db, one.account_id))
        settings = settings_of(one.kind, setup.kinds.get(one.kind))
        tried = [*one.data.get("tried", ()), one.channel]
        contact = _contact_of(stop, one.kind, one.data)
        addresses = [a for channel in ("email", "sms") if (a := _address(channel, stop, contact))]
        said = {(c.channel, c.address): c.state for c in await consents(db, one.account_id, addresses)}
        choice = choose(setup, settings, stop, contact, said, without=tried)
        if choice is None or choice.why is not None:
            continue
        made.append(
            NewMessage(
                account_id=one.account_id,
                route_id=one.route_id,
                stop_id=one.stop_id,
                attempt=one.attempt,
                kind=one.kind,
                round=one.round,
                channel=choice.channel,
                address=choice.address,
                locale=one.locale,
                state="queued",
                why=None,
                fact_id=one.fact_id,
                happened_at=one.happened_at,
                next_try_at=now,
                expires_at=one.expires_at,
                data=one.data | {"tried": tried},
            )
        )
    return await put_messages(db, made, now=now) if made else 0
