"""Browsers of the company's people are told of alerts by their push services, in the account's name."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import msgspec

from sql.desk.push import (
    AlertToTell,
    DeskBrowser,
    alerts_told,
    browsers_for,
    forget_gone_browsers,
    lease_alerts,
)
from sql.messages.setup import channels_of
from sql.pool import Pool
from work.desk.called import words_of_alert
from work.job import Job, for_each
from work.messages.channels.protocol import Accepted, Outcome, Outgoing, Refused
from work.messages.channels.push import PushChannel, open_push
from work.messages.channels.settings import Push
from work.messages.sending.send import opened_settings
from work.outgoing.guard import Guard
from work.outgoing.sealed import CannotOpen, Sealer

log = logging.getLogger(__name__)

AT_ONCE = 20
LEASE_S = 60.0
WORTH = timedelta(minutes=15)
"""So long after it came into sight an alert is news; browsers that are off get it until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPushes:
    """Tells them; `public_url` is where people reach this installation, without a slash at its end."""

    sealer: Sealer
    guard: Guard
    public_url: str

    async def tell_due(self, pool: Pool) -> bool:
        """Tell of what is due; whether there may be more."""
        due = await lease_alerts(pool, lease_s=LEASE_S, at_most=AT_ONCE)
        await for_each(due, partial(self._tell_one, pool))
        return len(due) == AT_ONCE

    async def _tell_one(self, pool: Pool, alert: AlertToTell) -> None:
        if await self._is_over(pool, alert):
            await alerts_told(pool, [alert.id])

    async def _is_over(self, pool: Pool, alert: AlertToTell) -> bool:
        """Tell whoever wants to know of an alert; whether that need not be tried again."""
        if not alert.is_open or pool.clock.now() > alert.seen_at + WORTH:
            return True
        browsers = await browsers_for(pool, alert.account_id, alert.severity)
        if not browsers:
            return True
        channel = await self._channel(pool, alert.account_id)
        if channel is None:
            return True
        try:
            came = await asyncio.gather(*(self._tell(pool, channel, alert, one) for one in browsers))
        finally:
            await channel.close()
        gone = [one for outcome in came if isinstance(outcome, Accepted | Refused) for one in outcome.gone]
        if gone:
            await forget_gone_browsers(pool, alert.account_id, gone)
        return all(isinstance(one, Accepted | Refused) for one in came)

    async def _tell(self, pool: Pool, channel: PushChannel, alert: AlertToTell, browser: DeskBrowser) -> Outcome:
        now = pool.clock.now()
        return await channel.send(
            Outgoing(
                id=alert.id,
                kind=f"alert-{alert.id}",
                to="",
                locale=browser.language,
                body=words_of_alert(alert.type, browser.language),
                at=now,
                values={"brand": alert.account, "link": f"{self.public_url}/desk/alerts?lang={browser.language}"},
                lives_s=(alert.seen_at + WORTH - now).total_seconds(),
                browsers=(browser.sealed,),
            )
        )

    async def _channel(self, pool: Pool, account_id: int) -> PushChannel | None:
        """Open the account's channel; None: it is off, or cannot be opened."""
        row = (await channels_of(pool, account_id)).get("push")
        if row is None or not row.enabled:
            return None
        try:
            settings = opened_settings("push", row.settings, row.secrets, self.sealer)
        except (CannotOpen, msgspec.ValidationError) as error:
            log.error("account %d, push to its people: %s", account_id, error)
            return None
        assert isinstance(settings, Push)
        return open_push(settings, self.guard, self.sealer)


def push_jobs(sealer: Sealer, guard: Guard, *, public_url: str) -> Sequence[Job]:
    """Give the job that tells browsers."""
    pushes = AlertPushes(sealer=sealer, guard=guard, public_url=public_url)
    return (Job(name="alerts in browsers", do=pushes.tell_due, pause_s=1.0),)
