"""What planning takes: names, types and ranges."""

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from api.routes.body import (
    CashBody,
    Email,
    Lat,
    Line,
    Locale,
    Lon,
    ParcelBody,
    Phone,
    ProofKind,
    Text,
    Time,
    WindowBody,
)

Load: TypeAlias = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=40)], Annotated[float, Meta(ge=0, le=1e9)]],
    Meta(max_length=8, description="By dimension: kilograms, litres, pallets; up to eight, named as you like"),
]
Skills: TypeAlias = Annotated[list[Annotated[str, Meta(min_length=1, max_length=40)]], Meta(max_length=20)]
Money: TypeAlias = Annotated[float, Meta(ge=0, le=1e6)]
Day: TypeAlias = date
Zone: TypeAlias = Annotated[str, Meta(examples=["America/Bogota"])]
PlaceQuality: TypeAlias = Literal["given", "roof", "street", "area", "pinned", "learned"]


class OrderBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something to bring or to fetch. Without a place, or with a doubtful one, it waits in state `received`."""

    name: Line
    kind: Literal["delivery", "pickup"] = "delivery"
    address: Annotated[str, Meta(max_length=500)] | None = None
    lat: Lat | None = None
    lon: Lon | None = None
    quality: PlaceQuality = "given"
    phone: Phone | None = None
    email: Email | None = None
    locale: Locale | None = None
    windows: Annotated[list[WindowBody], Meta(max_length=10, description="It fits in any of them; none: any time")] = []
    service_s: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    load: Load = {}
    skills: Annotated[Skills, Meta(description="What the vehicle must have")] = []
    priority: Annotated[int, Meta(ge=0, le=100)] = 0
    depot: Annotated[str, Meta(description="External id; null: any")] | None = None
    earliest: date | None = None
    latest: date | None = None
    after: Annotated[str, Meta(description="External id of a pickup that the same tour makes before")] | None = None
    instructions: Text | None = None
    parcels: Annotated[list[ParcelBody], Meta(max_length=1_000)] = []
    cash_on_delivery: CashBody | None = None
    proof: Annotated[list[ProofKind], Meta(max_length=4)] = []
    source: Annotated[Line, Meta(description="Where it came from: a shop, a file")] | None = None


class ManyOrders(Struct, frozen=True, kw_only=True):
    """Orders, each with its `external_id`. Each is read by itself: a mistake in one keeps only that one out."""

    orders: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=5_000)]


class VehicleBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vehicle. Costs are in any one currency; a dimension that `capacity` does not name is not limited."""

    name: Line | None = None
    capacity: Load = {}
    skills: Skills = []
    pace_percent: Annotated[int, Meta(ge=50, le=400, description="Time it drives, to that of others")] = 100
    fixed_cost: Money = 0.0
    cost_per_km: Money = 0.5
    cost_per_hour: Money = 12.0
    range_km: Annotated[float, Meta(gt=0, le=10_000)] | None = None


class PlanDepotBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where shifts start."""

    name: Line
    lat: Lat
    lon: Lon
    timezone: Zone


class RestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rest that begins between two times."""

    earliest: Time
    latest: Time
    duration_s: Annotated[float, Meta(gt=0, le=14_400)]


class ShiftBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who drives what when from where."""

    date: date
    vehicle: Annotated[str, Meta(description="External id")]
    depot: Annotated[str, Meta(description="External id")]
    start_at: Time
    end_at: Time
    driver: Annotated[str, Meta(description="External id; null: nobody yet")] | None = None
    breaks: Annotated[list[RestBody], Meta(max_length=4)] = []
    longest_h: Annotated[float, Meta(gt=0, le=24)] | None = None
    return_to_depot: bool = True


class PlanBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to plan."""

    date: date
    depot: Annotated[str, Meta(description="External id")]
    orders: Annotated[list[str], Meta(max_length=5_000, description="Only these; else all ready ones")] | None = None
    shifts: Annotated[list[str], Meta(max_length=500, description="Only these; else all of the day")] | None = None
    objective: Literal["cost", "fewest", "balanced", "habit"] = "cost"
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    limit_s: Annotated[float, Meta(ge=0.5, le=600)] | None = None


class VanOut(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A van that cannot go on. Without a place it stands where it was seen last."""

    route: Annotated[str, Meta(description="External id or id")]
    lat: Lat | None = None
    lon: Lon | None = None


OrderNames: TypeAlias = Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=5_000)]


class ReplanBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a day is planned again, and what of it."""

    because: Annotated[str, Meta(min_length=1, max_length=500, description="For who decides, in your words")]
    routes: (
        Annotated[
            list[str], Meta(min_length=1, max_length=500, description="Only these, external ids or ids; else all vans")
        ]
        | None
    ) = None
    date: Annotated[Day | None, Meta(description="Else today, or the day of the routes")] = None
    depot: Annotated[
        str | None, Meta(description="External id, or as routes name it; else that of the routes, or the only one")
    ] = None
    orders: Annotated[OrderNames | None, Meta(description="Add only these of the ready orders; else all")] = None
    cancel: Annotated[OrderNames, Meta(description="Orders that are not wanted any more, or stops by either id")] = []
    out: Annotated[list[VanOut], Meta(max_length=500, description="Vans that cannot go on")] = []
    freeze_minutes: Annotated[
        float, Meta(ge=1, le=240, description="What a van comes to within so many stays; the proposal holds as long")
    ] = 30.0
    seed: Annotated[int, Meta(ge=0, le=2**31)] = 1
    limit_s: Annotated[float, Meta(ge=0.5, le=120)] | None = None


class Move(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put an order somewhere else."""

    order: str
    shift: Annotated[str, Meta(description="External id; null: on no tour")] | None
    at: Annotated[int, Meta(ge=0, description="Stops before it; null: where it costs least")] | None = None


class PlanChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Moves, one after the other; all of them hold together, or none is made."""

    moves: Annotated[list[Move], Meta(min_length=1, max_length=500)]
