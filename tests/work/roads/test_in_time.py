"""Whoever waits for roads has an answer in time, though an engine hangs."""

import asyncio

import numpy as np
import pytest

from geo.pings import Floats
from work.roads.in_time import AT_ONCE, RoadsInTime
from work.roads.protocol import Matched, RoadPath, RoadsAway, Trace
from work.roads.straight import StraightLines

PLACES = np.array([(-74.1, 4.6), (-74.2, 4.7)])


class Slow:
    """Roads that answer when they are let."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.asked = 0

    async def route(self, places: Floats) -> RoadPath:
        self.asked += 1
        await self.may.wait()
        return await StraightLines().route(places)

    async def match(self, trace: Trace) -> Matched:
        raise NotImplementedError


async def test_an_engine_that_hangs_keeps_nobody_and_is_not_asked_by_everybody() -> None:
    slow = Slow()
    roads = RoadsInTime(slow, wait_s=0.05)
    with pytest.raises(RoadsAway, match="within"):
        await roads.route(PLACES)
    for _ in range(3):
        with pytest.raises(RoadsAway, match="a moment ago"):
            await roads.route(PLACES)
    assert slow.asked == 1


async def test_so_many_wait_and_no_more() -> None:
    slow = Slow()
    roads = RoadsInTime(slow, wait_s=60)
    waiting = [asyncio.create_task(roads.route(PLACES)) for _ in range(AT_ONCE)]
    await asyncio.sleep(0)
    with pytest.raises(RoadsAway, match="too many"):
        await roads.route(PLACES)
    slow.may.set()
    assert [way.source for way in await asyncio.gather(*waiting)] == ["straight"] * AT_ONCE
    assert (await roads.route(PLACES)).source == "straight"
