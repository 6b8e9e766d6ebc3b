"""What happened with a delivery in words: each part of the page as rows that the template lays out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.certificate.told import Pen, ToldOutcome
from api.desk_page.shown import Words
from api.messages.listing import Message
from api.messages.stop import StopDetail
from api.pages.times import Manner
from api.proofs.stop import StopProof
from api.routes.eta import StopEta
from api.tickets.evidence import EvidenceInShort
from api.tickets.view import Ticket
from sql.portal.stops import ChangeRow
from sql.returns.returns import ReturnRow

WELL = frozenset({"completed", "partially_completed"})
BROKEN = frozenset({"failed", "skipped", "left_open", "removed"})
NOT_HEARD = frozenset({"failed", "suppressed", "expired"})

_NO_WORDS = frozenset({"lat", "lon", "door_lat", "door_lon", "place_lat", "place_lon", "pickup_point_id", "rating_id"})
"""Of a change: what nobody reads out."""

Row = tuple[str, str]
"""A label and what stands beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """When the van is expected at a stop; None: nobody knows, or it was there."""

    eta: StopEta | None
    is_stale: bool


def tone_of(status: str) -> str:
    """Say by which of the desk's colours a stop's status is shown."""
    return "well" if status in WELL else "broken" if status in BROKEN else "off" if status == "pending" else "doing"


def status_in_words(words: Words, kind: str, status: str) -> str:
    """Write how a stop of a kind is."""
    of_kind = words["stop_status_pickup"] if kind == "pickup" else {}
    return of_kind.get(status) or words["stop_status"][status]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """Writes what happened, in the words and hours of who looks."""

    words: Words
    manner: Manner
    now: datetime
    pen: Pen

    def status(self, kind: str, status: str) -> str:
        """Write how a stop is."""
        return status_in_words(self.words, kind, status)

    def when(self, at: datetime | None) -> str:
        """Write a time, of another day with its day; empty for None."""
        return "" if at is None else self.manner.moment(at, self.now)

    def sheet(self, stop: StopDetail, whole: StopProof, expected: Expected) -> dict[str, Any]:
        """Write what is asked first: when it was promised, when it comes, how it ended; and what is brought."""
        words, window, eta = self.words["stop"], stop.window, expected.eta
        ended = whole.outcome.occurred_at if whole.outcome else stop.outcome_at
        due = whole.stop.cash_on_delivery
        return {
            "status": self.status(stop.kind, stop.status),
            "tone": tone_of(stop.status),
            "kind": self.words["stop_kind"][stop.kind],
            "promised": self.manner.range(window.start, window.end, self.now) if window else words["no_promise"],
            "planned": self.when(stop.planned_arrival),
            "expected": self.manner.window(eta.low, eta.high, self.now) if eta else "",
            "stale": words["stale"] if eta and expected.is_stale else "",
            "arrived": self.when(stop.arrived_at),
            "ended": self.when(ended),
            "parcels": self.pen.parcels(whole.stop.parcels, ()),
            "barcodes": ", ".join(one.barcode for one in stop.parcels if one.barcode),
            "cash": f"{self.pen.amount(due.amount)} {due.currency or ''}".strip() if due else "",
            "asks": ", ".join(self.words["proof_kind"].get(kind, kind) for kind in stop.proof),
        }

    def did(self, whole: StopProof, evidence: EvidenceInShort, told: ToldOutcome) -> dict[str, Any]:
        """Write what the driver did: visits, then what they said of how it ended."""
        words = self.words["stop"]
        visits = [
            {
                "from": self.when(one.arrived_at),
                "until": self.when(one.departed_at) or words["still_there"],
                "by": self.words["visit_by"].get(one.source, one.source),
            }
            for one in evidence.visits
        ]
        said: Sequence[Row] = (
            (words["ended"], f"{self.status(whole.stop.kind, told.ended)}, {self.when(told.at)}"),
            (words["reason"], self.reason(told)),
            (words["note"], told.note),
            (words["received_by"], told.recipient),
            (words["parcels"], self.pen.parcels(whole.stop.parcels, told.parcels) if told.parcels else ""),
            (words["paid"], self.pen.cash(told.cash)),
            (words["said_far"], "" if evidence.ended_m is None else self.pen.metres(evidence.ended_m)),
            (words["pin_given"], self.words["pin_said"].get(evidence.pin or "", "")),
        )
        return {"visits": visits, "said": [row for row in said if row[1]] if told.at else []}

    def reason(self, told: ToldOutcome) -> str:
        """Write why it failed; a code that the account has no text for, in words as far as it has some."""
        if not told.is_code:
            return told.reason
        usual = self.words["fail_reason"].get(told.reason)
        return usual or self.words["stop"]["unlisted"].format(code=told.reason.replace("_", " "))

    def proofs(self, whole: StopProof, base: str) -> list[dict[str, str]]:
        """Write the proofs; links of this server without its address, which a page of it needs not."""
        signature = [whole.signature] if whole.signature else []
        shown = [*whole.photos, *signature, *whole.documents, *whole.others]
        good = {one.id for one in (*whole.photos, *signature, *whole.documents)}
        return [
            {
                "kind": self.words["proof_kind"][one.kind],
                "when": self.when(one.taken_at),
                "far": self.words["stop"]["from_door"].format(far=self.pen.metres(one.distance_m))
                if one.distance_m is not None
                else "",
                "state": "" if one.id in good else self.words["proof_state"].get(one.state, one.state),
                "url": (one.url or "").removeprefix(base),
                "thumbnail": (one.thumbnail_url or "").removeprefix(base),
            }
            for one in shown
        ]

    def message(self, one: Message) -> dict[str, str]:
        """Write a message: what it was about, by which way to whom, and whether it arrived."""
        at = one.delivered_at or one.sent_at or one.created_at
        return {
            "kind": self.words["message_kind"].get(one.kind, one.kind),
            "way": self.words["channel"].get(one.channel, one.channel),
            "to": one.to,
            "state": self.words["message_state"][one.state],
            "why": self.words["message_why"].get(one.why, one.why) if one.why else "",
            "tone": "broken" if one.state in NOT_HEARD else "well" if one.state in ("delivered", "read") else "doing",
            "when": self.when(at),
            "body": one.body or "",
        }

    def change(self, one: ChangeRow) -> dict[str, Any]:
        """Write what a recipient changed, with what was before."""
        return {
            "id": f"rc_{one.id}",
            "kind": self.words["change_kind"].get(one.kind, one.kind),
            "state": self.words["change_state"][one.state],
            "is_asked": one.state == "proposed",
            "was": self._values(one.was),
            "is_now": self._values(one.is_now),
            "when": self.when(one.made_at),
        }

    def ticket(self, one: Ticket) -> dict[str, Any]:
        """Write a ticket with what was said in it."""
        words = self.words["stop"]
        due = f"{words['due']} {self.when(one.due_at)}" if one.due_at else ""
        return {
            "id": one.id,
            "version": one.version,
            "kind": self.words["ticket_kind"].get(one.kind, one.kind),
            "state": self.words["ticket_state"][one.state],
            "due": f"{words['overdue']}: {due}" if one.overdue else due,
            "overdue": one.overdue,
            "is_open": one.closed_at is None,
            "when": self.when(one.opened_at),
            "entries": [
                {
                    "by": words["internal"] if entry.internal else self.words["said_by"].get(entry.by, entry.by),
                    "when": self.when(entry.at),
                    "text": entry.text or "",
                }
                for entry in one.entries
                if entry.text
            ],
        }

    def asked_back(self, one: ReturnRow) -> dict[str, str]:
        """Write a return."""
        return {
            "state": self.words["return_state"][one.state],
            "when": self.when(one.asked_at),
            "said": " · ".join(text for text in (one.reason, one.words, one.said) if text),
        }

    def _values(self, values: Mapping[str, Any]) -> str:
        said = []
        for name, value in values.items():
            if name in _NO_WORDS or value in (None, "", False, []):
                continue
            said.append(self._value(value))
        return " · ".join(text for text in said if text)

    def _value(self, value: Any) -> str:
        if isinstance(value, list):
            return ", ".join(str(one) for one in value)
        if isinstance(value, Mapping):
            return self._values(value)
        if isinstance(value, str):
            try:
                return self.when(datetime.fromisoformat(value)) if value[:4].isdigit() and "T" in value else value
            except ValueError:
                return value
        return "" if value is True else str(value)
