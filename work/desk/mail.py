"""Mails that let somebody in: an invitation, a new password. The link is derived here and kept nowhere."""

import logging
from dataclasses import dataclass
from functools import partial

from sql.account.accounts import read_instance
from sql.account.settings import settings_of
from sql.desk.links import LinkMail, drop_links, lease_mails, mail_again, mailed
from sql.desk.sessions import drop_sessions
from sql.desk.steps import drop_steps
from sql.pool import Pool
from work.desk.words import words_of_mail
from work.job import Job, for_each
from work.links import desk_token
from work.messages.channels.protocol import Outgoing
from work.messages.sending.mail import mail_now
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer

log = logging.getLogger(__name__)

AT_ONCE = 20
LEASE_S = 120.0
FIRST_AGAIN_S, LONGEST_AGAIN_S = 10.0, 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMails:
    """Sends them; `public_url` is where people reach this installation, without a slash at its end."""

    sealer: Sealer
    guard: Guard
    public_url: str

    async def send_due(self, pool: Pool) -> bool:
        """Send what is due; tell whether there may be more."""
        due = await lease_mails(pool, lease_s=LEASE_S, at_most=AT_ONCE)
        await for_each(due, partial(self._send_one, pool))
        return len(due) == AT_ONCE

    async def _send_one(self, pool: Pool, mail: LinkMail) -> None:
        try:
            is_over = await self._send(pool, mail)
        except Exception:
            log.exception("a mail that lets somebody into account %d", mail.account_id)
            is_over = False
        if is_over:
            await mailed(pool, mail.id)
        else:
            await mail_again(pool, mail.id, min(FIRST_AGAIN_S * 3 ** (mail.mail_tries - 1), LONGEST_AGAIN_S))

    async def _send(self, pool: Pool, mail: LinkMail) -> bool:
        language = settings_of(mail.settings).languages[0]
        token = desk_token((await read_instance(pool)).secret, mail.id)
        subject, text = words_of_mail(mail, language, f"{self.public_url}/desk/link/{token}?lang={language}")
        outgoing = Outgoing(
            id=mail.id, kind="desk", to=mail.email, locale=language, subject=subject, body=text, at=pool.clock.now()
        )
        return await mail_now(pool, mail.account_id, outgoing, sealer=self.sealer, guard=self.guard)


def desk_jobs(sealer: Sealer, guard: Guard, *, public_url: str) -> tuple[Job, ...]:
    """Give the jobs of this room, in no order."""
    mails = LinkMails(sealer=sealer, guard=guard, public_url=public_url)

    async def forget(pool: Pool) -> bool:
        await drop_sessions(pool)
        await drop_links(pool)
        await drop_steps(pool)
        return False

    return (
        Job(name="mails that let people in", do=mails.send_due, pause_s=1.0),
        Job(name="sessions and links that are over", do=forget, pause_s=3600.0),
    )
