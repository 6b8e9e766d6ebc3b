"""What the `work` role does about messages: makes them, sends them, forgets the old ones."""

from collections.abc import Awaitable, Callable

from sql.account.accounts import read_instance
from sql.messages.messages import drop_messages
from sql.messages.setup import ProviderRow
from sql.pool import Pool
from work.job import Job
from work.links import hook_token
from work.messages.channels.email import open_email
from work.messages.channels.log import LogChannel
from work.messages.channels.protocol import Sends
from work.messages.channels.push import open_push
from work.messages.channels.settings import Common, Email, Log, Push, Sms, WhatsApp
from work.messages.channels.sms import open_sms
from work.messages.channels.whatsapp import open_whatsapp
from work.messages.deciding.take_up import expand
from work.messages.sending.send import MessageSender
from work.messages.words.letter import Logo
from work.messages.words.render import Source
from work.outgoing.guard import Guard
from work.outgoing.sealed import Sealer
from work.retention.classes import MESSAGES
from work.retention.guard import RetentionGuard

_AT_ONCE = 1_000


def message_jobs(
    sealer: Sealer,
    guard: Guard,
    *,
    public_url: str,
    retention: RetentionGuard,
    find_logo: Callable[[int, str], Awaitable[Logo | None]],
) -> tuple[Job | MessageSender, ...]:
    """Give the jobs of this room, in no order.

    Args:
        public_url: where recipients reach this installation, without a slash at its end.
        retention: says what may be deleted by age.
        find_logo: as `MessageSender` has it.
    """

    async def make(pool: Pool) -> bool:
        return await expand(pool, now=pool.clock.now())

    async def forget(pool: Pool) -> bool:
        before = await retention.horizon(pool, MESSAGES)
        return before is not None and await drop_messages(pool, before, at_most=_AT_ONCE) == _AT_ONCE

    async def source(pool: Pool) -> Source:
        return Source(secret=(await read_instance(pool)).secret, public_url=public_url)

    return (
        Job(name="make messages", do=make, pause_s=0.1),
        Job(name="message retention", do=forget, pause_s=3600.0),
        MessageSender(
            open_channel=lambda row, settings, where: open_channel(row, settings, where, guard, sealer),
            find_logo=find_logo,
            find_source=source,
            sealer=sealer,
        ),
    )


def hook_url(source: Source, account_id: int, channel: str, generation: int) -> str:
    """Give the address that a channel's provider calls back."""
    return f"{source.public_url}/hooks/{channel}/{hook_token(source.secret, account_id, channel, generation)}"


def open_channel(row: ProviderRow, settings: Common, source: Source, guard: Guard, sealer: Sealer) -> Sends:
    """Open the channel that an account set.

    Raises:
        ValueError: there is no such channel here.
    """
    match settings:
        case Email():
            return open_email(settings, guard)
        case Sms():
            where = hook_url(source, row.account_id, row.channel, row.hook_generation)
            return open_sms(settings, guard, hook_url=where)
        case WhatsApp():
            return open_whatsapp(settings, guard)
        case Push():
            return open_push(settings, guard, sealer)
        case Log():
            return LogChannel()
    raise ValueError(f"there is no channel {row.channel} in this installation")
