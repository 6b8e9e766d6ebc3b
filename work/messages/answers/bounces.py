"""Mail that came back: which message it is of, and whether it came back for good.

The message is named by the return path that it left with; whether for good, by what a delivery status says of it.
"""

import asyncio
import email
import email.policy
import hmac
import re
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

from sql.messages.messages import address_of
from sql.pool import Pool
from work.links import return_token
from work.messages.answers.state import Receipt, receive
from work.messages.deciding.expand import fall_back

_TOKEN = re.compile(r"\+(?P<id>[0-9]{1,18})-(?P<mac>[0-9a-f]{12})@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<reparto\.(?P<id>[0-9]{1,18})-(?P<mac>[0-9a-f]{12})@", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A mail that came back; `token` proves that it names a message of ours."""

    message_id: int
    token: str
    is_final: bool


def read_bounce(raw: bytes) -> Bounce | None:
    """Read a mail that came to the return path; None: it names no message."""
    mail = email.message_from_bytes(raw, policy=email.policy.compat32)
    found = _token_of(mail) or _MESSAGE_ID.search(raw.decode("latin-1"))
    if found is None:
        return None
    _, permanent = all_failures(mail)
    token = f"{found['id']}-{found['mac'].lower()}"
    return Bounce(message_id=int(found["id"]), token=token, is_final=bool(permanent))


def _token_of(mail: Message) -> re.Match[str] | None:
    for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To"):
        for value in mail.get_all(name, []):
            if match := _TOKEN.search(str(value)):
                return match
    return None


async def take_bounce(pool: Pool, secret: bytes, raw: bytes, *, account_id: int | None = None) -> bool:
    """Take a mail that came back: for good, its message failed, and the next channel has its turn.

    Args:
        secret: the installation's; who does not know it cannot have a message fail.
        account_id: whose message it must be; None: the mail says which.

    Returns:
        Whether it names a message of ours.
    """
    bounce = await asyncio.to_thread(read_bounce, raw)
    if bounce is None or not hmac.compare_digest(return_token(secret, bounce.message_id), bounce.token):
        return False
    to = await address_of(pool, bounce.message_id)
    if to is None or account_id not in (None, to.account_id):
        return False
    if bounce.is_final:
        now = pool.clock.now()
        receipt = Receipt(
            account_id=to.account_id, channel="email", said="failed", why="bounced", message_id=bounce.message_id
        )
        async with pool.acquire() as db, db.transaction():
            moved = await receive(db, receipt, now=now)
            await fall_back(db, [one for one in moved if now < one.expires_at], now=now)
    return True
