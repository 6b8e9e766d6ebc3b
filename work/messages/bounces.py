"""Mail that came back: which message it is of, and whether it came back for good.

The message is named by the return path that it left with; whether for good, by what a delivery status says of it.
"""

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import Message

from flufl.bounce import all_failures

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
