"""Telling people of the company: the account's admin by the account's own mail server, the operator by apprise.

A mail leaves only where the account named an address and has switched e-mail on. Apprise reaches some hundred services
by addresses that the operator set; it is not guarded, because only the operator can set them.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from sql.account.settings import settings_of
from sql.messages.alerts import CompanyAlert, alert_again, end_alert, lease_alerts
from sql.pool import Pool
from work.alerts.words import words_of
from work.job import Job
from work.messages.channels.protocol import Outgoing
from work.messages.sending.mail import mail_now
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer

log = logging.getLogger(__name__)

AT_ONCE = 20
LEASE = timedelta(seconds=120)
FIRST_AGAIN, LONGEST_AGAIN = timedelta(seconds=30), timedelta(hours=6)
MOST_TRIES = 12
"""About a day and a half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWays:
    """Ways to reach people; `urls` are apprise's, none: there is no service."""

    sealer: Sealer
    guard: Guard
    urls: tuple[str, ...] = ()

    async def tell_due(self, pool: Pool, *, now: datetime) -> bool:
        """Tell what is due; tell whether there may be more."""
        due = await lease_alerts(pool, now=now, until=now + LEASE, at_most=AT_ONCE)
        await asyncio.gather(*(self._tell(pool, alert, now) for alert in due))
        return len(due) == AT_ONCE

    async def _tell(self, pool: Pool, alert: CompanyAlert, now: datetime) -> None:
        try:
            is_over = await (self._mail(pool, alert, now) if alert.way == "email" else self._serve(alert))
        except Exception:
            log.exception("an alert of account %d by %s", alert.account_id, alert.way)
            is_over = False
        if is_over or alert.attempts >= MOST_TRIES:
            await end_alert(pool, alert)
            return
        wait = min(FIRST_AGAIN * 3 ** (alert.attempts - 1), LONGEST_AGAIN)
        await alert_again(pool, alert, now + wait)

    async def _mail(self, pool: Pool, alert: CompanyAlert, now: datetime) -> bool:
        """Write to the account's admin; tell whether that is over, also because there is nobody or no way."""
        admin = settings_of(alert.settings).admin_email
        if not admin:
            return True
        title, text = words_of(alert)
        mail = Outgoing(
            id=alert.fact_id.int >> 72,  # names the mail: the same in every try
            kind="alert",
            to=admin,
            locale="en",
            subject=title,
            body=text,
            at=now,
        )
        return await mail_now(pool, alert.account_id, mail, sealer=self.sealer, guard=self.guard)

    async def _serve(self, alert: CompanyAlert) -> bool:
        if not self.urls:
            return True
        import apprise  # an extra

        services = apprise.Apprise(list(self.urls))
        title, text = words_of(alert)
        return bool(await services.async_notify(title=title, body=text))


def alert_job(sealer: Sealer, guard: Guard, urls: str) -> Job:
    """Give the job; `urls` as REPARTO_ALERT_URLS has them."""
    alerts = AlertWays(sealer=sealer, guard=guard, urls=tuple(urls.split()))

    async def tell(pool: Pool) -> bool:
        return await alerts.tell_due(pool, now=pool.clock.now())

    return Job(name="tell alerts", do=tell, pause_s=2.0)
