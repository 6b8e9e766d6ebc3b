"""A simulated driver: the tour, what the phone tells of it, and what was acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from geo.pings import Ints
from geo.simulate.tour import Tour
from reparto.client.recordings import SentPing
from reparto.simulate.day import Deed
from reparto.simulate.driver_app import DriverApp
from reparto.simulate.fleet import Report

Fix: TypeAlias = tuple[int, int, int]
"""What makes a ping itself and not another one of its device: recorded_at (epoch milliseconds), lat_e6, lon_e6."""


def fix_of(ping: SentPing) -> Fix:
    """Give the fix of a ping."""
    return ping.time, round(ping.lat * 1e6), round(ping.lon * 1e6)


@dataclass(slots=True, kw_only=True)
class SimulatedVan:
    """A driver on a tour.

    Attributes:
        name: external id of the driver and of the route.
        stays_ms: (s, 2) when the van really comes to each stop and leaves it, by the trip's clock.
        told: what the phone tells of the trip.
        begins_ms: where in the trip the simulation finds it, by the trip's clock.
        leaves_ms: when the trip began, epoch milliseconds; 0 until it has.
        driver_id, device_id: ids the product gave; empty until then.
        deeds: what the driver does.
        app: the driver's app; None until they have one.
        acknowledged: fixes that are on disk, if they are kept; repeated ones as often as they were sent.
    """

    name: str
    tour: Tour
    stays_ms: Ints
    told: Report
    begins_ms: int
    deeds: Sequence[Deed] = ()
    app: DriverApp | None = None
    leaves_ms: int = 0
    driver_id: str = ""
    device_id: str = ""
    acknowledged: list[Fix] = field(default_factory=list)
