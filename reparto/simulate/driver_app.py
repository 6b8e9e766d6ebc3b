"""A simulated driver's app: it knows the manifest, keeps what the driver did, and sends it when there is a network."""

import asyncio
import base64
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from reparto.client.client import Client, Phone, route_path
from reparto.client.tally import Tally
from reparto.simulate.day import Deed, Photo, event_of, needs_pin, photos_of

MOST_AT_ONCE = 100
"""Events in a request."""

HANG_UPS, SAYS_TWICE = 0.03, 0.03
"""Shares of batches whose first try is given up, and that are sent again although they were acknowledged."""

_MOVED_ON = frozenset({409, 423})  # a try of ours that was given up had arrived, or is still under way
_TUS = {"Tus-Resumable": "1.0.0"}

AskPin: TypeAlias = Callable[[str], Awaitable[str | None]]
"""Asks the recipient of a stop, by its external id."""


class Recipients:
    """Who waits at the stops of a route. They read their PIN on their tracking page, or ask whom they bought from."""

    def __init__(self, phone: Phone, route: str, stops: Iterable[Mapping[str, Any]]) -> None:
        """Know them.

        Args:
            phone: with an API key, for the shop that they ask.
            route: external id.
            stops: as the import of the route was answered.
        """
        self._phone = phone
        self._route = route_path(route)
        self._tokens = {stop["external_id"]: stop["tracking_url"].rpartition("/")[2] for stop in stops}

    async def pin(self, stop: str) -> str | None:
        """Tell the PIN of a stop; None when it has none."""
        page = await self._phone.ask("GET", f"/v1/track/{self._tokens[stop]}", minds=(404, 410))
        if page.status == 200 and (pin := page.json().get("pin")):
            return str(pin)
        shown = (await self._phone.ask("GET", self._route)).json()
        return next((one.get("pin") for one in shown["stops"] if one["external_id"] == stop), None)


class DriverApp:
    """One driver's app, for one route.

    Attributes:
        acknowledged: events that are on disk, by their id: what was sent and what was answered first.
        uploaded: photos that are on disk, by their upload_id.
    """

    def __init__(self, phone: Phone, chance: random.Random, *, route: str, ask_pin: AskPin) -> None:
        """Open it.

        Args:
            route: external id.
        """
        self._phone = phone
        self._route = route
        self._route_id = ""
        self._chance = chance
        self._ask_pin = ask_pin
        self._events: list[dict[str, Any]] = []
        self._photos: list[Photo] = []
        self._version: int | None = None
        self._stops: dict[str, dict[str, Any]] = {}
        self.acknowledged: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
        self.uploaded: dict[str, Photo] = {}

    async def fetch_manifest(self) -> None:
        """Learn what there is to do, or what changed of it."""
        since = "" if self._version is None else f"&since={self._version}"
        told = (await self._phone.ask("GET", f"/v1/driver/manifest?path=none{since}")).json()
        if told["full"]:
            self._stops.clear()
        for route in told["routes"]:
            if route["external_id"] == self._route:
                self._route_id = route["id"]
        given = [stop for route in told["routes"] for stop in route.get("stops", ())]
        for stop in (*given, *told.get("added", ()), *told.get("changed", ())):
            self._stops[stop["id"]] = stop
        self._version = told["version"]

    async def do(self, deed: Deed, at_ms: int) -> None:
        """Do something; what is said of it waits for a network.

        Args:
            at_ms: when, epoch milliseconds.
        """
        event, photos = await self.write(deed, at_ms)
        self._events.append(event)
        self._photos += photos

    async def write(self, deed: Deed, at_ms: int) -> tuple[dict[str, Any], list[Photo]]:
        """Give the event that tells of a deed, and the photos that were taken."""
        stop = None if deed.stop is None else self._stop(deed.stop)
        pin = await self._ask_pin(stop["external_id"]) if stop is not None and needs_pin(deed, stop) else None
        photos = [] if stop is None else await asyncio.to_thread(photos_of, deed, stop)
        return event_of(deed, stop, photos, at_ms=at_ms, pin=pin), photos

    async def sync(self) -> None:
        """Send what waits, and learn what changed."""
        while self._events:
            batch, self._events = self._events[:MOST_AT_ONCE], self._events[MOST_AT_ONCE:]
            photos, self._photos = self._photos, []
            works: list[Callable[[], Awaitable[Any]]] = [
                partial(self.say, batch),
                *(partial(self.upload, photo) for photo in photos),
            ]
            if self._chance.random() < SAYS_TWICE:
                works.append(partial(self.say, batch))
            self._chance.shuffle(works)  # a photo may come before the event that names it
            for work in works:
                await work()
            await self.fetch_manifest()

    async def say(self, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send events until they are acknowledged; give what is said of each."""
        hangs_up = self._chance.random() < HANG_UPS
        heard = await self._phone.ask(
            "POST",
            "/v1/driver/events",
            body=msgspec.json.encode({"events": list(events)}),
            headers={"Content-Type": "application/json"},
            hang_up_after_s=self._chance.uniform(0.001, 0.05) if hangs_up else None,
        )
        results: list[dict[str, Any]] = heard.json()["results"]
        for event, result in zip(events, results, strict=True):
            self.acknowledged.setdefault(event["id"], (event, result))
            self._phone.tally.events[result["result"]] += 1
        return results

    async def upload(self, photo: Photo) -> None:
        """Send a photo by tus: begin it, or find it begun, and append what is missing until nothing is."""
        said = {"stop_id": photo.stop_id, "kind": "photo", "upload_id": photo.upload_id, "filename": "puerta.jpg"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        length = len(photo.content)
        begin = {**_TUS, "Upload-Length": str(length), "Upload-Metadata": metadata}
        heard = await self._phone.ask("POST", "/v1/driver/uploads", headers=begin)
        where = urlsplit(heard.headers["Location"]).path
        while (offset := int(heard.headers["Upload-Offset"])) < length:
            append = {**_TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            heard = await self._phone.ask("PATCH", where, headers=append, body=photo.content[offset:], minds=_MOVED_ON)
            if heard.status in _MOVED_ON:
                await asyncio.sleep(self._chance.uniform(0.05, 0.2))
                heard = await self._phone.ask("HEAD", where, headers=_TUS)
        self.uploaded[photo.upload_id] = photo
        self._phone.tally.photos += 1

    def _stop(self, external_id: str) -> dict[str, Any]:
        of_it = (stop for stop in self._stops.values() if stop["route_id"] == self._route_id)
        return next(stop for stop in of_it if stop["external_id"] == external_id)


def open_app(
    client: Client,
    token: str,
    tally: Tally,
    chance: random.Random,
    *,
    route: str,
    stops: Iterable[Mapping[str, Any]],
) -> DriverApp:
    """Open a driver's app for a route whose recipients can be asked.

    Args:
        token: of the driver's device.
        route: external id.
        stops: as the import of the route was answered.
    """
    sender = Phone(client.session, client.url, client.key, tally, chance)
    phone = Phone(client.session, client.url, token, tally, chance)
    return DriverApp(phone, chance, route=route, ask_pin=Recipients(sender, route, stops).pin)
