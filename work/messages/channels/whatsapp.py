"""WhatsApp by Meta's Cloud API: approved templates, filled in.

Sources: developers.facebook.com/docs/whatsapp/cloud-api (messages, error codes, webhooks).
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import aiohttp
import msgspec

from work.messages.channels.gateways import text_at
from work.messages.channels.protocol import Accepted, Give, Later, Outcome, Outgoing, Refused, Unknown, unnoted
from work.messages.channels.settings import WhatsApp, WhatsAppTemplate
from work.outgoing.guard import Guard
from work.outgoing.http import Answer, NoAnswer, NotReached, ask, open_session

CANNOT_BE_REACHED = frozenset({131026, 131045, 131049, 131050})
"""Of this person by WhatsApp: no account there, none that takes it now, wants none."""

_NOT_NOW = frozenset({4, 80007, 130429, 131048, 131056, 131057})
_NO_ACCESS = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 133010})


@dataclass(slots=True)
class WhatsAppChannel:
    """A number of an account."""

    settings: WhatsApp
    session: aiohttp.ClientSession
    again_when_unknown: bool = False
    at_once: int = 32

    async def send(self, message: Outgoing, give: Give = unnoted) -> Outcome:
        """Send one message."""
        template = template_of(self.settings, message.kind, message.locale)
        if template is None:
            return Refused("no-template")
        body = msgspec.json.encode(request_of(template, message))
        headers = {"Authorization": f"Bearer {self.settings.token}", "Content-Type": "application/json"}
        url = f"{self.settings.url.rstrip('/')}/{self.settings.phone_number_id}/messages"
        await give()
        try:
            got = await ask(self.session, "POST", url, headers=headers, body=body)
        except NotReached as error:
            return Later(10.0, str(error), down=True)
        except NoAnswer as error:
            return Unknown(str(error))
        return outcome_of(got)

    async def close(self) -> None:
        """Close connections."""
        await self.session.close()


def open_whatsapp(settings: WhatsApp, guard: Guard) -> WhatsAppChannel:
    """Open a channel."""
    session = open_session(guard, at_once=settings.at_once)
    return WhatsAppChannel(settings=settings, session=session, at_once=settings.at_once)


def template_of(settings: WhatsApp, kind: str, locale: str) -> WhatsAppTemplate | None:
    """Find the template of a kind: the one for the language, else the one for all."""
    by_language: Any = settings.templates_by_language
    templates: Any = settings.templates
    found: WhatsAppTemplate | None = by_language.get(locale, {}).get(kind) or templates.get(kind)
    return found


def request_of(template: WhatsAppTemplate, message: Outgoing) -> dict[str, Any]:
    """Write the request; parameters of templates hold no line breaks and no runs of spaces, or Meta refuses them."""
    said = [
        {"type": "text", "text": " ".join(message.values.get(name, "").split()) or "-"} for name in template.parameters
    ]
    components = [{"type": "body", "parameters": said}] if said else []
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.to,
        "type": "template",
        "template": {"name": template.name, "language": {"code": template.language}, "components": components},
        "biz_opaque_callback_data": str(message.id),
    }


def outcome_of(got: Answer) -> Outcome:
    """Say what an answer means."""
    try:
        said = msgspec.json.decode(got.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    if got.status < 300:
        return Accepted(text_at(said, "messages.0.id"))
    code = int(number) if (number := text_at(said, "error.code")) and number.lstrip("-").isdigit() else -1
    why = f"{code}: {text_at(said, 'error.message') or ''}"[:200] if code >= 0 else f"HTTP {got.status}"
    if got.status in (429, 503) or code in _NOT_NOW:
        return Later(got.retry_after_s or 10.0, why, down=got.status == 503)
    if got.status in (401, 403) or code in _NO_ACCESS:
        return Later(60.0, why, down=True)
    return Unknown(why) if got.status >= 500 else Refused(why)


def is_signed(body: bytes, header: str, app_secret: str) -> bool:
    """Tell whether Meta sent a callback: `X-Hub-Signature-256` is the HMAC of its body."""
    scheme, _, given = header.partition("=")
    made = hmac.digest(app_secret.encode(), body, sha256).hex()
    return scheme == "sha256" and hmac.compare_digest(made.encode(), given.strip().lower().encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What became of a message; `elsewhere`: they cannot be reached by WhatsApp."""

    provider_id: str
    state: Literal["sent", "delivered", "read", "failed"]
    why: str | None
    elsewhere: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What somebody wrote back."""

    by: str
    text: str


def read_callback(body: Any) -> Iterator[Status | Reply]:
    """Read a callback; what it does not understand it leaves out. It is input from outside: any shape may come."""
    for entry in _list(body, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value") if isinstance(change, dict) else None
            for status in _list(value, "statuses"):
                if (read := _status(status)) is not None:
                    yield read
            for message in _list(value, "messages"):
                by = text_at(message, "from")
                text = text_at(message, "text.body") or text_at(message, "button.text")
                if by and text:
                    yield Reply(by=f"+{by.lstrip('+')}", text=text)


def _status(status: Any) -> Status | None:
    provider_id, state = text_at(status, "id"), text_at(status, "status")
    if not provider_id or state not in ("sent", "delivered", "read", "failed"):
        return None
    code = text_at(status, "errors.0.code")
    title = text_at(status, "errors.0.title") or ""
    is_code = code is not None and code.isdigit()
    return Status(
        provider_id=provider_id,
        state=state,  # type: ignore[arg-type]
        why=f"{code}: {title}"[:200] if is_code and state == "failed" else None,
        elsewhere=state == "failed" and is_code and int(code or 0) in CANNOT_BE_REACHED,
    )


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found[:1_000] if isinstance(found, list) else []
