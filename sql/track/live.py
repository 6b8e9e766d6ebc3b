"""Live positions: the newest believed ping of each driver, as trackers show it and as people read it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from geo.pings import UNKNOWN_MS, Bools, Ints, Rows
from sql.arrays import array_text
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

_SHOWN = (
    "driver_id", "recorded_ms", "received_ms", "lat_e6", "lon_e6", "accuracy_m", "speed_mps", "heading_deg", "battery",
    "route_id", "route_version", "on_route", "along_m", "offset_m", "snapped_lat_e6", "snapped_lon_e6", "next_stop_id",
    "delay_s",
)  # fmt: skip

LIVE_CHANNEL = "reparto_live"
"""Channel on which trackers tell who moved: `account:driver:route` triples, separated by spaces; route 0 is none.

Driver 0 tells of the route itself; driver and route 0 of the account's settings."""

ALARM_SHOWN = timedelta(hours=12)
"""An alarm is shown for so long, unless its driver ends the shift before: a working day."""

_NOTIFY_BYTES = 7_900
"""Postgres takes payloads below 8 000 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePosition:
    """Where a driver is.

    Attributes:
        recorded_at: by the phone's clock.
        lat_e6, lon_e6: the phone's own place, degrees times a million.
        on_route: None when the driver is on no route.
        along_m: metres along the route's path; None when not on it.
        delay_s: behind the plan, negative ahead; None where the plan has no times.
        received_at: when that ping came, by our clock.
        battery: 0 to 1, also as a later message without a place said it.
        heard_at: when anything of the driver came, by our clock; later than `received_at`: a message without a place.
        silent: on a route, but not heard of for too long.
        alarm, alarm_at: the last alarm within `ALARM_SHOWN`, a call for help before any other, as the phone called it,
            and when; None: none, or the driver has ended the shift since.
        break_since: when the driver said that a break begins, and nothing since that ends it; None: no break.
        at_stop_id: the stop of the route where the van is; None: at none. `at_break`: that is a planned break.
    """

    driver_id: int
    route_id: int | None
    recorded_at: datetime
    lat_e6: int
    lon_e6: int
    accuracy_m: float | None
    speed_mps: float | None
    heading_deg: float | None
    along_m: float | None
    on_route: bool | None
    next_stop_id: int | None
    delay_s: float | None
    received_at: datetime
    battery: float | None
    heard_at: datetime
    silent: bool
    alarm: str | None
    alarm_at: datetime | None
    break_since: datetime | None
    at_stop_id: int | None
    at_break: bool


async def live_of_account(db: Db | Pool, account_id: int) -> dict[int, LivePosition]:
    """Read where all of an account's drivers are, by driver."""
    rows = await db.fetch(_SQL["live_of_account"], account_id, ALARM_SHOWN)
    return {row["driver_id"]: LivePosition(**row) for row in rows}


async def live_of_drivers(db: Db | Pool, account_id: int, driver_ids: Collection[int]) -> dict[int, LivePosition]:
    """Read where some of an account's drivers are; those that were never seen, or are deleted, are left out."""
    rows = await db.fetch(_SQL["live_of_drivers"], account_id, list(driver_ids), ALARM_SHOWN)
    return {row["driver_id"]: LivePosition(**row) for row in rows}


async def move_live_positions(db: Db, lanes: Ints, accounts: Ints, tracks: Rows, caught_up: Bools, which: Ints) -> None:
    """Show drivers where their tracks say they are.

    Args:
        lanes, accounts, caught_up: (m,) of each track; `caught_up`: nothing of it waits to be folded.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        which: (k,) rows of those who are to be shown.
    """
    known = tracks["recorded_ms"][which] != UNKNOWN_MS
    seen, gone = which[known], which[~known & caught_up[which]]
    if len(gone):
        await db.execute(_SQL["remove_live_positions"], lanes[gone].tolist(), tracks["driver_id"][gone].tolist())
    if not len(seen):
        return
    shown = {name: tracks[name][seen] for name in _SHOWN}
    no_route, no_snap = shown["route_id"] == 0, np.isnan(shown["along_m"])
    columns = (
        *(array_text(column) for column in (lanes[seen], shown["driver_id"])),
        *(array_text(shown[name]) for name in ("recorded_ms", "received_ms", "lat_e6", "lon_e6")),
        *(array_text(shown[name]) for name in ("accuracy_m", "speed_mps", "heading_deg", "battery")),
        *(array_text(shown[name], no_route) for name in ("route_id", "route_version", "on_route")),
        *(array_text(shown[name]) for name in ("along_m", "offset_m")),
        *(array_text(shown[name], no_snap) for name in ("snapped_lat_e6", "snapped_lon_e6")),
        array_text(shown["next_stop_id"], shown["next_stop_id"] == 0),
        array_text(shown["delay_s"]),
    )
    moved = await db.execute(_SQL["move_live_positions"], *columns, array_text(caught_up[seen]))
    if moved != f"UPDATE {len(seen)}":  # mostly all are shown; to look for them costs as much as to move them
        await db.execute(_SQL["show_live_positions"], *columns, array_text(accounts[seen]))


async def tell_live(db: Db | Pool, moved: Sequence[tuple[int, int, int]]) -> None:
    """Tell every listener who moved or what changed: (account, driver or 0, route or 0). In a commit commits queue."""
    for payload in _payloads([f"{account}:{driver}:{route}" for account, driver, route in moved]):
        await db.execute(_SQL["tell_live"], LIVE_CHANNEL, payload)


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
