"""SMS by any gateway that takes HTTP, from its description."""

from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from work.messages.channels.gateways import Gateway, filled, gateway_of, text_at
from work.messages.channels.protocol import Accepted, Give, Later, Outcome, Outgoing, Refused, Unknown, unnoted
from work.messages.channels.settings import Sms
from work.messages.channels.sigv4 import AwsKey, signed_headers
from work.messages.words.gsm7 import count_parts
from work.outgoing.guard import Guard
from work.outgoing.http import Answer, NoAnswer, NotReached, ask, open_session

NOT_NOW = frozenset({429, 503})
"""Not taken, try again. Any other answer of a server in trouble may have come after it took the message."""

_NO_ACCESS = frozenset({401, 402, 403, 404, 405})
"""What is wrong is the account at the gateway, not the message."""


@dataclass(slots=True)
class SmsChannel:
    """A gateway of an account."""

    settings: Sms
    gateway: Gateway
    session: aiohttp.ClientSession
    hook_url: str
    again_when_unknown: bool = False
    at_once: int = 32

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Send one message."""
        values = self._values(message)
        try:
            url = filled(self.gateway.url, values)
            headers = {name: _one_line(filled(text, values)) for name, text in self.gateway.headers.items()}
            body = filled(self.gateway.body, values).encode()
        except ValueError as error:
            return Refused(f"template: {error}"[:200])
        if self.gateway.signed:
            region, key = self.settings.region or "us-east-1", self.settings.key or ""
            aws = AwsKey(region=region, key=key, secret=self.settings.secret or "")
            headers = signed_headers(headers, body, url, aws, message.at)
        await give()
        try:
            got = await ask(self.session, self.gateway.method, url, headers=headers, body=body or None)
        except NotReached as error:
            return Later(10.0, str(error), down=True)
        except NoAnswer as error:
            return Unknown(str(error))
        return outcome_of(self.gateway, got)

    async def close(self) -> None:
        """Close connections."""
        await self.session.close()

    def _values(self, message: Outgoing) -> dict[str, Any]:
        return {
            "to": message.to,
            "text": message.body,
            "id": str(message.id),
            "from": self.settings.from_ or "",
            "key": self.settings.key or "",
            "secret": self.settings.secret or "",
            "region": self.settings.region or "us-east-1",
            "hook_url": self.hook_url,
            "gsm": count_parts(message.body).encoding == "GSM-7",
        }


def open_sms(settings: Sms, guard: Guard, *, hook_url: str) -> SmsChannel:
    """Open a channel."""
    return SmsChannel(
        settings=settings,
        gateway=gateway_of(settings),
        session=open_session(guard, at_once=settings.at_once),
        hook_url=hook_url,
        at_once=settings.at_once,
    )


def outcome_of(gateway: Gateway, got: Answer) -> Outcome:
    """Say what an answer of a gateway means."""
    said = _json(got.body)
    why = text_at(said, gateway.why_path) or f"HTTP {got.status}"
    if got.status in NOT_NOW:
        return Later(got.retry_after_s or 5.0, why, down=got.status == 503)
    if got.status in _NO_ACCESS:
        return Later(60.0, why, down=True)
    if got.status >= 500 or got.status == 408:
        return Unknown(why)
    if got.status >= 300:
        return Refused(why)
    if gateway.accepted is not None:
        found = text_at(said, gateway.accepted[0])
        if found is not None and found not in gateway.accepted[1]:
            return Refused(why)
    return Accepted(text_at(said, gateway.id_path))


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
