"""A driver's phone that says things, and a tour of today for it to say them of."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgpack

BASE = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
"""Minute 0 of the day."""

_PAGE = (Path(__file__).resolve().parents[3] / "docs" / "reference" / "driver-events.md").read_text()
DOCUMENTED = set(re.findall(r"^\| `([a-z0-9-]+)` \|", _PAGE, re.MULTILINE))
"""Every `why` that the reference page explains."""


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def at(minute: float) -> str:
    """A time of the day, as phones write it."""
    return (BASE + timedelta(minutes=minute)).isoformat()


def number(shown: str) -> int:
    return int(shown[3:])


def event(kind: str, minute: float, stop: str | None = None, /, **data: Any) -> dict[str, Any]:
    """Make an event; `more` overwrites its own fields."""
    more = data.pop("more", {})
    made: dict[str, Any] = {"id": str(uuid.uuid4()), "type": kind, "occurred_at": at(minute)}
    if stop is not None:
        made["stop_id"] = stop
    if data:
        made["data"] = data
    return {**made, **more}


def hours() -> dict[str, str]:
    """The hours of a route of today."""
    return {"start_at": at(0), "end_at": at(600), "date": BASE.date().isoformat()}


@dataclass(slots=True)
class Phone:
    """A driver's phone. `stops` are the ids of the tour's stops, in its order."""

    client: Any
    account: Any
    token: str
    driver: str
    stops: list[str] = field(default_factory=list)

    async def post(self, body: Any, **headers: str) -> Any:
        """Send a body that may be wrong."""
        return await self.client.post("/v1/driver/events", json=body, headers=bearer(self.token) | headers)

    async def say(self, *events: dict[str, Any], packed: bool = False) -> list[dict[str, Any]]:
        """Send events; every reason in the answer is one that the documentation explains."""
        headers = bearer(self.token)
        if packed:
            headers |= {"Content-Type": "application/msgpack", "Accept": "application/msgpack"}
            body = msgpack.packb({"events": events})
            response = await self.client.post("/v1/driver/events", data=body, headers=headers)
            assert response.status == 200, await response.text()
            results = msgpack.unpackb(await response.read())["results"]
        else:
            response = await self.client.post("/v1/driver/events", json={"events": events}, headers=headers)
            assert response.status == 200, await response.text()
            results = (await response.json())["results"]
        for result in results:
            said = {result.get("why")} - {None} | {one["why"] for one in result.get("warnings", [])}
            assert said <= DOCUMENTED, said - DOCUMENTED
        assert len(results) == len(events)
        return list(results)

    async def outcome(self, *events: dict[str, Any]) -> list[tuple[str, str | None]]:
        """Send events; give result and why of each."""
        return [(one["result"], one.get("why")) for one in await self.say(*events)]

    async def read_stops(self, route: str = "tour-1") -> list[dict[str, Any]]:
        response = await self.client.get(f"/v1/routes/{route}", headers=self.account.headers)
        assert response.status == 200, await response.text()
        return list((await response.json())["stops"])

    async def statuses(self, route: str = "tour-1") -> list[str]:
        """The status of every stop of a route, in the order of the tour."""
        return [stop["status"] for stop in await self.read_stops(route)]

    async def reopen(self, stop: str, **body: Any) -> Any:
        return await self.client.post(f"/v1/stops/{stop}/reopen", json=body, headers=self.account.headers)


async def feed(pool: Any, *, history: bool = False) -> list[tuple[Any, ...]]:
    """What the feed says of stops: type, minute, stop of the facts in force; with `history` every revision's state."""
    rows = await pool.fetch(
        "SELECT DISTINCT ON (fact_id) fact_id, type, occurred_at, stop_id, state, data,"
        " array_agg(state) OVER (PARTITION BY fact_id ORDER BY revision ROWS BETWEEN UNBOUNDED PRECEDING"
        " AND UNBOUNDED FOLLOWING) AS states FROM event WHERE type LIKE 'stop.%' ORDER BY fact_id, revision DESC"
    )
    shown = [
        (row["type"], (row["occurred_at"] - BASE) / timedelta(minutes=1), f"st_{row['stop_id']}", *(
            [list(row["states"])] if history else []))
        for row in rows
        if history or row["state"] != "retracted"
    ]  # fmt: skip
    return sorted(shown, key=lambda one: (one[1], one[0], one[2]))


async def said(pool: Any) -> Sequence[tuple[Any, ...]]:
    """Everything kept, and whether it is in force."""
    rows = await pool.fetch(
        "SELECT driver_id, id, type, stop_id, occurred_at, effective, why FROM driver_event ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]
