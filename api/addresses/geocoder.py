"""Who geocodes for an account: set, seen without its key, tried."""

import re
from typing import Annotated, Any, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct, structs

from api.http.app_keys import GUARD, POOL, SEALER
from api.http.auth import caller_of
from api.http.host import public_url
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from sql.addresses import geocoding
from sql.addresses.geocoding import GeocoderRow
from sql.planning.resources import depot_places
from work.addresses.geocode import PROVIDERS, CannotAsk, GeocoderSettings, Geocoding, Provider

operations = Operations("addresses")

_KEY = re.compile(r"[\x21-\x7e]*")


class GeocoderView(Struct, frozen=True, kw_only=True):
    """Who geocodes; `has_key`: a key is kept. `trouble`: why it could not be asked the last time; null: it could."""

    provider: Provider
    url: str
    has_key: bool
    per_s: float
    countries: list[str]
    trouble: str | None


class AddressToTry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address."""

    address: Annotated[str, Meta(min_length=1, max_length=500)]


class AddressTried(Struct, frozen=True, kw_only=True):
    """What a geocoder says of an address.

    `result`: found, not_found, or no_answer with its `why`.
    """

    result: Literal["found", "not_found", "no_answer"]
    lat: float | None = None
    lon: float | None = None
    quality: str | None = None
    why: str | None = None


@operations.operation("GET", "/v1/account/geocoder", who=Who.ADMIN, answer=GeocoderView)
async def get_geocoder(request: web.Request) -> web.Response:
    """Read who geocodes. The key is never shown."""
    return answer(request, _view(await _row(request)))


@operations.operation("PUT", "/v1/account/geocoder", who=Who.ADMIN, body=GeocoderSettings, answer=GeocoderView)
async def put_geocoder(request: web.Request) -> web.Response:
    """Say who geocodes: nominatim, photon, pelias, google or here.

    A `key` that is left out stays the one before, as long as the provider does; it is sealed where it is kept.
    """
    body = await read_body(request, GeocoderSettings)
    account_id, pool = caller_of(request).account_id, request.app[POOL]
    before = await geocoding.geocoder_of(pool, account_id)
    kept = request.app[SEALER].open(before.secrets) if before and before.provider == body.provider else {}
    key = body.key or kept.get("key", "")
    refuse(_mistakes(request, body, key))
    settings: dict[str, Any] = msgspec.to_builtins(structs.replace(body, key=""))
    await geocoding.put_geocoder(
        pool,
        account_id=account_id,
        provider=body.provider,
        settings={name: value for name, value in settings.items() if name not in ("provider", "key")},
        secrets=request.app[SEALER].seal({"key": key}) if key else None,
    )
    return answer(request, _view(await _row(request)))


@operations.operation("DELETE", "/v1/account/geocoder", who=Who.ADMIN, status=204)
async def delete_geocoder(request: web.Request) -> web.Response:
    """Let nobody geocode: whoever waits is asked at once, unless the address book knows."""
    if not await geocoding.delete_geocoder(request.app[POOL], caller_of(request).account_id):
        raise _nobody()
    return web.Response(status=204)


@operations.operation("POST", "/v1/account/geocoder/test", who=Who.ADMIN, body=AddressToTry, answer=AddressTried)
async def try_geocoder(request: web.Request) -> web.Response:
    """Ask for an address now, to see whether it works."""
    body, row, pool = await read_body(request, AddressToTry), await _row(request), request.app[POOL]
    asking = Geocoding(request.app[SEALER], request.app[GUARD], public_url(request))
    near = await depot_places(pool, account_id=row.account_id, depot=None)
    try:
        async with asking.open(at_once=1) as session:
            found = await asking.find(pool, session, row, body.address, near)
    except CannotAsk as error:
        return answer(request, AddressTried(result="no_answer", why=str(error)))
    if found is None:
        return answer(request, AddressTried(result="not_found"))
    return answer(request, AddressTried(result="found", lat=found.lat, lon=found.lon, quality=found.quality))


def _mistakes(request: web.Request, body: GeocoderSettings, key: str) -> list[FieldError]:
    errors, geocoder = [], PROVIDERS[body.provider]
    if body.url and (why := request.app[GUARD].why_not(body.url)):
        errors.append(FieldError(at="/url", why=why))
    elif body.url and ("?" in body.url or "#" in body.url):
        errors.append(FieldError(at="/url", why="must end with the path, without ? and #"))
    if not body.url and not geocoder.url:
        errors.append(FieldError(at="/url", why=f"is needed: there is no {body.provider} for everybody"))
    if not key and geocoder.needs_key:
        errors.append(FieldError(at="/key", why=f"is needed: {body.provider} answers nobody without one"))
    if not _KEY.fullmatch(key):
        errors.append(FieldError(at="/key", why="has letters that no key has"))
    return errors


async def _row(request: web.Request) -> GeocoderRow:
    row = await geocoding.geocoder_of(request.app[POOL], caller_of(request).account_id)
    if row is None:
        raise _nobody()
    return row


def _nobody() -> NotFound:
    return NotFound("Nobody geocodes for this account: PUT /v1/account/geocoder says who does.")


def _view(row: GeocoderRow) -> GeocoderView:
    settings = msgspec.convert({**row.settings, "provider": row.provider}, GeocoderSettings)
    geocoder = PROVIDERS[row.provider]
    return GeocoderView(
        provider=settings.provider,
        url=settings.url or geocoder.url,
        has_key=row.secrets is not None,
        per_s=settings.per_s or geocoder.per_s,
        countries=settings.countries,
        trouble=row.trouble,
    )
