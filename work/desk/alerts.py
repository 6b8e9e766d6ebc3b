"""Which events open an alert at the desk, how much they hurry, and what ends each.

Whatever is not ended by an event or by somebody ends after a week, so that every open alert has an end.
"""

from dataclasses import replace
from typing import Any

from sql.account.settings import AlertRule, settings_of
from sql.desk.alerts import Ends, Opens, follow_feed, tidy_alerts
from sql.pool import Pool
from work.job import Job

NOW, SOON, SOME_TIME = 3, 2, 1

_TICKET, _WEBHOOK = "ticket_id", "webhook_id"

OPENS = (
    Opens(type="driver.sos", severity=NOW),
    Opens(type="eta.late", severity=SOON),
    Opens(type="driver.silent", severity=SOON),
    Opens(type="route.off_route", severity=SOON),
    Opens(type="stop.failed", severity=SOON),
    Opens(type="stop.code_locked", severity=SOON),
    Opens(type="ticket.overdue", severity=SOON, subject=_TICKET),
    Opens(type="webhook.disabled", severity=SOON, subject=_WEBHOOK),
    Opens(type="driver.alarm", severity=SOME_TIME),
    Opens(type="stop.left_open", severity=SOME_TIME),
    Opens(type="stop.rescheduled", severity=SOME_TIME),
    Opens(type="stop.redirected", severity=SOME_TIME),
    Opens(type="message.failed", severity=SOME_TIME),
    Opens(type="ticket.due_soon", severity=SOME_TIME, subject=_TICKET),
)

_SERVED = (
    "stop.arrived",
    "stop.completed",
    "stop.partially_completed",
    "stop.failed",
    "stop.skipped",
    "stop.left_open",
)
_MENDED = ("stop.reopened", "stop.completed", "stop.partially_completed")
_TOUR_OVER = ("route.completed", "route.ended")

ENDS = (
    Ends(type="driver.silent", by="driver.seen", about="driver"),
    Ends(type="route.off_route", by="route.back_on_route", about="route"),
    *(Ends(type="route.off_route", by=by, about="route") for by in _TOUR_OVER),
    *(Ends(type="eta.late", by=by, about="stop") for by in _SERVED),
    *(Ends(type="stop.failed", by=by, about="stop") for by in _MENDED),
    *(Ends(type="stop.left_open", by=by, about="stop") for by in (*_MENDED, "stop.failed", "stop.skipped")),
    Ends(type="ticket.due_soon", by="ticket.overdue", about="subject", subject=_TICKET),
    *(
        Ends(type=of, by=by, about="subject", subject=_TICKET)
        for of in ("ticket.due_soon", "ticket.overdue")
        for by in ("ticket.answered", "ticket.closed")
    ),
)

ACCOUNTS_AT_ONCE = 50
ENTRIES_AT_ONCE = 5_000
"""Of one account: some hundredths of a second, during which its feed gets no numbers."""


SEVERITIES = {"low": SOME_TIME, "high": SOON, "critical": NOW}
"""By their names in settings."""


def opens_for(settings: dict[str, Any]) -> list[Opens]:
    """Say what opens alerts at an account, by its settings as they are stored."""
    rules = settings_of(settings).alert_rules
    found = []
    for one in OPENS:
        rule = rules.get(one.type, AlertRule())  # type: ignore[call-overload]
        if rule.severity != "off":
            severity = one.severity if rule.severity is None else SEVERITIES[rule.severity]
            found.append(replace(one, severity=severity, wait_minutes=rule.wait_minutes))
    return found


async def _follow(pool: Pool) -> bool:
    async with pool.acquire() as db, db.transaction():
        return await follow_feed(
            db, opens_for, ENDS, accounts_at_once=ACCOUNTS_AT_ONCE, entries_at_once=ENTRIES_AT_ONCE
        )


async def _tidy(pool: Pool) -> bool:
    await tidy_alerts(pool)
    return False


ALERT_JOBS = (
    Job(name="alerts of the desk", do=_follow, pause_s=0.5),
    Job(name="alerts that end by themselves", do=_tidy, pause_s=600.0),
)
