"""Returns as both sides read them."""

from datetime import date, datetime
from typing import Any

from msgspec import Struct

from api.http import ids
from api.proofs.links import Signer
from api.tickets.photos import PhotoView, shown_photos
from sql.returns.returns import ReturnRow
from work.links import token_of


class Pickup(Struct, frozen=True, kw_only=True):
    """How it is fetched.

    `order`: external id of the order. `state`: of that order, or how its stop stands once it is on a route. `day` and
    `tracking_url` (of the pickup itself): null until then.
    """

    order: str
    state: str
    day: date | None
    tracking_url: str | None


class RecipientReturn(Struct, frozen=True, kw_only=True):
    """A return as its recipient reads it; `answer`: what the company said; `label_url`: null unless it is approved."""

    id: str
    state: str
    reason: str | None
    text: str | None
    answer: str | None
    photos: list[PhotoView]
    asked_at: datetime
    closed_at: datetime | None
    pickup: Pickup | None
    label_url: str | None


class RecipientReturns(Struct, frozen=True, kw_only=True):
    """The returns of a delivery, the oldest first."""

    returns: list[RecipientReturn]


class Return(RecipientReturn, frozen=True, kw_only=True):
    """A return as the company reads it; `version` is its `ETag`, for `If-Match`."""

    stop_id: str
    order: str
    asked_by: str
    version: int
    updated_at: datetime


class ReturnPage(Struct, frozen=True, kw_only=True):
    """Returns, the newest first."""

    returns: list[Return]
    next: str | None


def recipient_return(row: ReturnRow, signer: Signer, token: str) -> RecipientReturn:
    """Show a return to its recipient; `token` is that of the link they came by."""
    return RecipientReturn(**_for_both(row, signer, f"/v1/track/{token}"))


def company_return(row: ReturnRow, signer: Signer) -> Return:
    """Show a return to the company."""
    return Return(
        **_for_both(row, signer, "/v1"),
        stop_id=ids.shown(ids.STOP, row.stop_id),
        order=row.order,
        asked_by=row.asked_by,
        version=row.version,
        updated_at=row.updated_at,
    )


def _for_both(row: ReturnRow, signer: Signer, below: str) -> dict[str, Any]:
    """Give the fields of a `RecipientReturn`; `below`: where the reader's own addresses begin."""
    return {
        "id": ids.shown(ids.RETURN, row.id),
        "state": row.state,
        "reason": row.reason,
        "text": row.words,
        "answer": row.said,
        "photos": shown_photos(row.photo_ids, signer),
        "asked_at": row.asked_at,
        "closed_at": row.closed_at,
        "pickup": _pickup(row, signer),
        "label_url": _label(row, signer, below),
    }


def _label(row: ReturnRow, signer: Signer, below: str) -> str | None:
    return f"{signer.base}{below}/returns/{ids.shown(ids.RETURN, row.id)}/label" if row.state == "approved" else None


def _pickup(row: ReturnRow, signer: Signer) -> Pickup | None:
    if row.order_name is None:
        return None
    url = None
    if row.pickup_stop_id is not None and row.pickup_generation is not None:
        url = f"{signer.base}/t/{token_of(signer.secret, row.pickup_stop_id, row.pickup_generation)}"
    state = row.pickup_status or row.order_state or "forgotten"
    return Pickup(order=row.order_name, state=state, day=row.pickup_day, tracking_url=url)
