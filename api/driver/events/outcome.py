"""What an event means for its stop as it was planned when it came in. Pure; whatever comes later changes nothing."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from api.driver.events.body import Done, Event, NotDone
from api.driver.events.handed import Warned, asks_scans, barcodes_of, cash_of, parcels_of
from sql.delivery.driver_events import SpokenStop


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
    if isinstance(data.get("recipient"), str):
        data["recipient"] = {"name": data["recipient"]}
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
    parcels = parcels_of(said, stop, is_whole=is_whole)
    barcodes = barcodes_of(said, stop, parcels)
    cash = cash_of(said, stop)
    missing = "barcodes-missing" if asks_scans(stop) and barcodes.missing else None
    return Meaning(
        data=data,
        outcome={**parcels.told(), **barcodes.told(), **(cash.told() if cash else {})},
        flaw=_pin_flaw(said.pin, lock) or missing,
        pin_generation=stop.pin_generation if lock and said.pin is not None else None,
        warnings=[*parcels.warnings(), *barcodes.warnings()],
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
