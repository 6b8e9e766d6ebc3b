"""A driver's phone that asks for its manifest, and keeps what it is told as an app would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


def around_now(offset_h: float = -1) -> dict[str, str]:
    """Times of a route of six hours that starts `offset_h` from now."""
    start = datetime.now(UTC) + hours(offset_h)
    return {"date": start.date().isoformat(), "start_at": start.isoformat(), "end_at": (start + hours(6)).isoformat()}


@dataclass(kw_only=True)
class ManifestPhone:
    """A phone with a device token."""

    client: Any
    token: str
    driver_id: int
    routes: dict[str, Any] = field(default_factory=dict)
    stops: dict[str, Any] = field(default_factory=dict)
    version: int | None = None

    async def get(self, path: str = "/v1/driver/manifest", **headers: str) -> Any:
        return await self.client.get(path, headers={"Authorization": f"Bearer {self.token}", **headers})

    async def read(self, query: str = "") -> Any:
        response = await self.get(f"/v1/driver/manifest{query}")
        assert response.status == 200, await response.text()
        return await response.json()

    async def poll(self) -> Any:
        """Ask for what changed, and put it over what is known."""
        told = await self.read("" if self.version is None else f"?since={self.version}")
        if told["full"]:
            self.routes = {route["id"]: route for route in told["routes"]}
            self.stops = {stop["id"]: stop for route in told["routes"] for stop in route.pop("stops")}
        else:
            for route in told["routes"]:
                self.routes[route["id"]] = {**self.routes.get(route["id"], {}), **route}
            for stop in told["added"] + told["changed"]:
                self.stops[stop["id"]] = stop
            for stop_id, along_m in told["along_m"].items():
                if stop_id in self.stops:  # else it was taken off
                    self.stops[stop_id]["along_m"] = along_m
            for gone in told["removed"]:
                self.stops.pop(gone, None)
            for gone in told["removed_routes"]:
                self.routes.pop(gone)
        self.version = told["version"]
        return told

    @property
    def tour(self) -> list[str]:
        """External ids of the stops to do, in their order."""
        todo = [stop for stop in self.stops.values() if stop["status"] != "removed"]
        return [stop["external_id"] for stop in sorted(todo, key=lambda stop: stop["order"])]

    async def check(self) -> None:
        """What was pieced together is what a phone that knows nothing is told."""
        full = await self.read()
        assert full["full"]
        assert full["version"] == self.version
        stops = {stop["id"]: stop for route in full["routes"] for stop in route.pop("stops")}
        assert {route["id"]: route for route in full["routes"]} == self.routes
        shown = {stop_id: stop for stop_id, stop in stops.items() if stop["status"] != "removed"}
        assert shown == {stop_id: stop for stop_id, stop in self.stops.items() if stop["status"] != "removed"}
