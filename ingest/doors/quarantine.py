"""What phones sent that nobody could use, made ready to be kept beside the pings it came with."""

from collections import Counter
from collections.abc import Sequence

from prometheus_client import Counter as Metric

from geo.times import time_of
from ingest.decode.columns import Arrival
from ingest.decode.refusals import Rejected
from sql.account.devices import DeviceRow
from sql.inbox.quarantine import Quarantined, in_parts, summed_up, written

REFUSED = Metric("reparto_pings_refused_total", "Pings refused, by reason", ["reason"])


def of_rejected(
    device: DeviceRow, arrival: Arrival, rejected: Sequence[Rejected], *, source: str, max_bytes: int, secret: str
) -> list[Quarantined]:
    """Describe the pings of a message that were refused, as few entries as hold every one of them whole.

    The reason of an entry is the most frequent one, its detail counts them all, its body is a JSON list of the pings as
    they were sent. Of a message that is one ping it is the message itself, cut at `max_bytes`.

    Args:
        secret: does not show in the body; empty: there is none to hide.
    """
    if not rejected:
        return []
    whole = rejected[0].sent if isinstance(rejected[0].sent, bytes) else None
    listed = [(1, whole)] if whole is not None else in_parts((written(one.sent) for one in rejected), max_bytes)
    entries, at = [], 0
    for count, body in listed:
        reason, detail = summed_up(one.why for one in rejected[at : at + count])
        at += count
        entries.append(
            Quarantined(
                account_id=device.account_id,
                driver_id=device.driver_id,
                device_id=device.id,
                received_at=time_of(arrival.received_ms),
                source=source,
                reason=reason,
                detail=detail if whole is None else None,
                body=(body.replace(secret.encode(), b"[token]") if secret else body)[:max_bytes],
            )
        )
    return entries


def count_refused(rejected: Sequence[Rejected]) -> None:
    """Show refusals in the metrics."""
    for why, count in Counter(one.why for one in rejected).items():
        REFUSED.labels(why).inc(count)
