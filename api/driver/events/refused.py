"""What drivers said that can never be kept as an event: the phone forgets it, an operator finds it in quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.driver.events.body import RefusedEvent
from sql.account.devices import DeviceRow
from sql.inbox.quarantine import Quarantined, in_parts, summed_up, written


def quarantined(
    device: DeviceRow, refused: Sequence[RefusedEvent], *, received_at: datetime, max_bytes: int
) -> list[Quarantined]:
    """Describe the refused items of a batch, as few entries as hold every one of them whole.

    The reason of an entry is the most frequent one, its detail counts them all, its body is a JSON list of the items
    without places and PINs, of at most `max_bytes`.
    """
    entries, at = [], 0
    for count, body in in_parts((written(_to_keep(one.sent)) for one in refused), max_bytes):
        reason, detail = summed_up(one.why for one in refused[at : at + count])
        at += count
        entries.append(
            Quarantined(
                account_id=device.account_id,
                driver_id=device.driver_id,
                device_id=device.id,
                received_at=received_at,
                source="events",
                reason=reason,
                detail=detail,
                body=body,
            )
        )
    return entries


def _to_keep(item: Any) -> Any:
    """Leave out what is nobody's to read later."""
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name not in ("lat", "lon")}
    if isinstance(kept.get("data"), dict):
        kept["data"] = {name: value for name, value in kept["data"].items() if name != "pin"}
    return kept
