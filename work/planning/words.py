"""What was put, as planning reads it: orders, vehicles, depots, shifts; units are those of people."""

from datetime import datetime

from msgspec import Struct


class WindowWords(Struct, frozen=True, kw_only=True):
    """When somebody is there."""

    start: datetime
    end: datetime


class ParcelWords(Struct, frozen=True, kw_only=True):
    """Something to hand over, or to take along."""

    quantity: int = 1


class OrderWords(Struct, frozen=True, kw_only=True):
    """Of an order, what planning needs; the rest of the body becomes the stop."""

    kind: str = "delivery"
    windows: list[WindowWords] = []
    service_s: float | None = None
    load: dict[str, float] = {}
    skills: list[str] = []
    priority: int = 0
    parcels: list[ParcelWords] = []
    after: str | None = None


class VehicleWords(Struct, frozen=True, kw_only=True):
    """A vehicle. Costs in any one currency; None: no limit."""

    capacity: dict[str, float] = {}
    skills: list[str] = []
    pace_percent: int = 100
    fixed_cost: float = 0.0
    cost_per_km: float = 0.5
    cost_per_hour: float = 12.0
    range_km: float | None = None


class DepotWords(Struct, frozen=True, kw_only=True):
    """A depot."""

    name: str
    lat: float
    lon: float
    timezone: str


class BreakWords(Struct, frozen=True, kw_only=True):
    """A rest that begins between two times."""

    earliest: datetime
    latest: datetime
    duration_s: float


class ShiftWords(Struct, frozen=True, kw_only=True):
    """Who drives what when from where."""

    date: str
    vehicle: str
    depot: str
    start_at: datetime
    end_at: datetime
    breaks: list[BreakWords] = []
    longest_h: float | None = None
    return_to_depot: bool = True
