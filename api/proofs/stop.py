"""Everything that shows how a stop was served, in one value."""

from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import Role, caller_of
from api.http.problem import NotFound
from api.proofs.links import signer_of
from api.proofs.view import Proof, distance_m, proof_of
from sql.delivery import proofs
from sql.delivery.proofs import ProofRow, StopOutcome, StopStory


class CashDue(Struct, frozen=True, kw_only=True):
    """Money to collect at the stop."""

    amount: float
    currency: str | None


class ProvenStop(Struct, frozen=True, kw_only=True):
    """The stop as it was planned, and how it stands now."""

    id: str
    external_id: str
    kind: str
    name: str
    address: str | None
    lat: float
    lon: float
    status: str
    required: list[str]
    """Kinds of proof that were asked for."""
    parcels: list[dict[str, Any]]
    cash_on_delivery: CashDue | None
    arrived_at: datetime | None
    departed_at: datetime | None


class ProvenRoute(Struct, frozen=True, kw_only=True):
    """The route of the stop."""

    id: str
    external_id: str
    date: str
    timezone: str


class OutcomeSaid(Struct, frozen=True, kw_only=True):
    """The driver's event that ended the stop. `data` is as the phone sent it, but for the PIN."""

    id: str
    type: str
    occurred_at: datetime
    driver_id: str
    driver_external_id: str
    driver_name: str
    lat: float | None
    lon: float | None
    distance_m: float | None
    """From where it was said to the stop."""
    recipient: Any
    """As the app sent it: a name, or an object with one."""
    note: str | None
    reason: str | None
    """Why it failed."""
    parcels: list[dict[str, Any]]
    """What became of each, as the feed tells it; empty where nothing was handed over."""
    cash: dict[str, Any] | None
    """What was due and what was paid, as the feed tells it; null where nothing was."""
    data: dict[str, Any]


class StopProof(Struct, frozen=True, kw_only=True):
    """Everything that shows how a stop was served. `outcome`: null while nobody has said how it ended.

    `photos`, `signature` (the newest) and `documents` are the stored ones; `others` is what is pending, refused or
    replaced.
    """

    stop: ProvenStop
    route: ProvenRoute
    outcome: OutcomeSaid | None
    photos: list[Proof]
    signature: Proof | None
    documents: list[Proof]
    others: list[Proof]


async def read_stop_proof(request: web.Request, stop_id: int) -> StopProof:
    """Put together what is known of a stop, for the account that asks.

    Raises:
        NotFound: it has no such stop.
    """
    pool, account_id = request.app[POOL], caller_of(request).account_id
    story = await proofs.read_story(pool, account_id=account_id, stop_id=stop_id)
    rows = await proofs.proofs_of_stop(pool, account_id=account_id, stop_id=stop_id)
    if story is None or rows is None:
        raise NotFound("There is no stop of this id.")
    return _together(story, await proofs.read_outcome(pool, stop_id), await shown_proofs(request, rows))


async def shown_proofs(request: web.Request, rows: list[ProofRow]) -> list[Proof]:
    """Show proofs to the one who asks, with links to their bytes."""
    signer = await signer_of(request)
    with_original = caller_of(request).role >= Role.DISPATCHER
    return [proof_of(row, signer, with_original=with_original) for row in rows]


def _together(story: StopStory, outcome: StopOutcome | None, listed: list[Proof]) -> StopProof:
    stored = [proof for proof in listed if proof.state == "stored"]
    photos, signatures, documents = (
        [proof for proof in stored if proof.kind == kind] for kind in ("photo", "signature", "document")
    )
    told = {proof.id for proof in (*photos, *signatures[-1:], *documents)}
    return StopProof(
        stop=_stop(story),
        route=ProvenRoute(
            id=ids.shown(ids.ROUTE, story.route_id),
            external_id=story.route_external_id,
            date=story.date.isoformat(),
            timezone=story.timezone,
        ),
        outcome=None if outcome is None else _said(outcome, story),
        photos=photos,
        signature=signatures[-1] if signatures else None,
        documents=documents,
        others=[proof for proof in listed if proof.id not in told],
    )


def _stop(story: StopStory) -> ProvenStop:
    return ProvenStop(
        id=ids.shown(ids.STOP, story.id),
        external_id=story.external_id,
        kind=story.kind,
        name=story.name,
        address=story.address,
        lat=story.lat,
        lon=story.lon,
        status=story.status,
        required=story.required,
        parcels=story.parcels,
        cash_on_delivery=None
        if story.cash_amount is None
        else CashDue(amount=float(story.cash_amount), currency=story.cash_currency),
        arrived_at=story.arrived_at,
        departed_at=story.departed_at,
    )


def _said(outcome: StopOutcome, story: StopStory) -> OutcomeSaid:
    data = {name: value for name, value in outcome.data.items() if name != "pin"}
    here = outcome.lat is not None and outcome.lon is not None
    return OutcomeSaid(
        id=str(outcome.id),
        type=outcome.type,
        occurred_at=outcome.occurred_at,
        driver_id=ids.shown(ids.DRIVER, outcome.driver_id),
        driver_external_id=outcome.driver_external_id,
        driver_name=outcome.driver_name,
        lat=outcome.lat,
        lon=outcome.lon,
        distance_m=distance_m(outcome.lat or 0, outcome.lon or 0, story.lat, story.lon) if here else None,
        recipient=data.get("recipient"),
        note=_text(data.get("note")),
        reason=_text(data.get("reason")),
        parcels=outcome.outcome.get("parcels", []),
        cash=outcome.outcome.get("cash"),
        data=data,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
