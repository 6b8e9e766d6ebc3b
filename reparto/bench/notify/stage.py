"""What the parts of the bench stand on: a product, ways to it, recipients."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reparto.bench.notify.listener import Listener
from reparto.client.client import Client
from reparto.client.product import Product
from reparto.process.usage import cpu_s
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)

STOPS = 100  # of a route
TAKEN_UP_S = 2.0  # until the worker has looked which channels and webhooks there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A product, and all who are told.

    Attributes:
        db: a connection of ours to its database.
        url: of the listener.
    """

    product: Product
    client: Client
    db: Db
    listener: Listener
    url: str

    @property
    def cpu_s(self) -> tuple[float, float]:
        """CPU time so far of all workers and of Postgres, seconds."""
        workers = (self.product.work, *self.product.more_work)
        return sum(cpu_s(one.pid) for one in workers), cpu_s(self.product.postgres_pid)

    async def account_id(self) -> int:
        """Give the account that all of it happens in."""
        found: int = await self.db.fetchval(_SQL["only_account"], "bench")
        return found

    async def put_recipients(self, name: str, count: int, *, calling_code: str) -> None:
        """Put routes whose stops have numbers of their own: 7 digits after the code."""
        for number in range(0, count, STOPS):
            body = _route(name, number, min(STOPS, count - number), calling_code)
            await self.client.ask("PUT", f"/v1/routes/{name}-{number}", body=body)

    async def tell_of_bookings(self, name: str, first: int, count: int) -> None:
        """Have recipients told that they are booked: `count` of them from `first` on."""
        await self.db.execute(_SQL["tell_of_bookings"], await self.account_id(), name, first, first + count)


def _route(name: str, first: int, stops: int, calling_code: str) -> dict[str, Any]:
    """Write a route that leaves tomorrow, straight on."""
    leaves = datetime.now(UTC) + timedelta(days=1)
    lons = [-74.1 + 0.0005 * nth for nth in range(stops + 1)]
    return {
        "date": leaves.date().isoformat(),
        "timezone": "America/Bogota",
        "start_at": leaves.isoformat(),
        "end_at": (leaves + timedelta(hours=9)).isoformat(),
        "depot": {"name": "Bodega", "lat": 4.65, "lon": lons[0]},
        "path": {"type": "LineString", "coordinates": [[lons[0], 4.65], [lons[-1], 4.65]]},
        "stops": [
            {
                "external_id": f"{name}-{first + nth}",
                "kind": "delivery",
                "name": "Ana",
                "lat": 4.65,
                "lon": lon,
                "phone": f"+{calling_code}{1_000_000 + first + nth}",
            }
            for nth, lon in enumerate(lons[1:])
        ],
    }
