"""SMS gateways, described: what is asked of each, where the id is in its answer, what its callbacks say.

Sources, read in 2026: twilio.com/docs/messaging/api, infobip.com/docs/api/channels/sms, developer.vonage.com/api/sms,
docs.aws.amazon.com/sns (Publish), labsmobile.com/api-sms, docs.zenvia.com. URL, headers and body are minijinja.
"""

import base64
from dataclasses import dataclass, field
from typing import Any

import minijinja
import msgspec

from work.messages.channels.protocol import storable
from work.messages.channels.settings import Receipts, Sms
from work.messages.words.render import FUEL

MOST_BODY = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What is asked of a gateway.

    Attributes:
        id_path: where the answer (JSON) has the message's id, dotted; empty: nowhere.
        accepted: where the answer says in the body that it refused after all, and what it says if it did not.
        why_path: where it says why.
        each_path: where a callback has a list of what it says of several messages; empty: it is of one, or the list.
    """

    url: str
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    id_path: str = ""
    accepted: tuple[str, tuple[str, ...]] | None = None
    why_path: str = ""
    each_path: str = ""
    receipts: Receipts = field(default_factory=Receipts)
    signed: bool = False
    """By AWS signature version 4."""


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_JSON = {"Content-Type": "application/json"}

READY: dict[str, Gateway] = {
    "twilio": Gateway(
        url="https://api.twilio.com/2010-04-01/Accounts/{{ key }}/Messages.json",
        headers={**_FORM, "Authorization": "Basic {{ (key ~ ':' ~ secret)|b64 }}"},
        body="To={{ to|urlencode }}&From={{ from|urlencode }}&Body={{ text|urlencode }}"
        "&StatusCallback={{ hook_url|urlencode }}",
        id_path="sid",
        why_path="message",
        receipts=Receipts(
            id_path="MessageSid",
            state_path="MessageStatus",
            states={
                "sent": "sent",
                "delivered": "delivered",
                "read": "read",
                "undelivered": "failed",
                "failed": "failed",
            },
        ),
    ),
    "infobip": Gateway(
        url="https://api.infobip.com/sms/2/text/advanced",
        headers={**_JSON, "Accept": "application/json", "Authorization": "App {{ key }}"},
        body='{"messages": [{"from": {{ from|tojson }}, "destinations": [{"to": {{ to|tojson }},'
        ' "messageId": {{ id|tojson }}}], "text": {{ text|tojson }}, "notifyUrl": {{ hook_url|tojson }},'
        ' "notifyContentType": "application/json"}]}',
        id_path="messages.0.messageId",
        accepted=("messages.0.status.groupName", ("PENDING", "ACCEPTED", "DELIVERED")),
        why_path="messages.0.status.description",
        each_path="results",
        receipts=Receipts(
            id_path="messageId",
            state_path="status.groupName",
            states={
                "PENDING": "sent",
                "DELIVERED": "delivered",
                "UNDELIVERABLE": "failed",
                "EXPIRED": "failed",
                "REJECTED": "failed",
            },
        ),
    ),
    "vonage": Gateway(
        url="https://rest.nexmo.com/sms/json",
        headers=_FORM,
        body="api_key={{ key|urlencode }}&api_secret={{ secret|urlencode }}&from={{ from|urlencode }}"
        "&to={{ to[1:]|urlencode }}&text={{ text|urlencode }}{% if not gsm %}&type=unicode{% endif %}"
        "&client-ref={{ id }}&callback={{ hook_url|urlencode }}",
        id_path="messages.0.message-id",
        accepted=("messages.0.status", ("0",)),
        why_path="messages.0.error-text",
        receipts=Receipts(
            id_path="messageId",
            state_path="status",
            states={
                "accepted": "sent",
                "buffered": "sent",
                "delivered": "delivered",
                "expired": "failed",
                "failed": "failed",
                "rejected": "failed",
            },
        ),
    ),
    "sns": Gateway(
        url="https://sns.{{ region }}.amazonaws.com/",
        headers={**_FORM, "Accept": "application/json"},
        body="Action=Publish&Version=2010-03-31&PhoneNumber={{ to|urlencode }}&Message={{ text|urlencode }}"
        "&MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value.DataType=String"
        "&MessageAttributes.entry.1.Value.StringValue=Transactional"
        "{% if from %}&MessageAttributes.entry.2.Name=AWS.SNS.SMS.SenderID"
        "&MessageAttributes.entry.2.Value.DataType=String"
        "&MessageAttributes.entry.2.Value.StringValue={{ from|urlencode }}{% endif %}",
        id_path="PublishResponse.PublishResult.MessageId",
        why_path="Error.Message",
        receipts=Receipts(
            id_path="notification.messageId",
            state_path="status",
            states={"SUCCESS": "delivered", "FAILURE": "failed"},
        ),
        signed=True,
    ),
    "labsmobile": Gateway(
        url="https://api.labsmobile.com/json/send",
        headers={**_JSON, "Authorization": "Basic {{ (key ~ ':' ~ secret)|b64 }}"},
        body='{"message": {{ text|tojson }}, "tpoa": {{ from|tojson }}, "recipient": [{"msisdn": {{ to[1:]|tojson }}}],'
        ' "subid": {{ id|tojson }}, "ackurl": {{ hook_url|tojson }}{% if not gsm %}, "ucs2": 1{% endif %}}',
        id_path="subid",
        accepted=("code", ("0",)),
        why_path="message",
        receipts=Receipts(
            id_path="subid",
            state_path="status",
            states={
                "processed": "sent",
                "gateway": "sent",
                "operator": "sent",
                "handset": "delivered",
                "error": "failed",
            },
        ),
    ),
    "zenvia": Gateway(
        url="https://api.zenvia.com/v2/channels/sms/messages",
        headers={**_JSON, "X-API-TOKEN": "{{ key }}"},
        body='{"from": {{ from|tojson }}, "to": {{ to[1:]|tojson }},'
        ' "contents": [{"type": "text", "text": {{ text|tojson }}}]}',
        id_path="id",
        why_path="message",
        receipts=Receipts(
            id_path="messageId",
            state_path="messageStatus.code",
            states={
                "SENT": "sent",
                "DELIVERED": "delivered",
                "READ": "read",
                "NOT_DELIVERED": "failed",
                "REJECTED": "failed",
            },
        ),
    ),
}

_ANY_WORDS = Receipts(
    states={
        **dict.fromkeys(("sent", "accepted", "queued", "submitted"), "sent"),
        **dict.fromkeys(("delivered", "DELIVRD"), "delivered"),
        **dict.fromkeys(("failed", "undelivered", "rejected", "expired", "UNDELIV"), "failed"),
        "read": "read",
    }
)
"""For a gateway of the account's own that says no other."""


def gateway_of(settings: Sms) -> Gateway:
    """Describe the gateway that an account set; a URL of its own goes before the one described here."""
    if settings.gateway == "custom":
        receipts = settings.receipts or _ANY_WORDS
        if not receipts.states:
            receipts = msgspec.structs.replace(receipts, states=_ANY_WORDS.states)
        return Gateway(
            url=settings.url or "",
            method=settings.method,
            headers={"Content-Type": "application/json"} | settings.headers,
            body=settings.body or "",
            id_path=settings.id_path or "",
            receipts=receipts,
        )
    ready = READY[settings.gateway]
    if settings.url is None:
        return ready
    return Gateway(**{**{name: getattr(ready, name) for name in Gateway.__dataclass_fields__}, "url": settings.url})


def _environment() -> minijinja.Environment:
    return minijinja.Environment(
        fuel=FUEL,
        debug=False,
        auto_escape_callback=lambda name: False,
        pycompat=False,
        undefined_behavior="strict",
        filters={
            "b64": lambda text: base64.b64encode(str(text).encode()).decode(),
            "tojson": lambda value: msgspec.json.encode(value).decode(),
        },
    )


_TEMPLATES = _environment()


def filled(template: str, values: dict[str, Any]) -> str:
    """Fill in a template of a gateway.

    Raises:
        ValueError: it does not work, or becomes too long.
    """
    try:
        text = str(_TEMPLATES.render_str(template, **values))
    except minijinja.TemplateError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    if len(text) > MOST_BODY:
        raise ValueError(f"becomes longer than {MOST_BODY} characters")
    return text


def at_path(value: Any, path: str) -> Any:
    """Follow a dotted path, `messages.0.id`, into decoded JSON; None: it leads nowhere."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if path else None


def text_at(value: Any, path: str) -> str | None:
    """Read a short text or a number at a path; None: there is none."""
    found = at_path(value, path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return storable(str(found)) or None
