"""Where an order is held to be when it is put: by its planner, or by the account's own address book."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.planning.body import OrderBody
from geo.shape.plane import metres_between
from work.addresses.book import BookPlace
from work.addresses.doubt import Doubt, doubt

CORRECTED_M = 1_000.0
"""So far the book corrects a place that a planner gave without saying how well it is known: a door of the same address.
Farther away it is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where an order is, degrees; None: nobody knows. `doubt`: what is doubtful about it; None: nothing is."""

    quality: str
    lat: float | None
    lon: float | None
    doubt: Doubt | None = None

    @property
    def is_good(self) -> bool:
        """Tell whether somebody can be sent there: somewhere in a quarter is nowhere."""
        return self.lat is not None and self.doubt is None and self.quality != "area"


def placed(body: OrderBody, known: BookPlace | None, depots: Sequence[tuple[float, float]]) -> Placed:
    """Say where an order is.

    Args:
        known: what the book says of its address; None: nothing. It outranks what is doubtful, missing, or known by
            street or quarter, and corrects what is only given; a roof, a pin and what a planner learned stand.
        depots: (lat, lon) of those that it may be served from, degrees.
    """
    if body.lat is None or body.lon is None:
        given = Placed(quality="none", lat=None, lon=None)
    elif found := doubt(body.lat, body.lon, depots):
        given = Placed(quality="doubtful", lat=body.lat, lon=body.lon, doubt=found)
    else:
        given = Placed(quality=body.quality, lat=body.lat, lon=body.lon)
    if known is None or doubt(known.lat, known.lon, depots) is not None or not _outranks(known, given):
        return given
    return Placed(quality=known.quality, lat=known.lat, lon=known.lon)


def _outranks(known: BookPlace, given: Placed) -> bool:
    if given.lat is None or given.lon is None or given.quality in ("doubtful", "area", "street"):
        return True
    if given.quality != "given":
        return False
    return metres_between(known.lon, known.lat, given.lon, given.lat) <= CORRECTED_M
