"""What an event means for its stop as it was planned when it came in. Pure; whatever comes later changes nothing."""

import hmac
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from api.driver.events.body import Done, Event, NotDone
from sql.delivery.driver_events import SpokenStop


class Warned(Struct, frozen=True, kw_only=True):
    """Something to look at in an event that is kept as it is: `why`, a code, and `what` it is about."""

    why: str
    what: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an event means.

    Attributes:
        data: what is kept of its data; no PIN is.
        outcome: parcels, cash, barcodes and the reason's text, as the feed tells them.
        flaw: why it has no effect in any order; None: it may have.
        pin_generation: of the PIN that its own was held against; None: it gave none, or none is asked for.
    """

    data: dict[str, Any]
    outcome: dict[str, Any]
    flaw: str | None
    pin_generation: int | None
    warnings: list[Warned]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The PIN of a stop, how often it was guessed wrong so far, however dated, and after how often none is compared."""

    pin: str
    wrong: int
    most_wrong: int


def meaning_of(event: Event, stop: SpokenStop | None, lock: Lock | None, reasons: Mapping[str, str]) -> Meaning:
    """Tell what an event means.

    Args:
        stop: that it is about; None: about none.
        lock: of that stop; None where it asks for no PIN.
        reasons: why a stop can fail: code to text.
    """
    data: dict[str, Any] = msgspec.to_builtins(event.data)
    data.pop("pin", None)
    if stop is None:
        return Meaning(data=data, outcome={}, flaw=None, pin_generation=None, warnings=[])
    if isinstance(event.data, NotDone):
        return _not_done(event.data, data, reasons)
    if not isinstance(event.data, Done):
        return Meaning(data=data, outcome={}, flaw=None, pin_generation=None, warnings=[])
    return _done(event.data, data, stop, lock, is_whole=event.body.type == "completed")


def _not_done(said: NotDone, data: dict[str, Any], reasons: Mapping[str, str]) -> Meaning:
    text = None if said.reason is None else reasons.get(said.reason)
    known = said.reason is None or text is not None
    return Meaning(
        data=data,
        outcome={} if text is None else {"reason_text": text},
        flaw=None,
        pin_generation=None,
        warnings=[] if known else [Warned(why="unknown-reason", what=[str(said.reason)])],
    )


def _done(said: Done, data: dict[str, Any], stop: SpokenStop, lock: Lock | None, *, is_whole: bool) -> Meaning:
    parcels, strange = _parcels(said, stop, is_whole=is_whole)
    outcome: dict[str, Any] = {"parcels": parcels} if parcels else {}
    warnings = [Warned(why="parcels-unknown", what=strange)] if strange else []

    asks_scans = "barcode" in stop.proof
    planned = [parcel.barcode for parcel in stop.parcels if parcel.barcode is not None]
    handed = {parcel["barcode"] for parcel in parcels if parcel["outcome"] in ("delivered", "collected")}
    scanned = dict.fromkeys(said.barcodes)
    unscanned = [one for one in dict.fromkeys(planned) if one not in scanned and one in handed]
    missing = unscanned if scanned or asks_scans else []
    known = set(planned)
    unknown = [one for one in scanned if one not in known]
    for name, barcodes in (("barcodes_missing", missing), ("barcodes_unknown", unknown)):
        if barcodes:
            outcome[name] = barcodes
            warnings.append(Warned(why=name.replace("_", "-"), what=barcodes))

    if said.cash is not None or stop.cash_amount is not None:
        due, amount = Decimal(stop.cash_amount or 0), said.cash.amount if said.cash else 0.0
        outcome["cash"] = {
            "amount": amount,
            "method": said.cash.method if said.cash else None,
            "currency": stop.cash_currency,
            "due": float(due),
            "difference": float(Decimal(str(amount)) - due),
        }
    return Meaning(
        data=data,
        outcome=outcome,
        flaw=_pin_flaw(said.pin, lock) or ("barcodes-missing" if asks_scans and missing else None),
        pin_generation=stop.pin_generation if lock and said.pin is not None else None,
        warnings=warnings,
    )


def _pin_flaw(pin: str | None, lock: Lock | None) -> str | None:
    """Hold a PIN against the right one; how many wrong ones happened before it is judged in stop_states.sql."""
    if lock is None:
        return None
    if pin is None:
        return "pin-required"
    if lock.wrong >= lock.most_wrong:
        return "pin-locked"
    return None if hmac.compare_digest(pin.strip().encode(), lock.pin.encode()) else "wrong-pin"


def _parcels(said: Done, stop: SpokenStop, *, is_whole: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """Say what became of every parcel; name those that were not planned."""
    handed, rest = ("delivered", "returned") if stop.kind == "delivery" else ("collected", "missing")
    by_name: defaultdict[str | int, deque[int]] = defaultdict(deque)
    for parcel in stop.parcels:
        by_name[parcel.seq].append(parcel.seq)
        if parcel.barcode is not None:
            by_name[parcel.barcode].append(parcel.seq)
    left = {parcel.seq: parcel.quantity for parcel in stop.parcels}
    named: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    strange = []
    for one in said.parcels:
        name = one.barcode if one.barcode is not None else one.seq
        assert name is not None
        if name not in by_name:
            strange.append(one)
            continue
        # several parcels may have one barcode: each is named in its turn
        turns = by_name[name]
        while len(turns) > 1 and not left[turns[0]]:
            turns.popleft()
        seq = turns[0]
        quantity = left[seq] if one.quantity is None else one.quantity
        left[seq] = max(left[seq] - quantity, 0)
        named[seq].append((quantity, one.outcome))

    def lines() -> Iterator[dict[str, Any]]:
        for parcel in stop.parcels:
            for quantity, outcome in named[parcel.seq]:
                yield _line(parcel.seq, parcel.barcode, quantity, outcome)
            if left[parcel.seq]:
                whole = is_whole and not named[parcel.seq]
                yield _line(parcel.seq, parcel.barcode, left[parcel.seq], handed if whole else rest)
        for one in strange:
            yield _line(None, one.barcode, 1 if one.quantity is None else one.quantity, one.outcome)

    return list(lines()), [one.barcode or f"seq {one.seq}" for one in strange]


def _line(seq: int | None, barcode: str | None, quantity: int, outcome: str) -> dict[str, Any]:
    return {"seq": seq, "barcode": barcode, "quantity": quantity, "outcome": outcome}
