"""What needs the code that went to the contact on file: who else may take it, how to reach whoever waits."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from aiohttp import web
from msgspec import Meta, Struct

from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError
from api.http.read.bodies import read_body, refuse
from api.portal.change import ChangeAccepted, changing, put_wish
from api.portal.hints import hinted
from api.portal.step_up import CODE, stepped_up
from api.routes.body import Email, Phone
from sql.messages.consent import Consent, put_consent
from sql.messages.push import drop_subscriptions
from sql.pool import Db
from sql.portal import stops
from sql.portal.stops import PortalStop
from work.messages.rules.contacts import address_for, email_of, phone_of
from work.messages.rules.hours import country_of, zone_at
from work.messages.rules.kinds import CARRIED

operations = Operations("tracking")

_BLANK = r"\S"


class NeighbourBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who else may take it, and where they live."""

    name: Annotated[str, Meta(max_length=100, pattern=_BLANK)]
    address: Annotated[str, Meta(max_length=200, pattern=_BLANK)]


class ContactBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach whoever waits; what is left out stays.

    `channel`: by which they want to hear where the account offers it. `opt_out`: nothing more is written to them.
    """

    phone: Phone | None = None
    email: Email | None = None
    channel: Literal["whatsapp", "sms", "email"] | None = None
    opt_out: bool = False


@operations.operation(
    "POST",
    "/v1/track/{token}/neighbour",
    who=Who.ANYONE,
    body=NeighbourBody,
    answer=ChangeAccepted,
    headers=(CODE,),
)
async def post_neighbour(request: web.Request) -> web.Response:
    """Say who else may take it. Needs a code. Not where something is to be paid."""
    await stepped_up(request, "neighbour")
    body = await read_body(request, NeighbourBody)
    name, address = body.name.strip(), body.address.strip()
    accepted = await put_wish(
        request, "neighbour", lambda _, wish: (replace(wish, neighbour_name=name, neighbour_address=address), {})
    )
    return answer(request, accepted)


@operations.operation(
    "POST", "/v1/track/{token}/contact", who=Who.ANYONE, body=ContactBody, answer=ChangeAccepted, headers=(CODE,)
)
async def post_contact(request: web.Request) -> web.Response:
    """Change how to reach whoever waits. Needs a code; the old contact and the new one hear of it.

    Their word stands when the planner puts the route again.
    """
    await stepped_up(request, "contact")
    body = await read_body(request, ContactBody)
    if body == ContactBody():
        refuse([FieldError(at="", why="says nothing: give phone, email, channel or opt_out")])
    async with changing(request, "contact") as it:
        phone, email = _checked(it.stop, body)
        before = await stops.find_wish(it.db, it.stop.id)
        wish = replace(
            before,
            phone=phone or before.phone,
            email=email or before.email,
            channel=body.channel or before.channel,
            said_at=it.now,
            last_change="contact",
        )
        await stops.put_contact(it.db, it.stop, phone=phone or it.stop.phone, email=email or it.stop.email)
        await stops.put_wish(it.db, it.stop, wish)
        was: dict[str, str | None] = {}
        is_now: dict[str, str | None] = {}
        for name, old, new in (("phone", it.stop.phone, phone), ("email", it.stop.email, email)):
            if new is not None and new != old:
                was[name], is_now[name] = hinted(old) if old else None, hinted(new)
        if body.channel:
            was["channel"], is_now["channel"] = before.channel, body.channel
        if body.opt_out:
            await _opt_out(it.db, it.stop, phone or it.stop.phone, email or it.stop.email, it.now)
            is_now["opt_out"] = "yes"
        change_id = await it.note("stop.instructed", was=was, is_now=is_now, told={"parts": sorted(is_now)})
        await it.warn({"phone": it.stop.phone, "email": it.stop.email})
    return answer(request, ChangeAccepted(id=change_id, change="contact", state="applied", driver_told=True))


def _checked(stop: PortalStop, body: ContactBody) -> tuple[str | None, str | None]:
    """Write a phone and an e-mail in the one way in which they are reached; None where none is given."""
    phone = phone_of(body.phone, _country(stop)) if body.phone is not None else None
    email = email_of(body.email) if body.email is not None else None
    errors = []
    if body.phone is not None and phone is None:
        errors.append(FieldError(at="/phone", why="is no number that messages reach, with its country's code"))
    if body.email is not None and email is None:
        errors.append(FieldError(at="/email", why="is no e-mail address"))
    refuse(errors)
    return phone, email


async def _opt_out(db: Db, stop: PortalStop, phone: str | None, email: str | None, now: datetime) -> None:
    await drop_subscriptions(db, stop.id, None)
    for channel in CARRIED:
        address = address_for(
            channel, phone=phone, email=email, stop_id=stop.id, country=_country(stop), has_browsers=False
        )
        if address is not None:
            said = Consent(channel=channel, address=address, state="opted_out", source="recipient", at=now)
            await put_consent(db, stop.account_id, said)


def _country(stop: PortalStop) -> str | None:
    return country_of(zone_at(stop.lat, stop.lon, "UTC"))
