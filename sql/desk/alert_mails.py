"""Alerts that are mailed to people of the company: who is told of which, and what of it waits."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlert:
    """An alert as a mail tells of it; `severity` 1 to 3."""

    id: int
    type: str
    severity: int
    occurred_at: datetime
    driver_id: int | None
    route_id: int | None
    stop_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingMails:
    """What is to be mailed to somebody.

    Attributes:
        settings: of the account, as they are stored.
        attempts: the most that any of it was tried, this time too.
        alerts: in the order of ids; at least one.
        mails: that left for them within the hour, the first and the last of them at `first_at` and `last_at`.
    """

    account_id: int
    account: str
    settings: dict[str, Any]
    email: str
    attempts: int
    alerts: Sequence[ToldAlert]
    mails: int
    first_at: datetime | None
    last_at: datetime | None


async def decide_mails(
    db: Db,
    whom: Callable[[dict[str, Any], str, int], tuple[Collection[int], Collection[str]]],
    *,
    accounts_at_once: int,
    alerts_at_once: int,
) -> bool:
    """Decide whom new alerts are mailed to; tell whether there is more.

    Args:
        whom: by the settings of an account as they are stored, the type and the severity of an alert: ids of people and
            addresses.

    Call it in a transaction. Each alert is decided once, however many processes do this.
    """
    accounts = await db.fetch(_SQL["accounts_to_mail"], accounts_at_once)
    is_more = len(accounts) == accounts_at_once
    for account in accounts:
        alerts = await db.fetch(_SQL["alerts_to_mail"], account["id"], alerts_at_once)
        is_more |= len(alerts) == alerts_at_once
        told = [
            (one["id"], *whom(account["settings"], one["type"], one["severity"])) for one in alerts if one["is_open"]
        ]
        persons = {person_id for _, ids, _ in told for person_id in ids}
        email_of = {
            row["id"]: row["email"] for row in await db.fetch(_SQL["emails_of"], account["id"], sorted(persons))
        }
        for alert_id, ids, emails in told:
            to = {*emails, *(email_of[one] for one in ids if one in email_of)}
            await db.execute(_SQL["queue_mails"], alert_id, sorted(to))
        await db.execute(_SQL["decided"], [one["id"] for one in alerts])
    return is_more


async def members_among(db: Db | Pool, account_id: int, person_ids: Collection[int]) -> set[int]:
    """Tell who of some is a member of an account and may be told of its alerts."""
    return {row["id"] for row in await db.fetch(_SQL["emails_of"], account_id, sorted(person_ids))}


async def lease_mails(db: Db, *, lease_s: float, people_at_once: int) -> list[WaitingMails]:
    """Take what is to be mailed to some people; until the lease ends nobody else does. Call it in a transaction."""
    await db.execute(_SQL["end_needless"])
    by_person: dict[tuple[int, str], list[Any]] = {}
    for row in await db.fetch(_SQL["lease_mails"], lease_s, people_at_once):
        by_person.setdefault((row["account_id"], row["email"]), []).append(row)
    names = ("id", "type", "severity", "occurred_at", "driver_id", "route_id", "stop_id")
    return [
        WaitingMails(
            account_id=account_id,
            account=rows[0]["account"],
            settings=rows[0]["settings"],
            email=email,
            attempts=max(row["attempts"] for row in rows),
            alerts=[ToldAlert(**{name: row[name] for name in names}) for row in rows],
            mails=rows[0]["mails"],
            first_at=rows[0]["first_at"],
            last_at=rows[0]["last_at"],
        )
        for (account_id, email), rows in by_person.items()
    ]


async def alerts_mailed(db: Db | Pool, email: str, alert_ids: Sequence[int]) -> None:
    """Note that one mail told somebody of some alerts."""
    await db.execute(_SQL["mailed"], email, list(alert_ids))


async def mail_alerts_at(
    db: Db | Pool, email: str, alert_ids: Sequence[int], at: datetime | None, *, was_tried: bool
) -> None:
    """Have somebody told of alerts later; None: no more."""
    await db.execute(_SQL["mail_at"], email, list(alert_ids), at, was_tried)
