"""How long things are kept."""

from collections.abc import Iterator
from dataclasses import dataclass

MOST_DAYS = 36_500
"""A hundred years: who writes a million means something else."""

_CLAIMS_LONGER_DAYS = 3  # what drivers said is folded from a day before the oldest ping on; pings go a day at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """Field `ping_retention_days` is REPARTO_PING_RETENTION_DAYS in the environment (reparto/settings/settings.py).

    Each number of days is from 1 to `MOST_DAYS`; docs/reference/retention.md tells what goes.
    """

    ping_retention_days: float = 90.0  # pings and every other place of a driver, whole days at a time
    quarantine_retention_days: float = 30.0
    quarantine_account_bytes: int = 256 * 1024 * 1024  # of one account, an eighth of one device; the oldest go first
    quarantine_account_entries: int = 100_000
    driver_event_retention_days: float = 730.0  # what drivers said before is forgotten; of stops with their proofs
    eta_retention_days: float = 90.0  # what was told, and what was learned and not seen since, is forgotten
    people_retention_days: float = 730.0  # names, phones, addresses: of stops after their tour, of deleted drivers
    history_retention_days: float = 730.0  # the feed, visits, routes, geofences that ended
    audit_retention_days: float = 730.0  # who changed what
    retention_most_days: float = 30.0  # more of history than this never goes unasked

    def contradictions(self) -> Iterator[str]:
        """Say what does not go together."""
        if self.history_retention_days < self.ping_retention_days + _CLAIMS_LONGER_DAYS:
            yield (
                "REPARTO_HISTORY_RETENTION_DAYS: must be at least"
                f" {_CLAIMS_LONGER_DAYS} more than REPARTO_PING_RETENTION_DAYS"
            )
        if self.driver_event_retention_days < self.ping_retention_days + _CLAIMS_LONGER_DAYS:
            yield (
                "REPARTO_DRIVER_EVENT_RETENTION_DAYS: must be at least"
                f" {_CLAIMS_LONGER_DAYS} more than REPARTO_PING_RETENTION_DAYS"
            )
