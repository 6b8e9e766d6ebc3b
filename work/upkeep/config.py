"""How long things are kept."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionConfig:
    """Field `ping_retention_days` is REPARTO_PING_RETENTION_DAYS in the environment (reparto/run/settings.py)."""

    ping_retention_days: float = 90.0  # pings older than this are dropped, a day at a time
    quarantine_retention_days: float = 30.0
    driver_event_retention_days: float = 730.0  # what drivers said before is forgotten; of stops with their proofs
    eta_retention_days: float = 90.0  # what was told, and what was learned and not seen since, is forgotten
