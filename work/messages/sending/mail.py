"""One mail to people of the company, by their account's own mail server; recipients' messages go another way."""

import logging

import msgspec

from sql.messages.setup import channels_of
from sql.pool import Pool
from work.messages.channels.email import open_email
from work.messages.channels.protocol import Accepted, Outgoing, Refused
from work.messages.channels.settings import Email
from work.messages.sending.send import opened_settings
from work.outgoing.guard import Guard
from work.outgoing.sealed import CannotOpen, Sealer

log = logging.getLogger(__name__)


async def mail_now(pool: Pool, account_id: int, mail: Outgoing, *, sealer: Sealer, guard: Guard) -> bool:
    """Send a mail; tell whether that is over: it went, never will, or the account has e-mail switched off.

    Raises:
        Exception: whatever goes wrong on the way to the mail server; it may be tried again.
    """
    row = (await channels_of(pool, account_id)).get("email")
    if row is None or not row.enabled:
        return True
    try:
        settings = opened_settings("email", row.settings, row.secrets, sealer)
    except (CannotOpen, msgspec.ValidationError) as error:
        log.error("account %d, mail to its people: %s", account_id, error)
        return False
    assert isinstance(settings, Email)
    channel = open_email(settings, guard)
    try:
        outcome = await channel.send(mail)
    finally:
        await channel.close()
    if isinstance(outcome, Refused):
        log.warning("account %d: the mail server refuses a mail to its people: %s", account_id, outcome.why)
    return isinstance(outcome, Accepted | Refused)
