"""Whether what is too old may go now. Pure: deleted is deleted, so a wrong clock or setting must not do it."""

from datetime import datetime, timedelta

from sql.operate.horizons import Horizon

CLOCKS_AGREE = timedelta(seconds=60)
"""Machines that follow a time server differ by less than a second; a busy one answers within a minute."""


def why_not(
    *, process_now: datetime, known: Horizon, horizon: datetime, oldest: datetime | None, most: timedelta
) -> str | None:
    """Say why nothing older than `horizon` may be deleted now; None when it may.

    What an operator confirmed goes, also after a jump, but never while the two clocks disagree.

    Args:
        process_now: the clock of this process.
        known: the clock of the database, and what was deleted before.
        oldest: of what would go; None when there is nothing.
        most: so much of history goes unasked, and so long may nothing have run.
    """
    apart = abs(process_now - known.now)
    if apart > CLOCKS_AGREE:
        return f"the clock of this process and that of the database differ by {_words(apart)}"
    if known.confirmed is not None and horizon <= known.confirmed + most:
        return None
    if known.ran_at is not None and known.now < known.ran_at - CLOCKS_AGREE:
        return f"the clock has gone back by {_words(known.ran_at - known.now)} since the last time"
    if known.ran_at is not None and known.now - known.ran_at > most:
        return f"the clock has moved by {_words(known.now - known.ran_at)} since the last time"
    since = max((at for at in (oldest, known.horizon) if at is not None), default=horizon)
    if oldest is not None and horizon - since > most:
        return f"{_words(horizon - since)} of history would go at once"
    return None


def _words(span: timedelta) -> str:
    return f"{span.days} days" if span.days > 1 else f"{span.total_seconds():.0f} s"
