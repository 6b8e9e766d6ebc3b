"""What a row says of somebody who waits, whether it becomes an order or a stop."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from work.imports.columns import RowCells
from work.imports.headings import plain
from work.imports.numbers import CURRENCIES, CellError, currency_in
from work.imports.times import at, moment_of, windows_of

_ADDRESS = ("address", "address_more", "district", "city", "region", "postcode")
_TEXTS = ("name", "phone", "email", "locale", "instructions")
_APART = re.compile(r"[,;|]\s*|\s+")
_LONGEST_LIST = 200  # characters: all proofs there are, several times
_LIST = re.compile(r"\s*[,;|+/]\s*|\s+(?:y|e|and)\s+")

KINDS = {
    "delivery": "delivery|entrega|reparto|envio|despacho",
    "pickup": "pickup|recogida|recoleccion|recojo|retiro|coleta|retirada|collection",
    "return": "return|devolucion|devolucao",
    "break": "break|descanso|pausa|almuerzo|almoco",
    "depot": "depot|deposito|bodega|almacen|cedis|armazem|origen|warehouse",
}
"""What a stop may be, and how that is called."""

PROOFS = {
    "photo": "photo|foto|fotografia",
    "signature": "signature|firma|assinatura",
    "pin": "pin|codigo|clave|code",
    "barcode": "barcode|codigo barras|codigo de barras|escaneo|scan",
}
"""What a driver is to bring as proof, and how that is called."""


def kind_of(row: RowCells) -> str | None:
    """Read what kind of stop it is; None: it does not say, or nothing that is understood."""
    return _word(row, "kind", row.text("kind"), KINDS)


def who_waits(row: RowCells) -> dict[str, Any]:
    """Read name, contact and address, parcels, cash and proof, as orders and stops have them."""
    said: dict[str, Any] = {field: row.text(field) for field in _TEXTS}
    said["address"] = ", ".join(text for field in _ADDRESS if (text := row.text(field))) or None
    said["parcels"] = _parcels(row)
    said["cash_on_delivery"] = _cash(row)
    said["proof"] = _proofs(row)
    seconds, minutes = row.quantity("service_s"), row.quantity("service_min")
    said["service_s"] = seconds if minutes is None else minutes * 60
    if place := row.place():
        said["lat"], said["lon"] = place
    return {name: value for name, value in said.items() if value not in (None, [])}


def windows_in(row: RowCells, on: date | None, zone: ZoneInfo | None) -> list[dict[str, str]]:
    """Read when somebody is there, by the day `on`; what cannot be read is among the row's errors."""
    found = []
    try:
        if (cell := row.cell("window")) is not None and (on is not None or not row.errors):
            if on is None:
                raise CellError("on which day? Add a column with it, or name it by ?date=")
            found = [
                {"start": _said(at(on, one, zone)), "end": _said(at(on, two, zone))} for one, two in windows_of(cell)
            ]
    except CellError as error:
        row.wrong("window", str(error))
    ends = [moment_in(row, field, on, zone) for field in ("window_start", "window_end")]
    if any(ends) and not all(ends):
        missing = "window_end" if ends[0] else "window_start"
        if row.cell(missing) is None:
            row.wrong(missing, "is missing: a window has two ends")
    if all(ends):
        found.append({"start": str(ends[0]), "end": str(ends[1])})
    return found


def moment_in(row: RowCells, field: str, on: date | None, zone: ZoneInfo | None) -> str | None:
    """Read a time, in RFC 3339; None: there is none, or none that can be read."""
    cell = row.cell(field)
    if cell is None:
        return None
    style = row.day_style(field)
    try:
        return _said(moment_of(cell, style.order if style else None, zone, on=on))
    except CellError as error:
        row.wrong(field, str(error))
        return None


def _said(moment: Any) -> str:
    return str(moment.isoformat(timespec="seconds"))


def _word(row: RowCells, field: str, text: str | None, words: Mapping[str, str]) -> str | None:
    if text is None:
        return None
    said = plain(text)
    found = next((one for one, names in words.items() if said in names.split("|")), None)
    if found is None:
        row.wrong(field, f"{text[:40]!r} is not understood; it may be {', '.join(words)}")
    return found


def _proofs(row: RowCells) -> list[str]:
    text = row.text("proof") or ""
    if len(text) > _LONGEST_LIST:
        row.wrong("proof", f"is too long; it may be {', '.join(PROOFS)}")
        return []
    found = [_word(row, "proof", one, PROOFS) for one in _LIST.split(text) if one]
    return [one for one in dict.fromkeys(found) if one]


def _parcels(row: RowCells) -> list[dict[str, Any]]:
    codes = [one for one in _APART.split(row.text("barcode") or "") if one]
    description, quantity = row.text("parcel_description"), row.whole("quantity")
    if len(codes) > 1 and quantity not in (None, len(codes)):
        row.wrong("quantity", f"is {quantity}, and there are {len(codes)} barcodes")
    more: dict[str, Any] = {"description": description} if description else {}
    if len(codes) > 1:
        return [{"barcode": one, **more} for one in codes]
    if quantity is not None:
        more["quantity"] = quantity
    if codes:
        more["barcode"] = codes[0]
    return [more] if more else []


def _cash(row: RowCells) -> dict[str, Any] | None:
    amount = row.quantity("cash")
    if not amount:
        return None
    named = row.text("currency")
    currency = currency_in(row.text("cash") or "") or currency_in(row.heading("cash"))
    if named:
        currency = named.upper() if named.upper() in CURRENCIES else currency_in(named)
    if currency is None:
        row.wrong("cash", "in which currency? Add a column with it: COP, MXN, BRL, …")
    return {"amount": amount, "currency": currency}
