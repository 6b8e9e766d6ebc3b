"""From what the fold says happened to what the feed must say: new facts, corrected ones, and those taken back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from uuid import UUID

import numpy as np

from geo.fold.fold import FactType
from geo.pings import Rows
from sql.feed.facts import Revision, Stretch

TYPES = {
    FactType.STOP_ARRIVED: "stop.arrived",
    FactType.STOP_DEPARTED: "stop.departed",
    FactType.ROUTE_STARTED: "route.started",
    FactType.ROUTE_COMPLETED: "route.completed",
    FactType.ROUTE_OFF: "route.off_route",
    FactType.ROUTE_BACK: "route.back_on_route",
    FactType.FENCE_ENTERED: "geofence.entered",
    FactType.FENCE_EXITED: "geofence.exited",
    FactType.FENCE_CROSSED: "geofence.crossed",
    FactType.FENCE_DWELLED: "geofence.dwelled",
    FactType.DRIVER_SILENT: "driver.silent",
    FactType.DRIVER_SEEN: "driver.seen",
}
"""The name of each fact in the feed."""

_OF_A_TOUR = {
    FactType.STOP_ARRIVED,
    FactType.STOP_DEPARTED,
    FactType.ROUTE_STARTED,
    FactType.ROUTE_COMPLETED,
}
"""What a driver may have a word in: it says whose word it is."""

_OF_A_VISIT = {
    FactType.STOP_ARRIVED,
    FactType.STOP_DEPARTED,
    FactType.FENCE_ENTERED,
    FactType.FENCE_EXITED,
    FactType.FENCE_DWELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose track it is."""

    lane: int
    account_id: int


def revise(
    happened: Rows, owners: Mapping[int, Owner], driver_ids: Sequence[int], *, of_the_clock: bool = False
) -> dict[UUID, Revision]:
    """Say what happened as first revisions of facts, by fact_id.

    A fact's id rests on what it is about, never on when it became known: a re-run finds the same one. What is said anew
    of the same counts.

    Args:
        happened: (h,) of dtype `geo.fold.fold.HAPPENED`.
        owners: by driver.
        driver_ids: of the rows that `happened` calls tracks.
        of_the_clock: these follow from silence, not from a ping.
    """
    found: dict[UUID, Revision] = {}
    for row in happened:
        driver_id = driver_ids[int(row["track"])]
        kind = FactType(int(row["type"]))
        geofence_id = int(row["geofence_id"])
        # a visit of a geofence is the same one whatever route begins or ends meanwhile
        route_id = 0 if geofence_id else int(row["route_id"])
        place = (driver_id, route_id, int(row["stop_id"]), geofence_id, int(row["ordinal"]))
        visit_id = _id_of("visit", *place) if kind in _OF_A_VISIT else None
        fact_id = _id_of(TYPES[kind], *place) if visit_id is None else _id_of(TYPES[kind], visit_id)
        owner = owners[driver_id]
        folded_ms = int(row["folded_ms"])
        before = found.get(fact_id)
        first_ms = folded_ms if before is None else _first_ms(before)
        found[fact_id] = Revision(
            fact_id=fact_id,
            revision=1,
            state="asserted",
            type=TYPES[kind],
            occurred_ms=int(row["occurred_ms"]),
            folded_ms=None if of_the_clock else folded_ms,
            first_folded_ms=first_ms if first_ms < folded_ms else None,
            lane=owner.lane,
            account_id=owner.account_id,
            driver_id=driver_id,
            route_id=int(row["route_id"]) or None,
            route_version=int(row["route_version"]) or None,
            stop_id=int(row["stop_id"]) or None,
            geofence_id=geofence_id or None,
            visit_id=visit_id,
            data=_data_of(row),
        )
    return found


def compare(
    now: Mapping[UUID, Revision], known: Mapping[UUID, Revision], stretches: Iterable[Stretch]
) -> tuple[list[Revision], list[Revision]]:
    """Compare what the fold says now with what the feed said before.

    Args:
        now: what happened in the stretches, as `revise` gives it.
        known: the newest revision of each of those facts, and of every fact that the stretches had made known before.
        stretches: what was folded.

    Returns:
        Revisions to append to the feed; and facts that are the same but for the ping that made them known.
    """
    until = {stretch.driver_id: (stretch.after_ms, stretch.until_ms) for stretch in stretches}
    changed: list[Revision] = []
    moved: list[Revision] = []
    for fact_id, fact in now.items():
        before = known.get(fact_id)
        fact = _with_first(fact, before, until.get(fact.driver_id))
        if before is None:
            changed.append(fact)
        elif before.state == "retracted":
            changed.append(replace(fact, revision=before.revision + 1))
        elif _says(fact) != _says(before):
            changed.append(replace(fact, revision=before.revision + 1, state="corrected"))
        elif (fact.folded_ms, fact.first_folded_ms) != (before.folded_ms, before.first_folded_ms):
            moved.append(replace(fact, revision=before.revision))
    for fact_id, before in known.items():
        if fact_id in now or before.state == "retracted" or before.folded_ms is None:
            continue
        after_ms, until_ms = until.get(before.driver_id, (0, -1))
        if after_ms < before.folded_ms <= until_ms:
            changed.append(replace(before, revision=before.revision + 1, state="retracted"))
    return changed, moved


def _says(fact: Revision) -> tuple[Any, ...]:
    # releases that heard no drivers named no source
    data = {"source": "auto"} | fact.data
    return fact.type, fact.occurred_ms, fact.route_id, fact.route_version, data


def _first_ms(fact: Revision) -> int:
    first_ms = fact.folded_ms if fact.first_folded_ms is None else fact.first_folded_ms
    assert first_ms is not None
    return first_ms


def _with_first(fact: Revision, before: Revision | None, stretch: tuple[int, int] | None) -> Revision:
    """Remember which input made a fact known that this one says anew, unless that one is folded again too."""
    if before is None or before.state == "retracted" or before.folded_ms is None or fact.folded_ms is None:
        return fact
    after_ms = fact.folded_ms - 1 if stretch is None else stretch[0]
    return replace(fact, first_folded_ms=_first_ms(before)) if before.folded_ms <= after_ms else fact


def eta_fact_id(kind: str, *, driver_id: int, route_id: int, stop_id: int) -> UUID:
    """Name what there is at most one of for a driver and a stop: `eta.late`, `stop.approaching`."""
    return _id_of(kind, driver_id, route_id, stop_id)


def departure_of(arrival: Revision) -> UUID:
    """Name the fact that ends the visit which an arrival began."""
    assert arrival.visit_id is not None
    return _id_of("stop.departed" if arrival.stop_id else "geofence.exited", arrival.visit_id)


def _id_of(*what: str | int | UUID) -> UUID:
    return UUID(bytes=blake2b(":".join(map(str, what)).encode(), digest_size=16).digest())


def _data_of(row: np.void) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if not np.isnan(row["along_m"]):
        data = {"along_m": round(float(row["along_m"]), 1)}
    if not np.isnan(row["offset_m"]):
        data["offset_m"] = round(float(row["offset_m"]), 1)
    if row["lat_e6"] or row["lon_e6"]:
        data |= {"lat": int(row["lat_e6"]) / 1e6, "lon": int(row["lon_e6"]) / 1e6}
    if FactType(int(row["type"])) in _OF_A_TOUR:
        data["source"] = "driver" if row["source"] else "auto"
    return data
