"""On foot or driving, for the pings of a page: worked out when it is read, from what the phone told around each."""

from collections.abc import Sequence
from operator import itemgetter

import asyncpg
import numpy as np

from geo.shape import gait, plane
from geo.shape.numbers import GAP_S, SIGHT_S
from sql.pings.trace import beside_page
from sql.pool import Pool

_IN_ORDER = itemgetter("recorded_at", "lat_e6", "lon_e6")


class Gait:
    """What is needed to tell how a page's pings were made; read once, told anywhere."""

    def __init__(self, pings: Sequence[asyncpg.Record], beside: Sequence[asyncpg.Record]) -> None:
        self._pings = pings
        self._beside = beside

    @classmethod
    async def read(cls, pool: Pool, pings: Sequence[asyncpg.Record]) -> "Gait":
        """Read what is around a page of a track, so that it does not matter where the page begins and ends."""
        lasts = {ping["device_id"]: ping for ping in pings}
        firsts = {ping["device_id"]: ping for ping in reversed(pings)}
        around = [firsts[device] for device in lasts], [*lasts.values()]
        return cls(pings, await beside_page(pool, *around, within_s=SIGHT_S, gap_s=GAP_S) if pings else [])

    def on_foot(self) -> list[bool | None]:
        """Tell at which pings the driver was on foot, or sat in a parked van; None where a ping does not count."""
        told: list[bool | None] = [None] * len(self._pings)
        traces: dict[int, list[tuple[asyncpg.Record, int]]] = {}
        for place, ping in enumerate(self._pings):
            if ping["believed"]:
                traces.setdefault(ping["device_id"], []).append((ping, place))
        for ping in self._beside:
            if ping["device_id"] in traces:
                traces[ping["device_id"]].append((ping, -1))
        for trace in traces.values():
            trace.sort(key=lambda one: _IN_ORDER(one[0]))
            seconds = np.array([ping["recorded_at"].timestamp() for ping, _ in trace])
            lon, lat = (np.array([ping[name] for ping, _ in trace]) / 1e6 for name in ("lon_e6", "lat_e6"))
            foot = gait.on_foot(seconds, plane.in_space(lon, lat))
            for (_, place), is_on_foot in zip(trace, foot.tolist(), strict=True):
                if place >= 0:
                    told[place] = is_on_foot
        return told
