"""What was handed over or collected, held against the stop as it was planned: parcels, scans, money. Pure."""

from collections import defaultdict, deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from api.driver.events.body import Done, ParcelSaid
from sql.delivery.driver_events import SpokenStop


class Warned(Struct, frozen=True, kw_only=True):
    """Something to look at in an event that is kept as it is: `why`, a code, and `what` it is about."""

    why: str
    what: list[str]


class ParcelLine(Struct, frozen=True, kw_only=True):
    """What became of so many of a parcel; `seq` is None of one that was not planned."""

    seq: int | None
    barcode: str | None
    quantity: int
    outcome: str


class Parcels(Struct, frozen=True, kw_only=True):
    """What became of every parcel, and the names of those that were not planned."""

    lines: list[ParcelLine]
    unknown: list[str]

    def told(self) -> dict[str, Any]:
        """Say it as the feed does."""
        return {"parcels": msgspec.to_builtins(self.lines)} if self.lines else {}

    def warnings(self) -> list[Warned]:
        """Tell what to look at."""
        return [Warned(why="parcels-unknown", what=self.unknown)] if self.unknown else []


class Barcodes(Struct, frozen=True, kw_only=True):
    """What was not scanned although it was handed over, and what was scanned although it was not planned."""

    missing: list[str]
    unknown: list[str]

    def told(self) -> dict[str, Any]:
        """Say it as the feed does."""
        named = {"barcodes_missing": self.missing, "barcodes_unknown": self.unknown}
        return {name: barcodes for name, barcodes in named.items() if barcodes}

    def warnings(self) -> list[Warned]:
        """Tell what to look at."""
        return [Warned(why=name.replace("_", "-"), what=barcodes) for name, barcodes in self.told().items()]


class CashTaken(Struct, frozen=True, kw_only=True):
    """What was paid and what was due, in one currency; `method` and `currency` None where nobody said."""

    amount: Decimal
    method: str | None
    currency: str | None
    due: Decimal

    def told(self) -> dict[str, Any]:
        """Say it as the feed does, in JSON's numbers."""
        return {
            "cash": {
                "amount": float(self.amount),
                "method": self.method,
                "currency": self.currency,
                "due": float(self.due),
                "difference": float(self.amount - self.due),
            }
        }


def parcels_of(said: Done, stop: SpokenStop, *, is_whole: bool) -> Parcels:
    """Tell what became of every parcel.

    Args:
        is_whole: what is not named was handed over too; else it came back.
    """
    handed, rest = ("delivered", "returned") if stop.kind == "delivery" else ("collected", "missing")
    named, unknown = _named(said.parcels, stop)
    lines: list[ParcelLine] = []
    for parcel in stop.parcels:
        mine = named[parcel.seq]
        lines += [_line(parcel.seq, parcel.barcode, quantity, outcome) for quantity, outcome in mine]
        left = parcel.quantity - sum(quantity for quantity, _ in mine)
        if left > 0:
            lines.append(_line(parcel.seq, parcel.barcode, left, handed if is_whole and not mine else rest))
    lines += [_line(None, one.barcode, 1 if one.quantity is None else one.quantity, one.outcome) for one in unknown]
    return Parcels(lines=lines, unknown=[one.barcode or f"seq {one.seq}" for one in unknown])


def _named(
    said: Sequence[ParcelSaid], stop: SpokenStop
) -> tuple[defaultdict[int, list[tuple[int, str]]], list[ParcelSaid]]:
    """Find the parcels that are meant: how many of each came to what, by `seq`; and what was not planned."""
    turns: defaultdict[str | int, deque[int]] = defaultdict(deque)
    for parcel in stop.parcels:
        turns[parcel.seq].append(parcel.seq)
        if parcel.barcode is not None:
            turns[parcel.barcode].append(parcel.seq)
    left = {parcel.seq: parcel.quantity for parcel in stop.parcels}
    named: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    unknown = []
    for one in said:
        name = one.barcode if one.barcode is not None else one.seq
        assert name is not None
        if name not in turns:
            unknown.append(one)
            continue
        # several parcels may have one barcode: each is named in its turn
        meant = turns[name]
        while len(meant) > 1 and not left[meant[0]]:
            meant.popleft()
        quantity = left[meant[0]] if one.quantity is None else one.quantity
        left[meant[0]] = max(left[meant[0]] - quantity, 0)
        named[meant[0]].append((quantity, one.outcome))
    return named, unknown


def _line(seq: int | None, barcode: str | None, quantity: int, outcome: str) -> ParcelLine:
    return ParcelLine(seq=seq, barcode=barcode, quantity=quantity, outcome=outcome)


def barcodes_of(said: Done, stop: SpokenStop, parcels: Parcels) -> Barcodes:
    """Hold scans against what was planned and handed over; who scans nothing misses nothing where none is asked for."""
    planned = dict.fromkeys(parcel.barcode for parcel in stop.parcels if parcel.barcode is not None)
    handed = {line.barcode for line in parcels.lines if line.outcome in ("delivered", "collected")}
    scanned = dict.fromkeys(said.barcodes)
    is_asked = bool(scanned) or asks_scans(stop)
    return Barcodes(
        missing=[one for one in planned if is_asked and one not in scanned and one in handed],
        unknown=[one for one in scanned if one not in planned],
    )


def asks_scans(stop: SpokenStop) -> bool:
    """Tell whether a stop is only done when its parcels are scanned."""
    return "barcode" in stop.proof


def cash_of(said: Done, stop: SpokenStop) -> CashTaken | None:
    """Hold what was paid against what was due; None where nothing was of either."""
    if said.cash is None and stop.cash_amount is None:
        return None
    return CashTaken(
        amount=Decimal(str(said.cash.amount)) if said.cash else Decimal(0),
        method=said.cash.method if said.cash else None,
        currency=stop.cash_currency,
        due=stop.cash_amount or Decimal(0),
    )
