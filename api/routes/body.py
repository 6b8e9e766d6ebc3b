"""What `PUT /v1/routes/{route}` takes: names, types and ranges; what takes a second look is in api/routes/plan.py."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from sql.account.settings import RecipientMayNot, StopRadius

Lat: TypeAlias = Annotated[float, Meta(ge=-90, le=90, description="WGS 84 degrees")]
Lon: TypeAlias = Annotated[float, Meta(ge=-180, le=180, description="WGS 84 degrees")]
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Text: TypeAlias = Annotated[str, Meta(max_length=2_000)]
Phone: TypeAlias = Annotated[str, Meta(max_length=40, examples=["+57 300 111 2233"])]
Email: TypeAlias = Annotated[str, Meta(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$(?!\n)")]
Locale: TypeAlias = Annotated[
    str, Meta(pattern=r"^[a-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}$(?!\n)", examples=["es", "pt-BR"])
]

Kind: TypeAlias = Literal["delivery", "pickup", "return", "break"]
ProofKind: TypeAlias = Literal["photo", "signature", "pin", "barcode"]

_END = "Else two hours after the last planned stop, or twelve after the start"
_PATH_ELSE = "The line to drive; else it is made: along roads, or of straight lines through depot and stops"
_PATH = {
    "anyOf": [
        {
            "title": "GeoJSON LineString",
            "type": "object",
            "required": ["type", "coordinates"],
            "properties": {
                "type": {"const": "LineString"},
                "coordinates": {
                    "type": "array",
                    "minItems": 2,
                    "items": {"type": "array", "minItems": 2, "items": {"type": "number"}},
                },
            },
        },
        {
            "title": "Encoded polyline",
            "type": "object",
            "required": ["polyline"],
            "properties": {
                "polyline": {"type": "string"},
                "precision": {"type": "integer", "minimum": 1, "maximum": 7, "default": 5},
            },
        },
    ],
}


class DepotBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the tour begins."""

    lat: Lat
    lon: Lon
    name: Line | None = None


class WindowBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When the recipient expects the driver."""

    start: Time
    end: Time


class ParcelBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to hand over or to take along."""

    barcode: Line | None = None
    description: Text | None = None
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class CashBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the driver is to collect."""

    amount: Annotated[float, Meta(ge=0, le=1e12)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="ISO 4217", examples=["COP", "BRL", "MXN"])]


class StopBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One place to come to. `recipient_may_not`: what its sender does not let its recipient do."""

    external_id: str
    kind: Kind
    name: Line
    lat: Lat
    lon: Lon
    address: Annotated[str, Meta(max_length=500)] | None = None
    phone: Phone | None = None
    email: Email | None = None
    locale: Locale | None = None
    window: WindowBody | None = None
    service_s: Annotated[float, Meta(ge=0, le=86_400, description="Seconds; else as the account says")] | None = None
    planned_arrival: Time | None = None
    instructions: Text | None = None
    parcels: Annotated[list[ParcelBody], Meta(max_length=1_000)] = []
    cash_on_delivery: CashBody | None = None
    proof: Annotated[list[ProofKind], Meta(max_length=4)] = []
    recipient_may_not: RecipientMayNot = []
    radius_m: Annotated[StopRadius, Meta(description="Of the circle around it; else as the account says")] | None = None
    geofence: (
        Annotated[
            dict[str, Any],
            Meta(description="GeoJSON Polygon or MultiPolygon, or a Feature of one: counts as the stop's place"),
        ]
        | None
    ) = None


class RouteBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A driver's tour of a day."""

    date: date
    timezone: Annotated[str, Meta(examples=["America/Bogota"])]
    start_at: Time
    stops: Annotated[list[StopBody], Meta(min_length=1, description="In the order of the tour")]
    driver: Annotated[str, Meta(description="External id or id; null: nobody drives it yet")] | None = None
    end_at: Annotated[datetime, Meta(tz=True, description=_END)] | None = None
    depot: DepotBody | None = None
    path: Annotated[dict[str, Any], Meta(description=_PATH_ELSE, extra_json_schema=_PATH)] | None = None
    return_to_depot: bool = False


class LineString(Struct, frozen=True, kw_only=True):
    """A path as GeoJSON; a third number of a vertex, its height, is not read."""

    type: Literal["LineString"]
    coordinates: list[list[float]]


class Polyline(Struct, frozen=True, kw_only=True):
    """A path as routing engines give it."""

    polyline: str
    precision: int = 5
