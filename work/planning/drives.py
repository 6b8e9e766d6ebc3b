"""How long and how far drives are: by the roads that are configured, else straight; at speeds that were learned."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from geo.eta.rows import Row, RowKey
from geo.pings import Floats
from geo.tours.matrix import drive_factors, on_roads, speed, straight
from geo.tours.problem import Matrix


class RoadTables(Protocol):
    """Something that may know roads."""

    async def table(self, places: Floats) -> tuple[Floats, Floats] | None:
        """Give metres and seconds from each place to each; None where roads are not known, or away.

        Args:
            places: (p, 2) lon and lat, degrees.

        Returns:
            (p, p) each; NaN where there is no way.
        """


async def drives(
    roads: RoadTables, lon: Floats, lat: Floats, rows: Mapping[RowKey, Row], clock: tuple[int, int]
) -> tuple[Matrix, Matrix]:
    """Give metres and seconds between places.

    Args:
        lon, lat: (p,) degrees.
        rows: that ETAs learned, of `geo.tours.matrix.keys_of_hour`.
        clock: when, epoch milliseconds, and how far the place's clocks are ahead of UTC, seconds.
    """
    found = await roads.table(np.column_stack((lon, lat))) if len(lon) > 1 else None
    if found is None:
        return await asyncio.to_thread(straight, lon, lat, mps=speed(rows, *clock))
    return await asyncio.to_thread(on_roads, *found, lon, lat, drive_factors(rows, *clock))
