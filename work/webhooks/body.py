"""What a webhook is told: an event as the feed has it, in the shape of Standard Webhooks or of CloudEvents 1.0."""

from datetime import datetime
from typing import Any

import msgspec

from sql.feed.events import FeedEntry

MOST_BYTES = 20_000
"""Of one body; an event whose data is longer comes without it, and `cut`: it can be read from the feed by its seq."""

JSON, CLOUDEVENTS = "application/json", "application/cloudevents+json"


def entry_of(entry: FeedEntry) -> dict[str, Any]:
    """Show an event as `GET /v1/events` does."""

    def named(prefix: str, number: int | None) -> str | None:
        return None if number is None else f"{prefix}{number}"

    return {
        "seq": entry.seq,
        "fact_id": entry.fact_id,
        "revision": entry.revision,
        "state": entry.state,
        "type": entry.type,
        "occurred_at": entry.occurred_at,
        "known_at": entry.known_at,
        "driver_id": named("dr_", entry.driver_id),
        "route_id": named("rt_", entry.route_id),
        "stop_id": named("st_", entry.stop_id),
        "geofence_id": named("gf_", entry.geofence_id),
        "late": entry.late,
        "data": entry.data,
    }


def body_of(form: str, entry: FeedEntry, source: str) -> tuple[str, bytes]:
    """Write a body; return its media type and itself.

    Args:
        form: json or cloudevents.
        source: address of the feed, for CloudEvents.
    """
    shown = entry_of(entry)
    media, body = _written(form, entry, shown, source)
    if len(body) > MOST_BYTES:
        media, body = _written(form, entry, shown | {"data": {}, "cut": True}, source)
    return media, body


def _written(form: str, entry: FeedEntry, shown: dict[str, Any], source: str) -> tuple[str, bytes]:
    if form == "json":
        whole = {"type": entry.type, "timestamp": entry.occurred_at, "data": shown}
        return JSON, msgspec.json.encode(whole)
    event = {
        "specversion": "1.0",
        "id": f"{entry.fact_id}/{entry.revision}",
        "source": source,
        "type": entry.type,
        "time": entry.occurred_at,
        "datacontenttype": JSON,
        "data": shown,
    }
    if shown["stop_id"] or shown["route_id"]:
        event["subject"] = shown["stop_id"] or shown["route_id"]
    return CLOUDEVENTS, msgspec.json.encode(event)


def test_body(form: str, webhook_id: int, source: str, now: datetime) -> tuple[str, bytes]:
    """Write the body of a test."""
    data = {"webhook_id": f"wh_{webhook_id}"}
    if form == "json":
        return JSON, msgspec.json.encode({"type": "webhook.test", "timestamp": now, "data": data})
    event = {
        "specversion": "1.0",
        "id": f"test-{now.timestamp():.0f}",
        "source": source,
        "type": "webhook.test",
        "time": now,
        "datacontenttype": JSON,
        "data": data,
    }
    return CLOUDEVENTS, msgspec.json.encode(event)


def message_id(webhook_id: int, seq: int) -> str:
    """Name what a webhook is told of an event: the same in every try and replay, so that it is taken once."""
    return f"msg_{webhook_id}_{seq}"
