"""Pick-up points as a company lists them: imported many at a time, switched off one by one."""

from typing import Annotated

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import FieldError, NotFound
from api.http.read.bodies import read_body, refuse
from api.routes.body import Lat, Line, Lon
from sql.portal import points
from sql.portal.points import PointPlan, PointRow

operations = Operations("recipients")

Hours = Annotated[str, Meta(max_length=500, examples=["Mo-Fr 08:00-20:00; Sa 09:00-13:00"])]
Address = Annotated[str, Meta(min_length=1, max_length=500)]


class PointBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where recipients may fetch what is theirs. `opening_hours` in words, or as OpenStreetMap writes them.

    Without an `external_id` it gets its name for one.
    """

    name: Line
    address: Address
    lat: Lat
    lon: Lon
    external_id: str | None = None
    opening_hours: Hours | None = None
    enabled: bool = True


class ManyPoints(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points, each once."""

    points: Annotated[list[PointBody], Meta(min_length=1, max_length=5_000)]


class PointChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a point is to be another one; what is left out stays."""

    name: Line | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    opening_hours: Hours | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class PointView(Struct, frozen=True, kw_only=True):
    """A point as it is."""

    id: str
    external_id: str
    name: str
    address: str
    lat: float
    lon: float
    opening_hours: str | None
    enabled: bool


class PointPage(Struct, frozen=True, kw_only=True):
    """Points, in the order in which they came."""

    points: list[PointView]
    next: str | None = None


@operations.operation("POST", "/v1/pickup-points", who=Who.DISPATCHER, body=PointBody, answer=PointView, status=201)
async def post_point(request: web.Request) -> web.Response:
    """Make a point, or change the one of its external id."""
    (row,) = await _put(request, [await read_body(request, PointBody)], "")
    return answer(request, _shown(row), status=201)


@operations.operation("PUT", "/v1/pickup-points", who=Who.DISPATCHER, body=ManyPoints, answer=PointPage)
async def put_many_points(request: web.Request) -> web.Response:
    """Import points: those of a known external id are changed, the others made; all or none."""
    rows = await _put(request, (await read_body(request, ManyPoints)).points, "/points/{}")
    return answer(request, PointPage(points=[_shown(row) for row in rows]))


@operations.operation("GET", "/v1/pickup-points", who=Who.VIEWER, answer=PointPage, query=PAGING)
async def list_points(request: web.Request) -> web.Response:
    """List the pick-up points."""
    last, limit = cursor_in(request, tuple[Id]), limit_in(request)
    rows = await points.page_of_points(
        request.app[POOL], caller_of(request).account_id, after=last[0] if last else 0, limit=limit + 1
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, PointPage(points=[_shown(row) for row in page], next=following))


@operations.operation("PATCH", "/v1/pickup-points/{point}", who=Who.DISPATCHER, body=PointChange, answer=PointView)
async def patch_point(request: web.Request) -> web.Response:
    """Change a point, or switch it off: nobody chooses it any more, and who did still goes there."""
    point_id, account_id = ids.id_in_path(request, "point", ids.POINT), caller_of(request).account_id
    body = await read_body(request, PointChange)
    async with request.app[POOL].acquire() as db, db.transaction():
        was = await points.hold_point(db, account_id=account_id, point_id=point_id)
        if was is None:
            raise NotFound("There is no pick-up point of this id.")
        plan = PointPlan(
            external_id=was.external_id,
            name=was.name if body.name is UNSET else body.name,
            address=was.address if body.address is UNSET else body.address,
            lat=was.lat,
            lon=was.lon,
            opening_hours=was.opening_hours if body.opening_hours is UNSET else body.opening_hours,
            enabled=was.enabled if body.enabled is UNSET else body.enabled,
        )
        (row,) = await points.put_points(db, account_id, [plan])
    return answer(request, _shown(row))


async def _put(request: web.Request, bodies: list[PointBody], at: str) -> list[PointRow]:
    plans = [
        PointPlan(
            external_id=body.external_id or body.name,
            name=body.name,
            address=body.address,
            lat=body.lat,
            lon=body.lon,
            opening_hours=body.opening_hours,
            enabled=body.enabled,
        )
        for body in bodies
    ]
    errors = []
    seen: set[str] = set()
    for place, plan in enumerate(plans):
        where = f"{at.format(place)}/external_id"
        wrong = ids.external_id_error(where, plan.external_id)
        if plan.external_id in seen:
            wrong = FieldError(at=where, why="is there twice")
        seen.add(plan.external_id)
        errors += [wrong] if wrong else []
    refuse(errors)
    return await points.put_points(request.app[POOL], caller_of(request).account_id, plans)


def _shown(row: PointRow) -> PointView:
    return PointView(
        id=ids.shown(ids.POINT, row.id),
        external_id=row.external_id,
        name=row.name,
        address=row.address,
        lat=row.lat,
        lon=row.lon,
        opening_hours=row.opening_hours,
        enabled=row.enabled,
    )
