"""What came: rounded as it is kept, put in the order of history, the copies of each fix made one."""

import numpy as np

from geo.pings import in_order
from ingest.track.batch import Batch, Sent
from sql.pings.packed import round_as_kept
from sql.pool import Connection


async def without_repeats(_: Connection, batch: Batch) -> Batch:
    """Put pings in the order of history, rounded as they are kept, the copies of each fix as one."""
    return batch.with_sent(_without_repeats(batch.sent))


def _without_repeats(sent: Sent) -> Sent:
    sent = sent.rows_at(in_order(sent.pings.rows))
    rows = sent.pings.rows
    round_as_kept(rows)  # a copy, and before copies of a fix are compared with each other and with what is stored
    same = np.ones(max(len(rows) - 1, 0), bool)
    for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6"):
        same &= rows[name][1:] == rows[name][:-1]
    first = np.concatenate(([True], ~same)) if len(rows) else np.zeros(0, bool)
    kept = np.flatnonzero(first)
    for copy in np.flatnonzero(~first):  # few
        sent.pings.merge(int(kept[np.searchsorted(kept, copy) - 1]), int(copy))
    return sent.rows_at(first)
