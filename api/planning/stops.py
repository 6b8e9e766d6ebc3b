"""Stops of routes as bodies again: a tour that goes on is written like one that is put."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import msgspec

from api.routes.body import CashBody, Kind, ParcelBody, ProofKind, StopBody, WindowBody
from sql.delivery.stops import StopPlan


def body_of_stop(plan: StopPlan, planned_arrival: datetime | None) -> StopBody:
    """Give the body that would make a stop as it is, with another planned arrival."""
    window = None
    if plan.window_start is not None and plan.window_end is not None:
        window = WindowBody(start=plan.window_start, end=plan.window_end)
    cash = None
    if plan.cash_amount is not None and plan.cash_currency is not None:
        cash = CashBody(amount=float(plan.cash_amount), currency=plan.cash_currency)
    return StopBody(
        external_id=plan.external_id,
        kind=cast(Kind, plan.kind),
        name=plan.name,
        lat=plan.lat,
        lon=plan.lon,
        address=plan.address,
        phone=plan.phone,
        email=plan.email,
        locale=plan.locale,
        window=window,
        service_s=plan.service_s,
        planned_arrival=planned_arrival,
        instructions=plan.instructions,
        parcels=[msgspec.convert(parcel, ParcelBody, from_attributes=True) for parcel in plan.parcels],
        cash_on_delivery=cash,
        proof=[cast(ProofKind, kind) for kind in plan.proof],
        recipient_may_not=msgspec.convert(list(plan.recipient_may_not), StopBody.__annotations__["recipient_may_not"]),
        radius_m=plan.radius_m,
        geofence=plan.geofence,
    )


def loading_stop(entry: Mapping[str, Any]) -> StopBody:
    """Make the stop at which parcels are taken aboard: at the depot, or from a van that is out.

    Its parcels are called like their orders, which tells the driver what to look for, and the next plan what for.
    """
    arrive_at, depart_at = (datetime.fromisoformat(entry[name]) for name in ("arrive_at", "depart_at"))
    return StopBody(
        external_id=entry["order"],
        kind=cast(Kind, "depot"),  # only plans make such stops: whoever puts a route cannot
        name=entry["name"],
        lat=entry["lat"],
        lon=entry["lon"],
        planned_arrival=arrive_at,
        service_s=(depart_at - arrive_at).total_seconds(),
        parcels=[ParcelBody(description=name) for name in entry["loads"]],
    )
