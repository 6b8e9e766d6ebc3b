"""What drivers said that can never be kept as an event: the phone forgets it, an operator finds it in quarantine."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.driver.events.body import RefusedEvent
from sql.account.devices import DeviceRow
from sql.inbox.quarantine import Quarantined, summed_up, written


def quarantined(
    device: DeviceRow, refused: Sequence[RefusedEvent], *, received_at: datetime, max_bytes: int
) -> Quarantined:
    """Describe the refused items of a batch, at least one, as one entry.

    Its reason is the most frequent one, its detail counts them all, its body is a JSON list of the items without places
    and PINs, cut at `max_bytes`.
    """
    reason, detail = summed_up(one.why for one in refused)
    body = f"[{', '.join(written(_to_keep(one.sent)) for one in refused)}]"
    return Quarantined(
        account_id=device.account_id,
        driver_id=device.driver_id,
        device_id=device.id,
        received_at=received_at,
        source="events",
        reason=reason,
        detail=detail,
        body=body.encode()[:max_bytes],
    )


def _to_keep(item: Any) -> Any:
    """Leave out what is nobody's to read later."""
    if not isinstance(item, dict):
        return item
    kept = {name: value for name, value in item.items() if name not in ("lat", "lon")}
    if isinstance(kept.get("data"), dict):
        kept["data"] = {name: value for name, value in kept["data"].items() if name != "pin"}
    return kept
