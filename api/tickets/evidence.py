"""What shows how a delivery went, computed from what is stored. What nobody knows is null, never a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import msgspec
from aiohttp import web
from msgspec import Struct

from api.http.app_keys import POOL
from api.proofs.stop import shown_proofs
from api.proofs.view import Proof, distance_m, place_of
from sql.delivery import proofs
from sql.delivery.proofs import ProofRow, StopOutcome
from sql.pool import Pool
from sql.tickets.evidence import ServedStop, VisitSeen, served_stop, visits_of_stop

Pin: TypeAlias = Literal["held", "not-held", "not-asked"]
_HANDED_OVER = ("completed", "partially_completed")


class EvidenceVisit(Struct, frozen=True, kw_only=True):
    """When the van was there; `departed_at` null: it is; `source`: auto (by pings) or driver."""

    arrived_at: datetime
    departed_at: datetime | None
    source: str


class EvidenceDoor(Struct, frozen=True, kw_only=True):
    """Where the door is, WGS 84 degrees; `known_by`: the recipient, who said so, or the planner."""

    lat: float
    lon: float
    known_by: str


class EvidenceInShort(Struct, frozen=True, kw_only=True):
    """What the recipient is shown.

    `ended`: how, as the driver said; null: nobody said. `ended_m`: from where that was said to the door. `proof_m`:
    from the door to where the nearest photo or signature was taken; null: there is none, or nobody knows where. `pin`:
    held (the right one was given), not-held (it was to be given and was not), not-asked; null: nothing was handed over
    yet.
    """

    visits: list[EvidenceVisit]
    ended: str | None
    ended_at: datetime | None
    ended_m: float | None
    photos: int
    signature: bool
    proof_m: float | None
    pin: Pin | None


class Evidence(EvidenceInShort, frozen=True, kw_only=True):
    """What the company is shown: with the door and the proofs themselves, with short-lived links to their bytes."""

    door: EvidenceDoor
    proofs: list[Proof]
    proofs_m: list[float | None]
    """From each of them to the door; null: nobody knows where it was taken."""


async def evidence_in_short(request: web.Request, *, account_id: int, stop_id: int) -> EvidenceInShort | None:
    """Put together what a recipient may see of how their delivery went; None: it is forgotten."""
    seen = await _read(request.app[POOL], account_id, stop_id)
    return None if seen is None else _in_short(seen)


async def evidence_of(request: web.Request, *, account_id: int, stop_id: int) -> Evidence | None:
    """Put together what shows how a delivery went; None: it is forgotten."""
    seen = await _read(request.app[POOL], account_id, stop_id)
    if seen is None:
        return None
    return Evidence(
        door=EvidenceDoor(lat=seen.stop.lat, lon=seen.stop.lon, known_by=seen.stop.door_by),
        proofs=await shown_proofs(request, seen.rows),
        proofs_m=[_from_door(seen.stop, row) for row in seen.rows],
        **msgspec.structs.asdict(_in_short(seen)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is stored of how a stop was served."""

    stop: ServedStop
    visits: Sequence[VisitSeen]
    rows: list[ProofRow]
    said: StopOutcome | None


async def _read(pool: Pool, account_id: int, stop_id: int) -> _Seen | None:
    stop = await served_stop(pool, account_id=account_id, stop_id=stop_id)
    rows = await proofs.proofs_of_stop(pool, account_id=account_id, stop_id=stop_id)
    if stop is None or rows is None:
        return None
    visits = await visits_of_stop(pool, account_id=account_id, stop_id=stop_id)
    return _Seen(stop=stop, visits=visits, rows=rows, said=await proofs.read_outcome(pool, stop_id))


def _in_short(seen: _Seen) -> EvidenceInShort:
    stop, said, said_at = seen.stop, seen.said, _said_at(seen.said)
    stored = [row for row in seen.rows if row.state == "stored"]
    metres = [far for row in stored if (far := _from_door(stop, row)) is not None]
    return EvidenceInShort(
        visits=[
            EvidenceVisit(arrived_at=one.arrived_at, departed_at=one.departed_at, source=one.source)
            for one in seen.visits
        ],
        ended=said.type if said else None,
        ended_at=said.occurred_at if said else None,
        ended_m=distance_m(*said_at, stop.lat, stop.lon) if said_at else None,
        photos=sum(row.kind == "photo" for row in stored),
        signature=any(row.kind == "signature" for row in stored),
        proof_m=min(metres, default=None),
        pin=_pin(stop, said),
    )


def _said_at(said: StopOutcome | None) -> tuple[float, float] | None:
    if said is None or said.lat is None or said.lon is None:
        return None
    return said.lat, said.lon


def _pin(stop: ServedStop, said: StopOutcome | None) -> Pin | None:
    if said is None or said.type not in _HANDED_OVER:
        return None
    if not stop.asks_pin:
        return "not-asked"
    return "held" if stop.pin_held else "not-held"


def _from_door(stop: ServedStop, row: ProofRow) -> float | None:
    place = place_of(row)
    return None if place is None else distance_m(place.lat, place.lon, stop.lat, stop.lon)
