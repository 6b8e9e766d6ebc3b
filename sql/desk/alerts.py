"""Alerts as a list that people work off: opened and ended by the feed, taken, snoozed and closed by people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

AlertState: TypeAlias = Literal["open", "snoozed", "closed"]

OPEN_DAYS = 7
"""What nobody closed and nothing ended is closed then: nobody works it off any more."""

KEPT_DAYS = 30
"""A closed one is kept so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opens:
    """A type of event that opens an alert.

    Attributes:
        severity: 1 to 3.
        subject: the field of its data that names what else it is about; None: nothing.
        wait_minutes: so long after the event it is out of sight.
    """

    type: str
    severity: int
    subject: str | None = None
    wait_minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """That an event of the type `by` ends alerts of a type, of the same driver, route, stop or subject."""

    type: str
    by: str
    about: Literal["driver", "route", "stop", "subject"]
    subject: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskAlert:
    """An alert with what the feed says of it now; `taken_email` is None also of who is gone."""

    id: int
    type: str
    severity: int
    state: AlertState
    occurred_at: datetime
    driver_id: int | None
    route_id: int | None
    stop_id: int | None
    data: dict[str, Any]
    taken_key_id: int | None
    taken_by: int | None
    taken_email: str | None
    taken_at: datetime | None
    snoozed_until: datetime | None
    closed_at: datetime | None
    closed_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAlert:
    """Who has an alert, and whether it is open, while nobody else changes it."""

    taken_key_id: int | None
    taken_by: int | None
    is_open: bool


async def follow_feed(
    db: Db,
    opens: Callable[[dict[str, Any]], Sequence[Opens]],
    ends: Sequence[Ends],
    *,
    accounts_at_once: int,
    entries_at_once: int,
) -> bool:
    """Open and end alerts by what the feeds say that was not looked at yet; tell whether there is more.

    Args:
        opens: says what opens one, by the settings of an account as they are stored.

    Call it in a transaction. Each entry counts once, however many processes do this.
    """
    accounts = await db.fetch(_SQL["accounts_with_news"], accounts_at_once)
    is_more = len(accounts) == accounts_at_once
    columns = ("type", "severity", "subject", "wait_minutes")
    names = ("type", "by", "about", "subject")
    rules = [[getattr(one, name) for one in ends] for name in names]
    for row in accounts:
        until = min(row["events_numbered"], row["alerts_seen"] + entries_at_once)
        stretch = (row["id"], row["alerts_seen"], until)
        kinds = opens(row["settings"])
        await db.execute(_SQL["open_alerts"], *stretch, *([getattr(one, name) for one in kinds] for name in columns))
        await db.execute(_SQL["end_alerts"], *stretch, *rules)
        await db.execute(_SQL["set_alerts_seen"], row["id"], until)
        is_more |= until < row["events_numbered"]
    return is_more


async def tidy_alerts(db: Db | Pool) -> None:
    """Close what is open for too long, and forget what has been closed for long."""
    await db.execute(_SQL["expire_alerts"], OPEN_DAYS)
    await db.execute(_SQL["drop_closed"], KEPT_DAYS)


async def list_desk_alerts(
    db: Db | Pool, account_id: int, *, state: AlertState | None, severity: int, before: int, limit: int
) -> list[DeskAlert]:
    """List alerts with ids below `before`, the newest first.

    Args:
        state: None: whatever is not closed.
        severity: the least, 1 to 3.
    """
    rows = await db.fetch(_SQL["list_alerts"], account_id, before, state, severity, limit, None)
    return [DeskAlert(**row) for row in rows]


async def show_alert(db: Db | Pool, account_id: int, alert_id: int) -> DeskAlert | None:
    """Read one alert, whatever its state."""
    row = await db.fetchrow(_SQL["list_alerts"], account_id, alert_id + 1, None, 1, 1, alert_id)
    return None if row is None else DeskAlert(**row)


async def hold_alert(db: Db, account_id: int, alert_id: int) -> HeldAlert | None:
    """Keep others from changing an alert until the transaction ends; None: the account has none such."""
    row = await db.fetchrow(_SQL["hold_alert"], account_id, alert_id)
    return None if row is None else HeldAlert(**row)


async def take_alert(db: Db, alert_id: int, *, key_id: int | None, person_id: int | None) -> None:
    """Note who is at it now."""
    await db.execute(_SQL["take_alert"], alert_id, key_id, person_id)


async def snooze_alert(db: Db, alert_id: int, until: datetime) -> None:
    """Let it sleep until then."""
    await db.execute(_SQL["snooze_alert"], alert_id, until)


async def close_alert(db: Db, alert_id: int) -> None:
    """End it by somebody's word."""
    await db.execute(_SQL["close_alert"], alert_id)
