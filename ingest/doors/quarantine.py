"""What phones sent that nobody could use, made ready to be kept beside the pings it came with."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Metric

from geo.times import time_of
from ingest.decode import native
from ingest.decode.columns import Arrival
from ingest.decode.refusals import Rejected
from sql.account.devices import DeviceRow
from sql.track.quarantine import Quarantined, summed_up, written

REFUSED = Metric("reparto_pings_refused_total", "Pings refused, by reason", ["reason"])


def unusable(
    device: DeviceRow,
    arrival: Arrival,
    *,
    source: str,
    reason: str,
    body: bytes,
    max_bytes: int,
    detail: str | None = None,
) -> Quarantined:
    """Describe a message that could not be used, cut at `max_bytes`."""
    return Quarantined(
        account_id=device.account_id,
        driver_id=device.driver_id,
        device_id=device.id,
        received_at=time_of(arrival.received_ms),
        source=source,
        reason=reason,
        detail=detail,
        body=body[:max_bytes],
    )


def of_rejected(
    device: DeviceRow,
    arrival: Arrival,
    message: native.Message,
    rejected: Sequence[Rejected],
    *,
    source: str,
    max_bytes: int,
) -> Quarantined | None:
    """Describe the pings of a message that were refused as one entry; None when none was.

    Its reason is the most frequent one, its detail counts them all, its body is a JSON list of the pings as they were
    sent, as many as fit.
    """
    if not rejected:
        return None
    reason, detail = summed_up(one.why for one in rejected)
    return unusable(
        device,
        arrival,
        source=source,
        reason=reason,
        detail=detail,
        body=_listed(message, rejected, max_bytes),
        max_bytes=max_bytes,
    )


def count_refused(rejected: Sequence[Rejected]) -> None:
    """Show refusals in the metrics."""
    for why, count in Counter(one.why for one in rejected).items():
        REFUSED.labels(why).inc(count)


def _listed(message: native.Message, rejected: Sequence[Rejected], max_bytes: int) -> bytes:
    items: list[str] = []
    size = 2
    for one in rejected:
        items.append(written(native.sent(message, one.index)))
        size += len(items[-1]) + 2
        if size > max_bytes and len(items) > 1:
            items.pop()
            break
    return f"[{', '.join(items)}]".encode()
