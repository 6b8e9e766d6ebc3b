"""What follows from facts and tracks, in the tables that others read: visits, stops, routes, live positions."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from geo.pings import UNKNOWN_MS, Bools, Ints, Rows
from sql.feed.facts import Revision
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

_NOTIFY_BYTES = 7_900
"""Postgres takes payloads below 8 000 bytes."""


async def remove_visits(db: Db, arrivals: Sequence[Revision]) -> None:
    """Forget visits whose arrival is retracted."""
    await db.execute(_SQL["remove_visits"], [one.lane for one in arrivals], [one.visit_id for one in arrivals])


async def put_arrivals(db: Db, arrivals: Sequence[tuple[Revision, UUID]]) -> None:
    """Write visits, or correct when they began; each arrival with the id of the departure that ends its visit."""
    names = ("lane", "visit_id", "driver_id", "account_id", "route_id", "route_version", "stop_id", "geofence_id")
    await db.execute(
        _SQL["put_arrivals"],
        *([getattr(one, name) for one, _ in arrivals] for name in names),
        [one.occurred_ms for one, _ in arrivals],
        [departure for _, departure in arrivals],
        [one.data.get("source", "auto") for one, _ in arrivals],
    )


async def put_departures(db: Db, departures: Sequence[Revision]) -> None:
    """Write or correct when visits ended; a retracted departure opens its visit again."""
    await db.execute(
        _SQL["put_departures"],
        [one.lane for one in departures],
        [one.visit_id for one in departures],
        [None if one.state == "retracted" else one.occurred_ms for one in departures],
    )


async def hold_stops(db: Db, stop_ids: Sequence[int]) -> None:
    """Be the only one who says what becomes of stops until the transaction ends. Comes after any lane."""
    await db.execute(_SQL["hold_stops"], stop_ids)


async def settle_stops(db: Db, stop_ids: Sequence[int]) -> None:
    """Make stops say what their drivers said and what their visits say."""
    await hold_stops(db, stop_ids)
    await db.execute(_SQL["settle_stops"], stop_ids)


async def settle_routes(db: Db, route_ids: Sequence[int]) -> None:
    """Make routes say when they began and ended.

    Also for who writes that a stop is opened again, or is not after all.
    """
    await db.execute(_SQL["hold_routes"], route_ids)
    await db.execute(_SQL["settle_routes"], route_ids)


async def move_live_positions(db: Db, lanes: Ints, accounts: Ints, tracks: Rows, settled: Bools) -> None:
    """Show drivers where their tracks say they are.

    Args:
        lanes, accounts, settled: (m,) of each track; `settled`: nothing of it waits to be folded.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
    """
    seen = tracks["recorded_ms"] != UNKNOWN_MS
    gone = settled & ~seen
    if gone.any():
        await db.execute(_SQL["remove_live_positions"], lanes[gone].tolist(), tracks["driver_id"][gone].tolist())
    if not seen.any():
        return
    shown = tracks[seen]
    no_route, no_snap = shown["route_id"] == 0, np.isnan(shown["along_m"])
    await db.execute(
        _SQL["move_live_positions"],
        lanes[seen].tolist(),
        shown["driver_id"].tolist(),
        accounts[seen].tolist(),
        *(shown[name].tolist() for name in ("recorded_ms", "received_ms", "lat_e6", "lon_e6")),
        *(_without(shown[name]) for name in ("accuracy_m", "speed_mps", "heading_deg", "battery")),
        *(_without(shown[name], no_route) for name in ("route_id", "route_version", "on_route")),
        *(_without(shown[name]) for name in ("along_m", "offset_m")),
        *(_without(shown[name], no_snap) for name in ("snapped_lat_e6", "snapped_lon_e6")),
        _without(shown["next_stop_id"], shown["next_stop_id"] == 0),
        _without(shown["delay_s"]),
        settled[seen].tolist(),
    )


async def tell_live(db: Db | Pool, moved: Sequence[tuple[int, int, int]]) -> None:
    """Tell every listener who moved or what changed: (account, driver or 0, route or 0). In a commit commits queue."""
    for payload in _payloads([f"{account}:{driver}:{route}" for account, driver, route in moved]):
        await db.execute(_SQL["tell_live"], payload)


def _payloads(words: Sequence[str]) -> Iterator[str]:
    line: list[str] = []
    size = 0
    for word in words:
        if size + len(word) + 1 > _NOTIFY_BYTES:
            yield " ".join(line)
            line, size = [], 0
        line.append(word)
        size += len(word) + 1
    if line:
        yield " ".join(line)


def _without(values: NDArray[Any], null: Bools | None = None) -> list[Any]:
    missing = np.isnan(values) if null is None else null
    return [None if gone else one for one, gone in zip(values.tolist(), missing.tolist(), strict=True)]
