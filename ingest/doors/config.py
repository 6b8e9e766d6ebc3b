"""Settings of the doors: what one phone may send."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorsConfig:
    """Field `max_batch` is REPARTO_MAX_BATCH in the environment (reparto/settings/settings.py)."""

    max_batch: int = 10_000  # pings in one request or frame; more is 413
    max_ping_bytes: int = 4 * 1024 * 1024  # of one request, unpacked; more is 413
    pings_per_minute: int = 60_000  # of one device, over which it gets 429; a backlog of a week fits in a few minutes
    quarantine_body_bytes: int = 65_536  # kept of one unusable message
    websocket_clients: int = 5_000  # open WebSockets of one process
