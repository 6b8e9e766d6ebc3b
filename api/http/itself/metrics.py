"""Numbers for Prometheus: HTTP's and the database's. Those of the doors and the tracker are kept by `ingest`."""

import asyncio
import time
from datetime import datetime
from functools import lru_cache

from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, Histogram, generate_latest

from api.http.app_keys import POOL, now_of
from api.http.operation import Operations, Who
from sql.operate.health import ANSWERS_WITHIN_S, Backlog, read_backlog
from sql.pool import DATABASE_AWAY

operations = Operations("system")

HTTP_SECONDS = Histogram(
    "reparto_http_seconds",
    "Time to answer, by operation and class of status; streams are not timed.",
    ("operation", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
DATABASE_UP = Gauge("reparto_database_up", "1 when the database answered just now, else 0.")
INBOX_PINGS = Gauge("reparto_inbox_pings", "Pings acknowledged and not yet taken by a tracker.")
INBOX_OLDEST = Gauge("reparto_inbox_oldest_seconds", "Age of the oldest ping in the inbox, 0 when it is empty.")
TRACKER_LAG = Gauge(
    "reparto_tracker_lag_seconds",
    "Longest stretch of recorded time of one driver that waits to be folded, at most a day.",
)
UNSETTLED = Gauge("reparto_tracks_unsettled", "Drivers of whom stored pings wait to be folded.")


@operations.operation("GET", "/metrics", who=Who.ANYONE, media=("text/plain",))
async def get_metrics(request: web.Request) -> web.Response:
    """Read this process's metrics, in Prometheus's text format.

    Those of the database's queues are the same from every process.
    """
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            _show(await read_backlog(request.app[POOL]), now_of(request))
        DATABASE_UP.set(1)
    except DATABASE_AWAY:
        DATABASE_UP.set(0)  # the other numbers are as they were
    return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


@web.middleware
async def timing(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Time every answer. The outermost middleware, so that it sees the status that the client sees."""
    began_s = time.perf_counter()
    response = await handler(request)
    if isinstance(response, web.Response):
        resource = request.match_info.route.resource
        who = ("", "") if resource is None else (request.method, resource.canonical)
        seconds_of(*who, response.status // 100).observe(time.perf_counter() - began_s)
    return response


@lru_cache(maxsize=1_024)
def seconds_of(method: str, path: str, status_class: int) -> Histogram:
    """Find where the times of an operation are counted; both empty: of none."""
    return HTTP_SECONDS.labels(f"{method} {path}" if path else "unknown", f"{status_class}xx")


def _show(backlog: Backlog, now: datetime) -> None:
    INBOX_PINGS.set(backlog.pings)
    INBOX_OLDEST.set(0 if backlog.oldest is None else max(0.0, (now - backlog.oldest).total_seconds()))
    TRACKER_LAG.set(backlog.unfolded_s)
    UNSETTLED.set(backlog.unsettled_tracks)
