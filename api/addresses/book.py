"""The address book of an account: read, pinned by people, forgotten."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api.http.app_keys import POOL, now_of
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.routes.body import Email, Lat, Line, Lon, Phone
from sql.addresses import book
from sql.addresses.book import NewSighting
from work.addresses.book import read_book
from work.addresses.doubt import doubt
from work.addresses.text import normalised, person_of

operations = Operations("addresses")


class PinBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an address is; the first of `phone`, `email` and `name` says whose, none of them: everybody's."""

    address: Annotated[str, Meta(min_length=1, max_length=500)]
    lat: Lat
    lon: Lon
    phone: Phone | None = None
    email: Email | None = None
    name: Line | None = None


class KnownAddress(Struct, frozen=True, kw_only=True):
    """An address of the book, as it compares addresses; `person` empty: whoever waits there.

    `quality`: pinned or learned, from `seen` sightings; null, and no place: they are too few or do not agree.
    """

    address: str
    person: str
    lat: float | None
    lon: float | None
    quality: str | None
    seen: int


class AddressBook(Struct, frozen=True, kw_only=True):
    """A page of addresses; `next` is the cursor of the next page, null on the last."""

    addresses: list[KnownAddress]
    next: str | None


@operations.operation("GET", "/v1/addresses", who=Who.DISPATCHER, answer=AddressBook, query=PAGING)
async def list_addresses(request: web.Request) -> web.Response:
    """List what the account's own book knows of addresses."""
    limit, account_id, pool = limit_in(request), caller_of(request).account_id, request.app[POOL]
    after: tuple[str, str] = cursor_in(request, tuple[str, str]) or ("", "")
    page, more = cut(await book.page_of_book(pool, account_id, after=after, limit=limit + 1), limit, tuple)
    return answer(request, AddressBook(addresses=await _known(request, page), next=more))


@operations.operation("POST", "/v1/addresses", who=Who.DISPATCHER, body=PinBody, answer=KnownAddress)
async def post_known_address(request: web.Request) -> web.Response:
    """Set a pin: from now on orders to this address are there. It outranks what was learned, and the pin before."""
    body = await read_body(request, PinBody)
    address = normalised(body.address)
    errors = [] if address else [FieldError(at="/address", why="has neither letters nor digits")]
    if found := doubt(body.lat, body.lon, ()):
        errors.append(FieldError(at="/lat", why=found.why))
    refuse(errors)
    person = person_of(phone=body.phone, email=body.email, name=body.name)
    now, account_id = now_of(request), caller_of(request).account_id
    pin = NewSighting(address=address, person=person, source="pin", stop_id=0, lat=body.lat, lon=body.lon, seen_at=now)
    await book.put_sightings(request.app[POOL], account_id, [pin])
    (known,) = await _known(request, [(address, person)])
    return answer(request, known)


@operations.operation(
    "DELETE",
    "/v1/addresses",
    who=Who.DISPATCHER,
    status=204,
    query=(
        Parameter(name="address", description="As it is listed, or as people write it."),
        Parameter(name="person", description="As it is listed; empty: the entry for whoever waits there."),
    ),
)
async def delete_known_address(request: web.Request) -> web.Response:
    """Forget what the book knows of an address and person: pins, and where deliveries were seen."""
    address, person = normalised(request.query.get("address", "")), request.query.get("person", "")
    if "\0" in person or not await book.forget_address(
        request.app[POOL], caller_of(request).account_id, address=address, person=person
    ):
        raise NotFound("The book has no such address and person.")
    return web.Response(status=204)


async def _known(request: web.Request, keys: Sequence[tuple[str, str]]) -> list[KnownAddress]:
    places = await read_book(request.app[POOL], caller_of(request).account_id, keys)
    return [
        KnownAddress(
            address=address,
            person=person,
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            quality=place.quality if place else None,
            seen=place.seen if place else 0,
        )
        for address, person in keys
        for place in (places.get((address, person)),)
    ]
