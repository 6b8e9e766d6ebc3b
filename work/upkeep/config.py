"""How long things are kept."""

from dataclasses import dataclass

MOST_DAYS = 36_500
"""A hundred years: who writes a million means something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """Field `ping_retention_days` is REPARTO_PING_RETENTION_DAYS in the environment (reparto/run/settings.py).

    Each is from 1 to `MOST_DAYS`; docs/reference/retention.md tells what goes.
    """

    ping_retention_days: float = 90.0  # pings and every other place of a driver, whole days at a time
    quarantine_retention_days: float = 30.0
    driver_event_retention_days: float = 730.0  # what drivers said before is forgotten; of stops with their proofs
    eta_retention_days: float = 90.0  # what was told, and what was learned and not seen since, is forgotten
    people_retention_days: float = 730.0  # names, phones, addresses: of stops after their tour, of deleted drivers
    history_retention_days: float = 730.0  # the feed, visits, routes, geofences that ended
    retention_most_days: float = 30.0  # more of history than this never goes unasked
