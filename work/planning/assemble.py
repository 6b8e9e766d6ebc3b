"""From orders and shifts as they were put to a problem in whole numbers, and back to tours that people read."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Struct

from geo.eta.model import Row
from geo.eta.rows import RowKey
from geo.pings import Floats
from geo.times import ms_of
from geo.tours.check import Checked, Timed
from geo.tours.insertion import why_not
from geo.tours.matrix import DoorWork, keys_of_hour, service_keys, service_s, speed, straight
from geo.tours.problem import Matrix, TourBreak, TourJob, TourProblem, TourVan, VanTour
from sql.account.settings import read_settings
from sql.eta.learning import rows_of_keys
from sql.planning.orders import OrderRow
from sql.planning.resources import Resource, resources_named
from sql.pool import Db, Pool
from work.planning.drives import RoadTables, drives
from work.planning.protocol import from_plain, to_plain
from work.planning.words import DepotWords, OrderWords, ShiftWords, VehicleWords

UNIT = 1_000_000
"""Units of cost to one of the account's currency: a metre at 0.5 a kilometre is a whole number of them."""

LOAD_UNIT = 1_000
"""Units of load to one kilogram, litre or piece."""

DROPPED = 1_000 * UNIT
"""What leaving an order out costs, times 1 to 11 by priority: more than any way to it."""

ONE_VAN = 100 * UNIT
"""What one more van costs where fewest are asked for: more than any way around, less than leaving an order out."""


class Labels(Struct, frozen=True, kw_only=True):
    """Whose the rows of a problem are, and when its clock begins.

    Attributes:
        orders: external ids, one a job. shifts: external ids, one a vehicle.
        origin: second 0.
        lon, lat: of the places, degrees.
    """

    orders: list[str]
    shifts: list[str]
    vehicles: list[str]
    origin: datetime
    lon: list[float]
    lat: list[float]


class KeptProblem(Struct, frozen=True, kw_only=True):
    """A problem with its labels, as it is stored."""

    problem: TourProblem
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDay:
    """What a day is planned of."""

    depot: DepotWords
    shifts: Sequence[Resource]
    vehicles: Mapping[str, VehicleWords]
    orders: Sequence[OrderRow]
    default_service_s: float
    rows: Mapping[RowKey, Row]
    read_at: datetime


def pack(kept: KeptProblem) -> bytes:
    """Write a problem with its labels."""
    return msgspec.msgpack.encode(kept, enc_hook=to_plain)


def unpack(body: bytes) -> KeptProblem:
    """Read what `pack` wrote."""
    return msgspec.msgpack.decode(body, type=KeptProblem, dec_hook=from_plain)


def out_of_turn(orders: Sequence[OrderRow]) -> dict[str, str]:
    """Say of which orders nobody can tell when their turn is, and why: one follows one pickup that follows nothing.

    Those that name an order that is not among these follow nothing.
    """
    names = {order.external_id for order in orders}
    after = {o.external_id: str(o.body["after"]) for o in orders if o.body.get("after") in names}
    followed = Counter(after.values())
    found = {}
    for order in orders:
        name = order.external_id
        if name in after and (after[name] == name or after[name] in after):
            found[name] = "It follows an order that follows another one itself."
        elif name in after and followed[after[name]] > 1:
            found[name] = "It is not the only one that follows its pickup."
    return found


async def read_day(
    db: Db | Pool, *, account_id: int, depot: DepotWords, shifts: Sequence[Resource], orders: Sequence[OrderRow]
) -> PlanDay:
    """Read what else a day needs: vehicles, and what ETAs learned of its hours."""
    words = [msgspec.convert(shift.body, ShiftWords) for shift in shifts]
    vehicles = await resources_named(db, account_id=account_id, kind="vehicle", names=[w.vehicle for w in words])
    settings = await read_settings(db, account_id)
    keys = service_keys(door_work(order, settings.service_s) for order in orders)
    if words:
        keys |= keys_of_hour(*clock_of(words[0], depot))
    rows = await rows_of_keys(db, account_id, keys) if keys else {}
    return PlanDay(
        depot=depot,
        shifts=shifts,
        vehicles={name: msgspec.convert(one.body, VehicleWords) for name, one in vehicles.items()},
        orders=orders,
        default_service_s=settings.service_s,
        rows=rows,
        read_at=db.clock.now(),
    )


def clock_of(shift: ShiftWords, depot: DepotWords) -> tuple[int, int]:
    """Give the middle of a shift, and how far its clocks are ahead of UTC."""
    middle = shift.start_at + (shift.end_at - shift.start_at) / 2
    offset = middle.astimezone(ZoneInfo(depot.timezone)).utcoffset() or timedelta(0)
    return ms_of(middle), int(offset.total_seconds())


def places_of(day: PlanDay) -> tuple[Floats, Floats]:
    """Give lon and lat of a day's places: the depot, then one an order."""
    lon = [day.depot.lon, *(order.lon or 0.0 for order in day.orders)]
    lat = [day.depot.lat, *(order.lat or 0.0 for order in day.orders)]
    return np.array(lon), np.array(lat)


async def matrices(day: PlanDay, roads: RoadTables) -> tuple[Matrix, Matrix]:
    """Give metres and seconds between a day's places, at the hours of its first shift."""
    return await drives(roads, *places_of(day), day.rows, _clock(day))


def straight_matrices(day: PlanDay) -> tuple[Matrix, Matrix]:
    """Give the same in straight lines, at once: for tours that are only thought of."""
    return straight(*places_of(day), mps=speed(day.rows, *_clock(day)))


def _clock(day: PlanDay) -> tuple[int, int]:
    words = [msgspec.convert(shift.body, ShiftWords) for shift in day.shifts]
    return clock_of(words[0], day.depot) if words else (0, 0)


def door_work(order: OrderRow, default_service_s: float) -> DoorWork:
    """Tell what is to be done at an order's door, as it is planned."""
    word = msgspec.convert(order.body, OrderWords)
    return DoorWork(
        kind=word.kind,
        parcels=sum(parcel.quantity for parcel in word.parcels),
        lat=order.lat or 0.0,
        lon=order.lon or 0.0,
        planned_s=default_service_s if word.service_s is None else word.service_s,
    )


def assemble(day: PlanDay, distance_m: Matrix, duration_s: Matrix, *, objective: str) -> KeptProblem:
    """Make the problem of a day.

    Args:
        distance_m, duration_s: between `places_of` the day.
        objective: cost, fewest, balanced or habit; the last two are steered elsewhere.
    """
    words = [msgspec.convert(shift.body, ShiftWords) for shift in day.shifts]
    starts = [word.start_at for word in words]
    origin = min(starts, default=day.read_at) - timedelta(hours=1)
    dimensions = sorted({name for vehicle in day.vehicles.values() for name in vehicle.capacity})
    vehicles = [
        van_of(word, day.vehicles.get(word.vehicle, VehicleWords()), origin, dimensions, fewest=objective == "fewest")
        for word in words
    ]
    problem = TourProblem(
        duration_s=duration_s,
        distance_m=distance_m,
        jobs=_jobs(day, origin, dimensions, starts),
        vehicles=vehicles,
    )
    lon, lat = places_of(day)
    labels = Labels(
        orders=[order.external_id for order in day.orders],
        shifts=[shift.external_id for shift in day.shifts],
        vehicles=[word.vehicle for word in words],
        origin=origin,
        lon=lon.tolist(),
        lat=lat.tolist(),
    )
    return KeptProblem(problem=problem, labels=labels)


def seconds_to(at: datetime, origin: datetime) -> int:
    """Tell how far a moment is from second 0; one before it is second 0."""
    return max(0, int((at - origin).total_seconds()))


def load_of(load: Mapping[str, float], dimensions: Sequence[str]) -> tuple[int, ...]:
    """Write a load in whole numbers, one a dimension."""
    return tuple(-(-round(load.get(name, 0.0) * LOAD_UNIT) // 1) for name in dimensions)


def van_of(
    shift: ShiftWords, vehicle: VehicleWords, origin: datetime, dimensions: Sequence[str], *, fewest: bool
) -> TourVan:
    """Make the van of a shift, at place 0, which is its depot."""
    return TourVan(
        start=0,
        end=0 if shift.return_to_depot else None,
        shift=(seconds_to(shift.start_at, origin), seconds_to(shift.end_at, origin)),
        longest_s=None if shift.longest_h is None else round(shift.longest_h * 3600),
        farthest_m=None if vehicle.range_km is None else round(vehicle.range_km * 1000),
        capacity=tuple(
            round(vehicle.capacity[name] * LOAD_UNIT) if name in vehicle.capacity else 1 << 40 for name in dimensions
        ),
        skills=frozenset(vehicle.skills),
        breaks=tuple(
            TourBreak(
                earliest_s=seconds_to(one.earliest, origin),
                latest_s=seconds_to(one.latest, origin),
                duration_s=round(one.duration_s),
            )
            for one in shift.breaks
        ),
        fixed_cost=round(vehicle.fixed_cost * UNIT) + (ONE_VAN if fewest else 0),
        cost_per_m=round(vehicle.cost_per_km * UNIT / 1000),
        cost_per_s=round(vehicle.cost_per_hour * UNIT / 3600),
        pace=vehicle.pace_percent,
    )


def _jobs(day: PlanDay, origin: datetime, dimensions: Sequence[str], starts: Sequence[datetime]) -> list[TourJob]:
    words = [msgspec.convert(order.body, OrderWords) for order in day.orders]
    works = [door_work(order, day.default_service_s) for order in day.orders]
    real = service_s(day.rows, works, ms_of(starts[0]) if starts else 0)
    row_of = {order.external_id: row for row, order in enumerate(day.orders)}
    jobs = []
    for row, word in enumerate(words):
        load = load_of(word.load, dimensions)
        fetched = word.kind == "pickup"
        windows = sorted(
            (seconds_to(w.start, origin), seconds_to(w.end, origin)) for w in word.windows if w.end > origin
        )
        after = row_of.get(word.after) if word.after else None
        jobs.append(
            TourJob(
                place=row + 1,
                service_s=real[row],
                windows=_apart(windows),
                delivery=() if fetched else load,
                pickup=load if fetched else (),
                skills=frozenset(word.skills),
                after=after if after != row else None,
                drop_cost=round(DROPPED * (1 + word.priority / 10)),
            )
        )
    return jobs


def _apart(windows: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Put windows that touch together."""
    merged: list[tuple[int, int]] = []
    for start, end in windows:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def told(kept: KeptProblem, judged: Checked, *, unplanned: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write tours as they are kept and shown."""
    return {
        "tours": [_tour(kept, timed) for timed in judged.timed if timed.visits],
        "unplanned": list(unplanned),
        "cost": {
            "km": round(sum(timed.distance_m for timed in judged.timed) / 1000, 2),
            "minutes": round(sum(timed.end_s - timed.start_s for timed in judged.timed) / 60, 1),
            "vehicles": sum(bool(timed.visits) for timed in judged.timed),
            "amount": round(sum(timed.cost % ONE_VAN for timed in judged.timed if timed.visits) / UNIT, 2),
        },
    }


def _tour(kept: KeptProblem, timed: Timed) -> dict[str, Any]:
    labels = kept.labels

    def at(seconds: int) -> str:
        return (labels.origin + timedelta(seconds=seconds)).isoformat()

    return {
        "shift": labels.shifts[timed.tour.vehicle],
        "vehicle": labels.vehicles[timed.tour.vehicle],
        "start_at": at(timed.start_s),
        "end_at": at(timed.end_s),
        "km": round(timed.distance_m / 1000, 2),
        "return_to_depot": kept.problem.vehicles[timed.tour.vehicle].end is not None,
        "breaks": [{"start_at": at(start), "end_at": at(end)} for start, end in timed.rests],
        "break_places": list(timed.tour.breaks),
        "stops": [
            {
                "order": labels.orders[visit.job],
                "arrive_at": at(visit.arrive_s),
                "begin_at": at(visit.begin_s),
                "depart_at": at(visit.depart_s),
            }
            for visit in timed.visits
        ],
    }


def tours_of(kept: KeptProblem, result: Mapping[str, Any]) -> list[VanTour]:
    """Read tours back from what `told` wrote."""
    job_of = {name: row for row, name in enumerate(kept.labels.orders)}
    row_of = {name: row for row, name in enumerate(kept.labels.shifts)}
    return [
        VanTour(
            vehicle=row_of[tour["shift"]],
            jobs=tuple(job_of[stop["order"]] for stop in tour["stops"]),
            breaks=tuple(tour["break_places"]),
        )
        for tour in result["tours"]
    ]


def reasons(kept: KeptProblem, judged: Checked) -> list[dict[str, Any]]:
    """Say of each order that is on no tour why, and what would change that."""
    used = {timed.tour.vehicle for timed in judged.timed}
    idle = [row for row in range(len(kept.problem.vehicles)) if row not in used]
    found = []
    for job in judged.left_out:
        why, change = why_not(kept.problem, judged.timed, job, idle=idle)
        found.append({"order": kept.labels.orders[job], "why": why, "would_help": change})
    return found
