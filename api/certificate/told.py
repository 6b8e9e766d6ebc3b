"""What was said of how a stop ended, as a certificate shows it, and how its numbers and times are written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.pages.catalog.texts import CertificateTexts
from api.proofs.stop import StopProof
from sql.account.settings import AccountSettings

_MOST_NOTE = 300
_MOST_NAME = 200
"""More of what an app sent leaves the paper no room."""

_MONTHS = (
    *("", "January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOutcome:
    """What was said of a stop, empty where nothing was.

    Attributes:
        ended: how it ended by the event, else by the stop's status, which outlives what was said.
        at: when; None: nobody said it.
        driver: the first name only.
        is_code: the account has no text for the reason that the app gave: it stands there as it came.
        parcels: what became of each, as the feed tells it.
        cash: what was paid, as the feed tells it; None: nothing was.
    """

    ended: str
    at: datetime | None = None
    driver: str = ""
    recipient: str = ""
    reason: str = ""
    is_code: bool = False
    note: str = ""
    parcels: Sequence[Mapping[str, Any]] = ()
    cash: Mapping[str, Any] | None = None


def told_of(whole: StopProof, settings: AccountSettings) -> ToldOutcome:
    """Read what was said of a stop; the reason is the account's text of it."""
    said = whole.outcome
    if said is None:
        return ToldOutcome(ended=whole.stop.status)
    reason, texts = said.reason or "", {one.code: one.text for one in settings.failure_reasons}
    return ToldOutcome(
        ended=said.type,
        at=said.occurred_at,
        driver=next(iter(said.driver_name.split()), ""),
        recipient=_recipient(said.recipient),
        reason=texts.get(reason, reason),
        is_code=reason not in texts and reason != "",
        note=(said.note or "")[:_MOST_NOTE],
        parcels=said.parcels,
        cash=said.cash,
    )


def _recipient(raw: Any) -> str:
    """Read a name, or an object with `name` and `relation`, as an app may have sent it."""
    if isinstance(raw, Mapping):
        parts = [raw.get("name"), raw.get("relation")]
        return ", ".join(part for part in parts if isinstance(part, str) and part)[:_MOST_NAME]
    return raw[:_MOST_NAME] if isinstance(raw, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """Writes in a language, in the hours of a route."""

    words: CertificateTexts
    zone: ZoneInfo

    def when(self, at: datetime | None) -> str:
        """Write a time to the minute; empty for None."""
        return "" if at is None else self._time(at, self.words.when)

    def clock(self, at: datetime | None) -> str:
        """Write a time to the second; empty for None."""
        return "" if at is None else self._time(at, self.words.when.replace("%H:%M", self.words.clock))

    def _time(self, at: datetime, pattern: str) -> str:
        """Write a time; months in English whatever the machine's locale."""
        there = at.astimezone(self.zone)
        written = there.strftime(pattern.replace("%B", _MONTHS[there.month]))
        return written.removeprefix("0" if "%B" in pattern else "")

    def metres(self, distance_m: float) -> str:
        """Write a distance."""
        if distance_m < 1_000:
            return f"{round(distance_m)} m"
        return f"{distance_m / 1_000:.1f} km".replace(".", self.words.decimal)

    def parcels(self, planned: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]) -> str:
        """Write the parcels that were planned, and of those not handed over, which come first, what became of them."""
        if not told:
            return "; ".join(_parcel(one, one.get("quantity", 1)) for one in planned)
        written = []
        for one in told:
            said = self.words.parcel.of(one["outcome"])
            as_planned = next((it for it in planned[one["seq"] :][:1] if it.get("barcode") == one.get("barcode")), one)
            what = _parcel(as_planned, one["quantity"])
            written.append(f"{what}: {said}" if said else what)
        return "; ".join(sorted(written, key=lambda one: ": " not in one))

    def cash(self, cash: Mapping[str, Any] | None) -> str:
        """Write what was paid: how much, of how much if that was another sum, and how; empty for None."""
        if not cash:
            return ""
        paid = self.amount(cash["amount"])
        if cash.get("difference"):
            paid = self.words.cash_of.format(amount=paid, due=self.amount(cash["due"]))
        how = self.words.method.of(cash.get("method") or "")
        return ", ".join(part for part in (f"{paid} {cash.get('currency') or ''}".strip(), how) if part)

    def amount(self, amount: float) -> str:
        """Write a sum. Spaces part the thousands: a point or a comma there means another sum one country on."""
        written = f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.2f}"
        return written.translate({ord(","): "\u00a0", ord("."): self.words.decimal})


def _parcel(one: Mapping[str, Any], quantity: int) -> str:
    what = one.get("description") or one.get("barcode") or ""
    code = f" [{one['barcode']}]" if one.get("description") and one.get("barcode") else ""
    return f"{quantity} × {what}{code}"
