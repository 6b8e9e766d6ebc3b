"""Geofences: circles, polygons and corridors that a van enters, leaves or crosses."""

from typing import Any, Literal

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.http.refs import ref_in_path
from api.http.shares.rates import ACCOUNT_WRITES
from api.http.versions import IF_MATCH, IF_NEW, MADE, check_if_match, check_if_new, etag
from geo.shape.fence_shape import prepare_fence
from sql.account import geofences
from sql.account.geofences import GeofenceRow
from sql.track.folds import fences_changed
from sql.track.lanes import lock_account

operations = Operations("geofences")


class FeatureBody(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A GeoJSON Feature.

    A Point with `properties.radius_m`, a Polygon or MultiPolygon, or a LineString with `properties.buffer_m`.
    `properties.dwell_s`: tell when somebody stays inside so many seconds; `properties.name`: what people call it.
    Other properties are kept as they are.
    """

    type: Literal["Feature"]
    geometry: dict[str, Any]
    properties: dict[str, Any] | None = None


class Geofence(Struct, frozen=True, kw_only=True):
    """A geofence in force, as a GeoJSON Feature."""

    type: Literal["Feature"]
    id: str
    external_id: str
    version: int
    geometry: dict[str, Any]
    properties: dict[str, Any]


class GeofenceList(Struct, frozen=True, kw_only=True):
    """A page of geofences as a GeoJSON FeatureCollection; `next` is the cursor of the next page, null on the last."""

    type: Literal["FeatureCollection"]
    features: list[Geofence]
    next: str | None


@operations.operation(
    "PUT",
    "/v1/geofences/{geofence}",
    who=Who.DISPATCHER,
    body=FeatureBody,
    answer=Geofence,
    also=MADE,
    headers=(IF_MATCH, IF_NEW),
)
async def put_geofence(request: web.Request) -> web.Response:
    """Make a geofence, or replace it by its external id.

    The same body again changes nothing. Another one makes the next version, in force from now on: pings recorded before
    are still held against the one before. `If-Match` guards against overwriting somebody else's edit,
    `If-None-Match: *` against replacing what is there. 201 when new.
    """
    account_id = caller_of(request).account_id
    ref = ref_in_path(request, "geofence", ids.GEOFENCE)
    body = await read_body(request, FeatureBody)
    feature = {"type": body.type, "geometry": body.geometry, "properties": body.properties or {}}
    name, dwell_s = _checked(feature)
    request.app[ACCOUNT_WRITES].admit(account_id)
    async with request.app[POOL].acquire() as db, db.transaction():
        await lock_account(db, account_id)  # no tracker may be folding a driver of the account meanwhile
        before = await geofences.find_geofence(
            db, account_id=account_id, geofence_id=ref.id, external_id=ref.external_id
        )
        check_if_match(request, before.version if before else None)
        check_if_new(request, before.version if before else None)
        if before is not None and before.feature == feature:
            return answer(request, _shown(before), headers=etag(before.version))
        if before is not None:
            geofence_id, external_id, version = before.id, before.external_id, before.version + 1
        elif ref.external_id is not None:
            external_id, version = ref.external_id, 1
            geofence_id = await geofences.create_geofence(db, account_id=account_id, external_id=external_id)
        else:
            raise NotFound("There is no geofence of this id; a new one is put under its external id.")
        at = await geofences.put_version(
            db,
            account_id=account_id,
            geofence_id=geofence_id,
            version=version,
            feature=feature,
            name=name,
            dwell_s=dwell_s,
        )
        await fences_changed(db, account_id=account_id, effective_at=at)
    row = GeofenceRow(
        id=geofence_id, external_id=external_id, version=version, feature=feature, name=name, dwell_s=dwell_s
    )
    return answer(request, _shown(row), status=200 if before else 201, headers=etag(version))


@operations.operation("GET", "/v1/geofences", who=Who.VIEWER, answer=GeofenceList, query=PAGING)
async def list_geofences(request: web.Request) -> web.Response:
    """List the geofences in force, in the order they were made."""
    limit = limit_in(request)
    after: tuple[int] = cursor_in(request, tuple[Id]) or (0,)
    account_id = caller_of(request).account_id
    rows = await geofences.list_geofences(request.app[POOL], account_id=account_id, after=after[0], limit=limit + 1)
    page, more = cut(rows, limit, lambda row: (row.id,))
    features = [_shown(row) for row in page]
    return answer(request, GeofenceList(type="FeatureCollection", features=features, next=more))


@operations.operation("GET", "/v1/geofences/{geofence}", who=Who.VIEWER, answer=Geofence)
async def get_geofence(request: web.Request) -> web.Response:
    """Read a geofence."""
    ref = ref_in_path(request, "geofence", ids.GEOFENCE)
    row = await geofences.find_geofence(
        request.app[POOL],
        account_id=caller_of(request).account_id,
        geofence_id=ref.id,
        external_id=ref.external_id,
    )
    if row is None:
        raise NotFound("There is no geofence of this id.")
    return answer(request, _shown(row), headers=etag(row.version))


@operations.operation("DELETE", "/v1/geofences/{geofence}", who=Who.DISPATCHER, status=204, headers=(IF_MATCH,))
async def delete_geofence(request: web.Request) -> web.Response:
    """End a geofence from now on; what happened at it stays."""
    account_id = caller_of(request).account_id
    ref = ref_in_path(request, "geofence", ids.GEOFENCE)
    request.app[ACCOUNT_WRITES].admit(account_id)
    async with request.app[POOL].acquire() as db, db.transaction():
        await lock_account(db, account_id)
        row = await geofences.find_geofence(db, account_id=account_id, geofence_id=ref.id, external_id=ref.external_id)
        if row is None:
            raise NotFound("There is no geofence of this id.")
        check_if_match(request, row.version)
        at = await geofences.delete_geofence(db, row.id)
        await fences_changed(db, account_id=account_id, effective_at=at)
    return web.Response(status=204)


def _checked(feature: dict[str, Any]) -> tuple[str | None, float | None]:
    """Give name and dwell of a feature that can be a geofence.

    Raises:
        Invalid: it cannot.
    """
    name, dwell_s = feature["properties"].get("name"), feature["properties"].get("dwell_s")
    errors = []
    if name is not None and not (isinstance(name, str) and len(name) <= 200):
        errors.append(FieldError(at="/properties/name", why="must be text of at most 200 characters"))
    if dwell_s is not None and (isinstance(dwell_s, bool) or not isinstance(dwell_s, int | float)):
        errors.append(FieldError(at="/properties/dwell_s", why="must be a number of seconds"))
        dwell_s = None
    try:
        prepare_fence(geofence_id=1, version=1, effective_ms=0, ended_ms=0, feature=feature, dwell_s=dwell_s)
    except ValueError as error:
        errors.append(FieldError(at="/geometry", why=str(error)))
    refuse(errors)
    return name, None if dwell_s is None else float(dwell_s)


def _shown(row: GeofenceRow) -> Geofence:
    return Geofence(
        type="Feature",
        id=ids.shown(ids.GEOFENCE, row.id),
        external_id=row.external_id,
        version=row.version,
        geometry=row.feature["geometry"],
        properties=row.feature["properties"],
    )
