"""Settings of the doors, the inbox and the tracker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig:
    """Field `max_batch` is REPARTO_MAX_BATCH in the environment (reparto/run/settings.py)."""

    max_batch: int = 10_000  # pings in one request or frame; more is 413
    max_ping_bytes: int = 4 * 1024 * 1024  # of one request, unpacked; more is 413
    oldest_ping_days: float = 30.0  # a phone may have been offline for a month; retention is longer
    pings_per_minute: int = 60_000  # of one device, over which it gets 429; a backlog of a week fits in a few minutes
    gather_ms: float = 4.0  # how long the first ping of a batch waits for others before the commit
    gather_pings: int = 5_000  # commit at once when so many wait
    inbox_waiting_bytes: int = (
        64 * 1024 * 1024
    )  # waiting in memory for a commit, and as much of bodies being read; more is 503
    inbox_commits: int = 2  # commits under way at once in one process
    inbox_max_depth: int = 5_000_000  # pings on disk not yet tracked, over which new ones get 503; phones keep theirs
    quarantine_body_bytes: int = 65_536  # kept of one unusable message
    websocket_clients: int = 5_000  # open WebSockets of one process
    lanes_at_once: int = 8  # lanes one tracker takes in a transaction
    pings_at_once: int = 4_000  # pings one tracker takes in a transaction, about
    rerun_every_s: float = 2.0  # at most one re-run of a driver in this time
    tracker_poll_ms: float = 40.0  # an idle tracker looks for blocks so often
    silent_after_s: float = 600.0  # a driver on a route of whom nothing believable came for so long is silent
    longest_shift_hours: float = 16.0  # a shift counts for so long, also one whose end nobody said
    hold_hours: float = 24.0  # what was recorded outside a shift waits so long for one, where it is not kept
    eta_near_s: float = 900.0  # a stop expected within this is near: its ETA is written again when it moved by
    eta_moved_near_s: float = 30.0  # so much,
    eta_moved_far_s: float = 120.0  # that of a stop farther away when it moved by so much
