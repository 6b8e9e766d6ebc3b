"""What is told to webhooks, described for machines: AsyncAPI 3.0, written from the table of event types."""

from typing import Any

import msgspec
from aiohttp import web

from api.history.events import EventView
from api.http.media import JSON
from api.http.operation import Operations, Who
from work.feed.types import EVENT_TYPES, Maker
from work.webhooks.body import MOST_BYTES

operations = Operations("description")

_MADE = {
    Maker.FOLD: "Found in what phones recorded and drivers said; late pings may correct it or take it back.",
    Maker.SILENCE: "Nothing was heard of a driver, or something again.",
    Maker.ETA: "What is expected of a stop.",
    Maker.DEVICE: "An alarm that a phone sent; never judged anew.",
    Maker.DRIVER: "What a driver or a dispatcher said, as far as it is in force.",
    Maker.CLOSING: "A shift or a break is over, by a word or by the clock; or what is open of a tour that is over.",
    Maker.RECIPIENT: "What a recipient did by their tracking link; their words are not in it.",
    Maker.ADDRESS: "How well it is known where an order goes; its address is not in it.",
    Maker.CASE: "What became of a ticket or a return; nobody's words are in it.",
    Maker.SENDER: "What became of what left the installation.",
}
_REF = "#/components/schemas/{name}"
_CHANNEL = {"$ref": "#/channels/webhook"}

_ABOUT = """
Every event of an account's feed, told to the addresses that `POST /v1/webhooks` was given: a POST each, signed as
[Standard Webhooks](https://www.standardwebhooks.com) says. Answer 2xx within 15 seconds. Order is not promised and an
event may come twice: keep of each `fact_id` the greatest `revision`. What is missing between two `seq` is in
`GET /v1/events`. Webhooks with the format `cloudevents` get the same `data` in a structured CloudEvent 1.0.
""".strip()

_HEADERS = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The same in every try and replay of an event."},
        "webhook-timestamp": {"type": "string", "description": "Of the try, seconds since 1970."},
        "webhook-signature": {"type": "string", "description": "`v1,` and base64, one or two, separated by a space."},
        "reparto-replay": {"type": "string", "description": "1 where it is delivered again because that was asked."},
    },
}


@operations.operation("GET", "/v1/asyncapi.json", who=Who.ANYONE, media=("application/json",))
async def get_asyncapi(_request: web.Request) -> web.Response:
    """Read what webhooks are told, as AsyncAPI 3.0."""
    return web.Response(body=msgspec.json.encode(asyncapi()), content_type=JSON)


def asyncapi() -> dict[str, Any]:
    """Write the description."""
    _, schemas = msgspec.json.schema_components([EventView], ref_template=_REF)
    names = [one.name for one in EVENT_TYPES]
    messages = {one.name: _message(one.name, _MADE[one.maker]) for one in EVENT_TYPES}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Reparto",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": JSON,
        "channels": {
            "webhook": {
                "address": None,
                "title": "An address of yours",
                "description": f"{MOST_BYTES} bytes at most: a longer event comes with `cut`, without data.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {"http": {}},
            }
        },
        "operations": {
            "tell": {
                "action": "send",
                "channel": _CHANNEL,
                "title": "Tell a webhook of an event",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
                "messages": [{"$ref": f"#/channels/webhook/messages/{name}"} for name in names],
            }
        },
        "components": {"messages": messages, "schemas": schemas | {"Headers": _HEADERS}},
    }


def _message(name: str, summary: str) -> dict[str, Any]:
    payload = {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": name},
            "timestamp": {"type": "string", "format": "date-time", "description": "When it happened."},
            "data": {
                "allOf": [
                    {"$ref": _REF.format(name="EventView")},
                    {"type": "object", "properties": {"type": {"const": name}}},
                ]
            },
        },
    }
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": JSON,
        "headers": {"$ref": _REF.format(name="Headers")},
        "payload": payload,
    }
