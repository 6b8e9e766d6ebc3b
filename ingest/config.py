"""Settings of the inbox and the tracker, and of what both halves of a ping's way go by. The doors have their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

FIXED: Mapping[str, Any] = MappingProxyType({"is_setting": False})
"""Marks a field that no operator can choose well: it has no REPARTO_ name, only tests give it another value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxConfig:
    """Field `inbox_max_depth` is REPARTO_INBOX_MAX_DEPTH in the environment (reparto/settings/settings.py)."""

    inbox_waiting_bytes: int = 64 * 1024 * 1024  # waiting in memory for a commit
    inbox_max_depth: int = 5_000_000  # pings on disk not yet tracked, over which new ones get 503; phones keep theirs


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestConfig:
    """Field `silent_after_s` is REPARTO_SILENT_AFTER_S in the environment (reparto/settings/settings.py)."""

    oldest_ping_days: float = 30.0  # a phone may have been offline for a month; retention is longer
    pings_at_once: int = 8_000  # pings one tracker takes in a transaction, about
    silent_after_s: float = 600.0  # a driver on a route of whom nothing believable came for so long is silent
    longest_shift_hours: float = 16.0  # a shift counts for so long, also one whose end nobody said
    hold_hours: float = 24.0  # what was recorded outside a shift waits so long for one, where it is not kept
    tracker_gather_ms: float = 100.0  # a take of less than is worth one begins so long after the one before
    eta_near_s: float = 900.0  # a stop expected within this is near, and its ETA is written when it moved by less

    lanes_at_once: int = field(default=8, metadata=FIXED)
    """Lanes one tracker takes in a transaction at least. With all of them the others would find none: blocks got twice
    as old (docs/explanation/tracker.md)."""
    pings_worth_a_take: int = field(default=600, metadata=FIXED)
    """While takes have fewer pings, one takes more lanes. What a take costs but for its pings and drivers is a dozen
    statements and some hundred calls of numpy: with 600 that is a tenth of it, with 12 nine tenths."""
    drivers_worth_a_take: int = field(default=300, metadata=FIXED)
    """While takes have fewer drivers, one takes more lanes, up to half of them. The fold goes the fixes of all drivers
    side by side: of 75 a fix costs 1.7 times what it does of 300."""
    rerun_every_s: float = field(default=2.0, metadata=FIXED)
    """At most one re-run of a driver in this time: late pings come in bursts, and each re-run folds many pings anew.
    A dot that late pings correct moves two seconds later, which nobody sees."""
    tracker_poll_ms: float = field(default=40.0, metadata=FIXED)
    """An idle tracker looks for blocks so often: a ping waits 20 ms on average, for 25 queries a second that find
    nothing."""
    eta_moved_near_s: float = field(default=30.0, metadata=FIXED)
    """An ETA of a near stop is written again when it moved by so much. Pages show whole minutes: less is not seen."""
    eta_moved_far_s: float = field(default=120.0, metadata=FIXED)
    """That of a stop farther away. Its window is wider than this by several minutes, so less is no news."""
    eta_holds_s: float = field(default=30.0, metadata=FIXED)
    """A van that drives as was expected is estimated anew after so long by its own clock, at the latest: as much as an
    ETA of a near stop may be off before it is written."""
