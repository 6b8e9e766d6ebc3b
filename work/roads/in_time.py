"""Roads for whoever waits for an answer: an engine that hangs keeps nobody longer than a few seconds."""

import asyncio
import logging
import time

from geo.pings import Floats
from work.roads.protocol import Matched, RoadPath, Roads, RoadsAway, Trace

log = logging.getLogger(__name__)

WAIT_S = 4.0
"""How long a request waits for a way: with what follows, whoever asks has an answer within 5 s."""

AT_ONCE = 8
"""Ways that are asked for and not answered yet; an engine finds one after the other."""

_AGAIN_S = 5.0


class RoadsInTime:
    """The same roads, or none: then a route has straight lines and a warning. What was asked goes on to its end."""

    def __init__(self, roads: Roads, *, wait_s: float = WAIT_S) -> None:
        self._roads = roads
        self._wait_s = wait_s
        self._asked: set[asyncio.Task[RoadPath]] = set()
        self._away_until_s = 0.0

    async def route(self, places: Floats) -> RoadPath:
        """Find the way through places in time; see `Roads`."""
        if time.monotonic() < self._away_until_s:
            raise RoadsAway("the roads did not answer a moment ago")
        if len(self._asked) >= AT_ONCE:
            raise RoadsAway("too many ask for roads at once")
        task = asyncio.create_task(self._roads.route(places))
        self._asked.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=self._wait_s)
        if not done:
            self._away_until_s = time.monotonic() + _AGAIN_S
            raise RoadsAway(f"the roads did not answer within {self._wait_s:g} s")
        return task.result()

    async def table(self, places: Floats) -> tuple[Floats, Floats] | None:
        """Tell how far places are from each other; see `Roads`. Nobody waits for that."""
        return await self._roads.table(places)

    async def match(self, trace: Trace) -> Matched:
        """Find the roads that a trace was driven on; see `Roads`. Nobody waits for that."""
        return await self._roads.match(trace)

    def _forget(self, task: asyncio.Task[RoadPath]) -> None:
        self._asked.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("no way: %s", error)  # whoever waits hears it from the task
