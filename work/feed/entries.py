"""Entries of the feed, made here and nowhere else: of what fold and clock say, of ETAs, of what drivers say. Pure.

What is made is compared with what the feed said before: new facts, corrected ones, and those taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np

from geo.fold.fold import FactType
from geo.pings import Rows
from geo.times import ms_of
from sql.account.devices import EndedDevice
from sql.delivery.closing import LeftStop
from sql.delivery.stop_states import JudgedEvent
from sql.feed.facts import Revision, Stretch
from sql.track.visits import VisitToEnd
from work.feed.types import ALARMED, CALLED_FOR_HELP, LEFT_OPEN, OF_FACT, PHONE_ENDED, SAID, fact_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose track it is."""

    lane: int
    account_id: int


def entries_of_happened(
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
        kind = OF_FACT[FactType(int(row["type"]))]
        geofence_id = int(row["geofence_id"])
        # a visit of a geofence is the same one whatever route begins or ends meanwhile
        route_id = 0 if geofence_id else int(row["route_id"])
        place = (driver_id, route_id, int(row["stop_id"]), geofence_id, int(row["ordinal"]))
        visit_id = fact_id("visit", *place) if kind.of_a_visit else None
        name = fact_id(kind.name, *place) if visit_id is None else fact_id(kind.name, visit_id)
        if device_id := int(row["device_id"]):
            name = fact_id(kind.name, driver_id, device_id, int(row["ordinal"]))
        owner = owners[driver_id]
        folded_ms = int(row["folded_ms"])
        before = found.get(name)
        first_ms = folded_ms if before is None else _first_ms(before)
        found[name] = Revision(
            fact_id=name,
            revision=1,
            state="asserted",
            type=kind.name,
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
        now: what happened in the stretches, as `entries_of_happened` gives it.
        known: the newest revision of each of those facts, and of every fact that the stretches had made known before.
        stretches: what was folded.

    Returns:
        Revisions to append to the feed; and facts that are the same but for the ping that made them known.
    """
    until = {stretch.driver_id: (stretch.after_ms, stretch.until_ms) for stretch in stretches}
    changed: list[Revision] = []
    moved: list[Revision] = []
    for name, fact in now.items():
        before = known.get(name)
        fact = _with_first(fact, before, until.get(fact.driver_id or 0))
        if before is None:
            changed.append(fact)
        elif before.state == "retracted":
            changed.append(replace(fact, revision=before.revision + 1))
        elif _says(fact) != _says(before, fact.data.get("certainty")):
            changed.append(replace(fact, revision=before.revision + 1, state="corrected"))
        elif (fact.folded_ms, fact.first_folded_ms) != (before.folded_ms, before.first_folded_ms):
            moved.append(replace(fact, revision=before.revision))
    for name, before in known.items():
        if name in now or before.state == "retracted" or before.folded_ms is None:
            continue
        after_ms, until_ms = until.get(before.driver_id or 0, (0, -1))
        if after_ms < before.folded_ms <= until_ms:
            changed.append(taken_back(before))
    return changed, moved


def _says(fact: Revision, certainty: float | None = None) -> tuple[Any, ...]:
    # releases that heard no drivers named no source, earlier ones no certainty
    data = {"source": "auto"} | ({} if certainty is None else {"certainty": certainty}) | fact.data
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


def entry_of_driver(event: JudgedEvent, before: Revision | None) -> Revision:
    """Say that what a driver or a dispatcher said is in force, or is not any more.

    Args:
        event: of a type among `SAID`.
        before: what the feed said of it; None: nothing.
    """
    return Revision(
        fact_id=fact_id_of(event),
        revision=1 if before is None else before.revision + 1,
        state="asserted" if event.effective else "retracted",
        type=SAID[event.type].name,
        occurred_ms=event.occurred_ms,
        folded_ms=None,
        lane=event.lane,
        account_id=event.account_id,
        driver_id=event.driver_id,
        route_id=event.route_id,
        route_version=None,
        stop_id=event.stop_id,
        geofence_id=None,
        visit_id=None,
        data=_told(event),
    )


def fact_id_of(event: JudgedEvent) -> UUID:
    """Name the fact that an event tells; ids of events are the phone's, and only its driver's."""
    return fact_id(SAID[event.type].name, event.driver_id, event.id)


def entry_of_eta(
    kind: str, track: np.void, owner: Owner, *, stop_id: int, data: dict[str, Any], before: Revision | None = None
) -> Revision:
    """Say what is expected of a stop: there is at most one of a kind for a driver and a stop.

    Args:
        kind: `LATE` or `APPROACHING`.
        track: one row of dtype `geo.fold.fold.TRACK`: the newest ping is what it rests on.
        before: what the feed said of it; one that stands is corrected, and happened when it did.
    """
    driver_id, route_id = int(track["driver_id"]), int(track["route_id"])
    first = Revision(
        fact_id=fact_id(kind, driver_id, route_id, stop_id),
        revision=1,
        state="asserted",
        type=kind,
        occurred_ms=int(track["recorded_ms"]),
        folded_ms=None,
        lane=owner.lane,
        account_id=owner.account_id,
        driver_id=driver_id,
        route_id=route_id,
        route_version=int(track["route_version"]),
        stop_id=stop_id,
        geofence_id=None,
        visit_id=None,
        data=data,
    )
    if before is None:
        return first
    if before.state == "retracted":
        return replace(first, revision=before.revision + 1)
    return replace(first, revision=before.revision + 1, state="corrected", occurred_ms=before.occurred_ms)


def name_of_left_open(stop: LeftStop) -> UUID:
    """Name the fact that a stop was left open: there is one of a stop."""
    return fact_id(LEFT_OPEN, stop.route_id, stop.stop_id)


def entry_of_left_open(stop: LeftStop, before: Revision | None) -> Revision | None:
    """Say that a stop was open when its tour was over, or that it is not any more; None where that is said already."""
    stands = before is not None and before.state != "retracted"
    if not stop.is_open or stop.closed_ms is None:
        return taken_back(before) if before is not None and stands else None
    first = Revision(
        fact_id=name_of_left_open(stop),
        revision=1,
        state="asserted",
        type=LEFT_OPEN,
        occurred_ms=stop.closed_ms,
        folded_ms=None,
        lane=stop.lane,
        account_id=stop.account_id,
        driver_id=stop.driver_id,
        route_id=stop.route_id,
        route_version=stop.route_version,
        stop_id=stop.stop_id,
        geofence_id=None,
        visit_id=None,
        data={"why": stop.closed_by or "hours"},
    )
    return anew(first, before)


def anew(first: Revision, before: Revision | None) -> Revision | None:
    """Say what the clock knows of a fact, given what the feed said of it; None where that is said already."""
    if before is None:
        return first
    if before.state == "retracted":
        return replace(first, revision=before.revision + 1)
    if (before.occurred_ms, before.driver_id, before.data) == (first.occurred_ms, first.driver_id, first.data):
        return None
    return replace(first, revision=before.revision + 1, state="corrected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An alarm that a phone sent.

    Attributes:
        word: as the phone called it; `sos` is a call for help.
        route_id: the one that its driver was on; None: none that is known.
        data: what else is known of it.
    """

    account_id: int
    lane: int
    driver_id: int
    device_id: int
    word: str
    occurred_ms: int
    route_id: int | None
    data: dict[str, Any]


def entry_of_alarm(alarm: Alarm) -> Revision:
    """Say that a phone sent an alarm. The same message sent again is the same fact."""
    name = CALLED_FOR_HELP if alarm.word == "sos" else ALARMED
    return Revision(
        fact_id=fact_id(name, alarm.driver_id, alarm.device_id, alarm.word, alarm.occurred_ms),
        revision=1,
        state="asserted",
        type=name,
        occurred_ms=alarm.occurred_ms,
        folded_ms=None,
        lane=alarm.lane,
        account_id=alarm.account_id,
        driver_id=alarm.driver_id,
        route_id=alarm.route_id,
        route_version=None,
        stop_id=None,
        geofence_id=None,
        visit_id=None,
        data={"alarm": alarm.word, **alarm.data},
    )


def taken_back(fact: Revision) -> Revision:
    """Say that a fact does not stand."""
    return replace(fact, revision=fact.revision + 1, state="retracted")


def arrival_at_stop(visit_id: UUID) -> UUID:
    """Name the fact that began a visit of a stop."""
    return fact_id("stop.arrived", visit_id)


def departure_of(arrival: Revision) -> UUID:
    """Name the fact that ends the visit which an arrival began."""
    assert arrival.visit_id is not None
    return fact_id("stop.departed" if arrival.stop_id else "geofence.exited", arrival.visit_id)


def entry_of_silence(visit: VisitToEnd, arrival: Revision, until_ms: int, before: Revision | None) -> Revision | None:
    """Say that a visit was over though no fix shows it, or that it goes on after all; None where that is said already.

    Args:
        arrival: what the feed says of its beginning.
        until_ms: when it is known to have gone on last.
        before: what the feed says of its end; what a fix shows stands.
    """
    if visit.presumed:
        stands = before is not None and before.state != "retracted" and before.folded_ms is None
        return taken_back(before) if before is not None and stands else None
    return anew(
        replace(
            arrival,
            fact_id=departure_of(arrival),
            revision=1,
            state="asserted",
            type="stop.departed",
            occurred_ms=until_ms,
            folded_ms=None,
            first_folded_ms=None,
            data={"source": "auto", "how": "tour" if visit.tour_is_over else "silence"},
        ),
        before,
    )


def _told(event: JudgedEvent) -> dict[str, Any]:
    """What a shop needs to know; scans are told as what was missing or unknown, proofs have their own routes."""
    said = {name: value for name, value in event.data.items() if name not in ("barcodes", "parcels", "cash", "proofs")}
    place = {} if event.lat is None else {"lat": event.lat, "lon": event.lon}
    return {"event_id": str(event.id), **said, **event.outcome, **place}


def entry_of_phone(ended: EndedDevice, account_id: int) -> Revision:
    """Say that a phone was shut out, as the fold says it when another one is heard."""
    ended_ms = ms_of(ended.ended_at)
    return Revision(
        fact_id=fact_id(PHONE_ENDED, ended.driver_id, ended.device_id, ended_ms),
        revision=1,
        state="asserted",
        type=PHONE_ENDED,
        occurred_ms=ended_ms,
        folded_ms=None,
        lane=ended.lane,
        account_id=account_id,
        driver_id=ended.driver_id,
        route_id=None,
        route_version=None,
        stop_id=None,
        geofence_id=None,
        visit_id=None,
        data=_data_of_phone(ended.device_id, revoked=True),
    )


def _data_of_phone(device_id: int, *, revoked: bool) -> dict[str, Any]:
    return {"device_id": f"dv_{device_id}", "how": "revoked" if revoked else "silence"}


def _data_of(row: np.void) -> dict[str, Any]:
    data: dict[str, Any] = {}
    if row["device_id"]:
        return _data_of_phone(int(row["device_id"]), revoked=bool(row["source"]))
    if not np.isnan(row["along_m"]):
        data = {"along_m": round(float(row["along_m"]), 1)}
    if not np.isnan(row["offset_m"]):
        data["offset_m"] = round(float(row["offset_m"]), 1)
    if row["lat_e6"] or row["lon_e6"]:
        data |= {"lat": int(row["lat_e6"]) / 1e6, "lon": int(row["lon_e6"]) / 1e6}
    if OF_FACT[FactType(int(row["type"]))].names_source:
        data["source"] = "driver" if row["source"] else "auto"
    if row["certainty"]:
        data["certainty"] = round(float(row["certainty"]), 2)
    return data
