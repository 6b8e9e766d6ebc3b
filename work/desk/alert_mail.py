"""People of the company are told of alerts by mail, as their account says: by its own mail server, never in floods.

An alert is mailed to somebody once. What is about the same thing is not mailed while the one before is open, nor what
somebody is at or closed by then. Within an hour somebody gets so many mails as the account allows: what is more comes
together, when the hour allows the next one. What is critical waits a minute at most.
"""

import hashlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sql.account.settings import AccountSettings, settings_of
from sql.desk.alert_mails import (
    ToldAlert,
    WaitingMails,
    alerts_mailed,
    decide_mails,
    lease_mails,
    mail_alerts_at,
)
from sql.pool import Pool
from work.desk.alerts import NOW, SEVERITIES
from work.desk.letters import letter_of
from work.job import Job, for_each
from work.messages.channels.protocol import Outgoing
from work.messages.sending.mail import mail_now
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer

log = logging.getLogger(__name__)

ACCOUNTS_AT_ONCE, ALERTS_AT_ONCE, PEOPLE_AT_ONCE = 50, 500, 20
LEASE_S = 120.0
FIRST_AGAIN, LONGEST_AGAIN = timedelta(seconds=30), timedelta(hours=1)
MOST_TRIES = 12
"""Half a day: who hears of an alert later has seen it at the desk."""

HOUR, CRITICAL_WAIT = timedelta(hours=1), timedelta(minutes=1)


def whom_to_mail(settings: dict[str, Any], kind: str, severity: int) -> tuple[Collection[int], Collection[str]]:
    """Say who is told of an alert, by an account's settings as they are stored: ids of people, addresses of others."""
    rules = [
        rule
        for rule in settings_of(settings).alert_mails
        if severity >= SEVERITIES[rule.severity] and (not rule.types or kind in rule.types)
    ]
    persons = {int(user.removeprefix("us_")) for rule in rules for user in rule.users}
    return persons, {email.lower() for rule in rules for email in rule.emails}


def in_mails(waiting: WaitingMails, an_hour: int, now: datetime) -> tuple[list[Sequence[ToldAlert]], datetime]:
    """Say which mails leave now, and when the rest does that must wait.

    Args:
        an_hour: mails of which somebody gets no more within an hour.

    Returns:
        The alerts of each mail, and when to look at the others again.
    """
    left = an_hour - waiting.mails
    if len(waiting.alerts) <= left:
        return [[one] for one in waiting.alerts], now
    if left > 0:
        return [waiting.alerts], now
    assert waiting.first_at is not None
    assert waiting.last_at is not None
    again = waiting.first_at + HOUR
    if any(one.severity == NOW for one in waiting.alerts):
        again = min(again, waiting.last_at + CRITICAL_WAIT)
    return ([waiting.alerts], now) if again <= now else ([], again)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMails:
    """Mails them; `public_url` is where people reach this installation, without a slash at its end."""

    sealer: Sealer
    guard: Guard
    public_url: str

    async def decide(self, pool: Pool) -> bool:
        """Decide whom new alerts are mailed to; tell whether there is more."""
        async with pool.acquire() as db, db.transaction():
            return await decide_mails(
                db, whom_to_mail, accounts_at_once=ACCOUNTS_AT_ONCE, alerts_at_once=ALERTS_AT_ONCE
            )

    async def send_due(self, pool: Pool) -> bool:
        """Send what is due; tell whether there may be more."""
        async with pool.acquire() as db, db.transaction():
            due = await lease_mails(db, lease_s=LEASE_S, people_at_once=PEOPLE_AT_ONCE)
        await for_each(due, partial(self._send, pool))
        return len(due) == PEOPLE_AT_ONCE

    async def _send(self, pool: Pool, waiting: WaitingMails) -> None:
        settings, now = settings_of(waiting.settings), pool.clock.now()
        mails, again = in_mails(waiting, settings.alert_mails_an_hour, now)
        if not mails:
            await mail_alerts_at(pool, waiting.email, [one.id for one in waiting.alerts], again, was_tried=False)
        for alerts in mails:
            ids = [one.id for one in alerts]
            if await self._mail(pool, waiting, settings, alerts):
                await alerts_mailed(pool, waiting.email, ids)
            else:
                wait = min(FIRST_AGAIN * 3 ** (waiting.attempts - 1), LONGEST_AGAIN)
                later = None if waiting.attempts >= MOST_TRIES else now + wait
                await mail_alerts_at(pool, waiting.email, ids, later, was_tried=True)

    async def _mail(
        self, pool: Pool, waiting: WaitingMails, settings: AccountSettings, alerts: Sequence[ToldAlert]
    ) -> bool:
        language = settings.languages[0]
        subject, text = letter_of(
            alerts,
            account=waiting.account,
            language=language,
            zone=ZoneInfo(settings.contact.timezone if settings.contact else "UTC"),
            public_url=self.public_url,
        )
        named = hashlib.sha256(f"{waiting.email} {[one.id for one in alerts]}".encode()).digest()
        mail = Outgoing(
            id=int.from_bytes(named[:7], "big"),  # names the mail: the same in every try
            kind="alert",
            to=waiting.email,
            locale=language,
            subject=subject,
            body=text,
            at=pool.clock.now(),
        )
        try:
            return await mail_now(pool, waiting.account_id, mail, sealer=self.sealer, guard=self.guard)
        except Exception:
            log.exception("a mail about alerts of account %d", waiting.account_id)
            return False


def alert_mail_jobs(sealer: Sealer, guard: Guard, *, public_url: str) -> Sequence[Job]:
    """Give the jobs that mail alerts, in no order."""
    mails = AlertMails(sealer=sealer, guard=guard, public_url=public_url)
    return (
        Job(name="whom alerts are mailed to", do=mails.decide, pause_s=1.0),
        Job(name="mails about alerts", do=mails.send_due, pause_s=2.0),
    )
