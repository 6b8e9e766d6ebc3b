"""What a settled history says, read through the API."""

from collections.abc import Callable
from typing import Any

from reparto.client.client import Client, route_path
from reparto.client.recordings import time_ms


async def history(client: Client, name: str, *, shift_ms: int) -> dict[str, Any]:
    """Read what promise 3 says is the same however it was told.

    Args:
        name: external id of the route.
        shift_ms: is taken from every time.
    """
    route = route_path(name)

    def at(text: str | None) -> int | None:
        return None if text is None else time_ms(text) - shift_ms

    track = await client.track(f"{route}/track")
    del track["received_at"]
    shown = await client.ask("GET", route)
    names = {stop["id"]: stop["external_id"] for stop in shown["stops"]}
    (live,) = [
        one
        for one in (await client.ask("GET", "/v1/positions"))["features"]
        if one["properties"]["route_id"] == shown["id"]
    ]
    return {
        "track": track | {"time": [at(one) for one in track["time"]]},
        "visits": [
            {
                "stop": visit["stop_external_id"],
                "from": at(visit["arrived_at"]),
                "to": at(visit["departed_at"]),
                "source": visit["source"],
            }
            for visit in (await client.ask("GET", f"{route}/visits"))["visits"]
        ],
        "stops": [
            {"stop": stop["external_id"], "status": stop["status"]}
            | {name: at(stop[name]) for name in ("arrived_at", "departed_at", "outcome_at")}
            for stop in shown["stops"]
        ],
        "live": {
            "place": live["geometry"],
            "recorded_at": at(live["properties"]["recorded_at"]),
            "next_stop": names.get(live["properties"]["next_stop"]),
            **{name: live["properties"][name] for name in ("along_m", "on_route", "speed_mps", "delay_s")},
        },
        "feed": await feed(client, shown["id"], names, at),
    }


FORETOLD = ("stop.approaching", "eta.late", "driver.silent", "driver.seen")
"""Facts of the clock: who hears of a morning later is not told what would come."""


async def feed(
    client: Client, route_id: str, names: dict[str, str], at: Callable[[str | None], int | None]
) -> list[tuple[Any, ...]]:
    """Read the feed, of each fact the newest revision, without those taken back and those of the clock."""
    facts: dict[str, dict[str, Any]] = {}
    cursor = {"cursor": ""}
    while (page := await client.ask("GET", "/v1/events", query=cursor))["events"]:
        cursor = {"cursor": page["next"]}
        for entry in page["events"]:
            if entry["route_id"] == route_id:
                before = facts.get(entry["fact_id"])
                assert entry["revision"] == (before["revision"] if before else 0) + 1
                facts[entry["fact_id"]] = entry
    told = [
        (at(fact["occurred_at"]), fact["type"], names.get(fact["stop_id"]), str(fact["data"] | {"event_id": None}))
        for fact in facts.values()
        if fact["state"] != "retracted" and fact["type"] not in FORETOLD
    ]
    return sorted(told, key=str)
