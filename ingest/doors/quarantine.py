"""What phones sent that nobody could use, made ready to be kept beside the pings it came with."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Metric

from geo.times import time_of
from ingest.decode.columns import Arrival
from ingest.decode.refusals import Rejected
from sql.account.devices import DeviceRow
from sql.inbox.quarantine import Quarantined, summed_up, written

REFUSED = Metric("reparto_pings_refused_total", "Pings refused, by reason", ["reason"])


def of_rejected(
    device: DeviceRow, arrival: Arrival, rejected: Sequence[Rejected], *, source: str, max_bytes: int, secret: str
) -> Quarantined | None:
    """Describe the pings of a message that were refused as one entry; None when none was.

    Its reason is the most frequent one, its detail counts them all, its body is a JSON list of the pings as they were
    sent, as many as fit. Of a message that is one ping it is the message itself, cut at `max_bytes`.

    Args:
        secret: does not show in the body; empty: there is none to hide.
    """
    if not rejected:
        return None
    whole = rejected[0].sent if isinstance(rejected[0].sent, bytes) else None
    reason, detail = summed_up(one.why for one in rejected)
    body = _listed(rejected, max_bytes) if whole is None else whole
    if secret:
        body = body.replace(secret.encode(), b"[token]")
    return Quarantined(
        account_id=device.account_id,
        driver_id=device.driver_id,
        device_id=device.id,
        received_at=time_of(arrival.received_ms),
        source=source,
        reason=reason,
        detail=detail if whole is None else None,
        body=body[:max_bytes],
    )


def count_refused(rejected: Sequence[Rejected]) -> None:
    """Show refusals in the metrics."""
    for why, count in Counter(one.why for one in rejected).items():
        REFUSED.labels(why).inc(count)


def _listed(rejected: Sequence[Rejected], max_bytes: int) -> bytes:
    items: list[str] = []
    size = 2
    for one in rejected:
        items.append(written(one.sent))
        size += len(items[-1]) + 2
        if size > max_bytes and len(items) > 1:
            items.pop()
            break
    return f"[{', '.join(items)}]".encode()
