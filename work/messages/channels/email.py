"""E-mail by the account's SMTP server: text and HTML, one-click unsubscribe (RFC 8058), a return path of its own."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from html import escape
from typing import Any

import aiosmtplib

from work.messages.channels.protocol import (
    Accepted,
    Give,
    Later,
    Outcome,
    Outgoing,
    Refused,
    Unknown,
    storable,
    unnoted,
)
from work.messages.channels.settings import Email
from work.messages.words.letter import LOGO_ID, letter
from work.outgoing.guard import Guard

TIMEOUT_S = 20.0
CONNECTED_S = 40.0
"""Until a server has said hello and let us in, however slowly it says each line of that."""

_KEPT_S = 20.0  # a connection on which nothing is sent; servers hang up after minutes


class _Line(aiosmtplib.SMTP):
    """A connection that has it noted before it gives a mail away: what fails before that has reached nobody."""

    has_given = False
    _give: Give = staticmethod(unnoted)

    def begin(self, give: Give) -> None:
        """Take up another mail."""
        self.has_given, self._give = False, give

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        """Give a mail away."""
        await self._give()
        self.has_given = True
        return await super().data(message, **options)


@dataclass(slots=True)
class EmailChannel:
    """An SMTP server of an account, with a few connections that are used again."""

    settings: Email
    guard: Guard
    again_when_unknown: bool = True
    at_once: int = 8
    _idle: list[tuple[float, _Line]] = field(default_factory=list)

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Send one message; its Message-ID is the same in every try, so that a copy is known for one."""
        try:
            mail, sender = compose(message, self.settings), return_path(self.settings, message.return_token)
        except ValueError as error:
            return Refused(f"cannot be written: {error}"[:200])
        try:
            client = await self._connected()
        except aiosmtplib.SMTPAuthenticationError as error:
            return Later(60.0, f"login: {error.code}", down=True)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            return Later(10.0, f"{type(error).__name__}: {error}"[:200], down=True)
        client.begin(give)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _, said = await client.send_message(mail, sender=sender, recipients=[message.to])
        except aiosmtplib.SMTPRecipientsRefused as error:
            self._idle.append((time.monotonic(), client))
            return _refused(error.recipients[0].code, error.recipients[0].message)
        except aiosmtplib.SMTPResponseException as error:
            client.close()
            return _refused(error.code, error.message)
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            client.close()
            why = f"{type(error).__name__}: {error}"[:200]
            return Unknown(why) if client.has_given else Later(10.0, why, down=True)
        except BaseException:
            client.close()
            raise
        self._idle.append((time.monotonic(), client))
        return Accepted(message_id_of(message, self.settings) if said else None)

    async def close(self) -> None:
        """Say goodbye on every connection."""
        for _, client in self._idle:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=2)
            client.close()
        self._idle.clear()

    async def _connected(self) -> _Line:
        while self._idle:
            since_s, client = self._idle.pop()
            if client.is_connected and time.monotonic() - since_s < _KEPT_S:
                return client
            client.close()
        found = self.settings
        sock = await self.guard.connect(found.host, found.port, timeout_s=TIMEOUT_S)
        client = _Line(
            hostname=found.host,
            sock=sock,
            use_tls=found.tls == "tls",
            start_tls=found.tls == "starttls",
            timeout=TIMEOUT_S,
            local_hostname="reparto",
        )
        try:
            async with asyncio.timeout(CONNECTED_S):
                await client.connect()
                if found.user:
                    await client.login(found.user, found.password or "")
        except BaseException:
            client.close()
            sock.close()
            raise
        return client


def open_email(settings: Email, guard: Guard) -> EmailChannel:
    """Open a channel."""
    return EmailChannel(settings=settings, guard=guard, at_once=min(settings.at_once, 16))


def _refused(code: int, said: str) -> Outcome:
    """Tell what a server that says no means: 4xx is for now, 5xx for good; 421 is goodbye to everybody."""
    why = storable(f"{code} {' '.join(said.split())}")
    if code == 421:
        return Later(30.0, why, down=True)
    return Later(60.0, why) if 400 <= code < 500 else Refused(why)


def message_id_of(message: Outgoing, settings: Email) -> str:
    """Name a mail: by the message, in the domain of its sender."""
    domain = parseaddr(settings.from_)[1].rpartition("@")[2] or "localhost"
    return f"<reparto.{message.return_token or message.id}@{domain}>"


def return_path(settings: Email, token: str) -> str:
    """Say where a mail comes back to: the return path with the message in it (VERP), else the sender."""
    address = settings.return_path or parseaddr(settings.from_)[1]
    local, _, domain = address.rpartition("@")
    return f"{local}+{token}@{domain}" if settings.return_path and token else address


def compose(message: Outgoing, settings: Email) -> EmailMessage:
    """Write a mail.

    Raises:
        ValueError: an address or a header cannot be written.
    """
    name, address = parseaddr(settings.from_)
    mail = EmailMessage()
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=message.to)
    mail["Subject"] = " ".join((message.subject or "").split())
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message_id_of(message, settings)
    mail["Auto-Submitted"] = "auto-generated"
    if settings.reply_to:
        mail["Reply-To"] = settings.reply_to
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(message.body)
    mail.add_alternative(_html(message), subtype="html")
    if message.head is not None and (logo := message.head.logo) is not None:
        *_, html = mail.iter_parts()
        html.add_related(logo.content, "image", "jpeg", cid=f"<{LOGO_ID}>", disposition="inline", filename="logo.jpg")
    return mail


def _html(message: Outgoing) -> str:
    if message.head is None:
        return f"<p>{escape(message.body)}</p>"
    return letter(
        message.body,
        message.head,
        kind=message.kind,
        subject=message.subject or "",
        unsubscribe=message.unsubscribe,
    )
