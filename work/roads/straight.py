"""No roads at all: straight lines. Always there."""

import numpy as np

from geo.pings import Floats
from geo.shape.lines import along_m
from work.roads.engine import thinned
from work.roads.protocol import Matched, RoadPath, Trace


class StraightLines:
    """Roads for whoever has none."""

    async def route(self, places: Floats) -> RoadPath:
        """Go straight from place to place; how long that takes is not known."""
        lon, lat = places.T
        return RoadPath(
            source="straight", lon=lon, lat=lat, leg_lengths_m=np.diff(along_m(lon, lat)), leg_durations_s=None
        )

    async def table(self, places: Floats) -> None:
        """Know no roads; see `Roads`."""

    async def match(self, trace: Trace) -> Matched:
        """Join the phone's own places."""
        thin = thinned(trace)
        return Matched(source="straight", lines=[(thin.lon, thin.lat)])
