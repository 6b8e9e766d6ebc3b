"""How a ping is kept: a row of `packed_ping`, 56 bytes of columns where it lies on a route, and no more without text.

A phone's numbers are kept as coarse as they are measured, and are made so before the fold sees them (`round_as_kept`):
what is remembered of a ping and what is read of it again are equal. `ping`, the view of sql/schema/04_pings.sql, has
everything in the units of `geo.pings`.
"""

from typing import Any

import numpy as np

from geo.pings import Bools, Ints, Pings, Rows
from sql import copy
from sql.copy import Column

JUDGED_BIT, BELIEVED_BIT, ON_ROUTE_BIT = 1 << 16, 1 << 17, 1 << 18
"""Of `bits`; below are the flags of `geo.trust.clean.Flag`, above what the phone says, 0 where it says nothing:
charging and mock 1 no, 2 yes; battery 1 for an empty one to 101 for a full one."""

_CHARGING, _MOCK, _BATTERY = 19, 21, 23

_MOST = float(np.iinfo(np.int16).max)

COLUMNS = (
    "recorded_at", "device_id", "lat_e6", "lon_e6", "received_after_ms", "bits", "accuracy_dm", "speed_cmps",
    "heading_ddeg", "altitude_m", "activity", "client_id",
)  # fmt: skip
"""The columns of what phones send."""

JUDGED_COLUMNS = (
    "route_id", "route_version", "along_m", "snapped_lat_e6", "snapped_lon_e6", "offset_dm",
)  # fmt: skip
"""Those of what the fold judges, beside `bits`."""


def round_as_kept(rows: Rows) -> None:
    """Round what phones measure to what is kept of it, in place; rows of dtype `PING`. Twice is as once.

    Accuracy to 0.1 m, from 0.1 to 3276.7; speed to 0.01 m/s, up to 327.67; heading to 0.1 degrees; battery to 1 %. The
    time of receipt is exact within 4.6 hours of recording, up to a quarter of a second later after a month; never
    earlier, or a ping would be kept that came after its account ceased to.
    """
    exact_ms = rows["received_ms"] - rows["recorded_ms"]
    after_ms = exact_ms.astype(np.float32)
    after_ms = np.where(after_ms < exact_ms, np.nextafter(after_ms, np.float32(np.inf)), after_ms)
    rows["received_ms"] = rows["recorded_ms"] + after_ms.astype(np.int64)
    rows["accuracy_m"] = np.rint(np.clip(rows["accuracy_m"] * 10.0, 1, _MOST)) / 10
    rows["speed_mps"] = np.rint(np.clip(rows["speed_mps"] * 100.0, 0, _MOST)) / 100
    rows["heading_deg"] = np.rint(rows["heading_deg"] * 10.0) % 3600 / 10
    rows["battery"] = np.rint(np.clip(rows["battery"] * 100.0, 0, 100)) / 100


def bits_of(rows: Rows, flags: Ints) -> Ints:
    """Join flags with what phones say beside numbers, not judged: (n,) `bits`."""
    said = [
        (rows["charging"].astype(np.int64) + 1) << _CHARGING,
        (rows["mock"].astype(np.int64) + 1) << _MOCK,
        np.nan_to_num(np.rint(rows["battery"] * 100.0) + 1).astype(np.int64) << _BATTERY,
    ]
    bits: Ints = flags.astype(np.int64) | said[0] | said[1] | said[2]
    return bits


def judged_bits_of(judged: Rows) -> Ints:
    """Give the part of `bits` that the fold judges: (n,), of rows of dtype `JUDGED`."""
    believed = np.where(judged["believed"], BELIEVED_BIT, 0)
    on_route = np.where(judged["on_route"], ON_ROUTE_BIT, 0)
    bits: Ints = judged["flags"].astype(np.int64) | JUDGED_BIT | believed | on_route
    return bits


def sent_columns(pings: Pings, bits: Ints) -> list[Column]:
    """Lay out `COLUMNS` for a COPY."""
    rows = pings.rows
    return [
        copy.timestamp(rows["recorded_ms"]),
        *(copy.whole(rows[name], 4) for name in ("device_id", "lat_e6", "lon_e6")),
        copy.real((rows["received_ms"] - rows["recorded_ms"]).astype(np.float32), 4),
        copy.whole(bits, 4),
        *(copy.whole(values, 2, unknown) for values, unknown in _smalls(rows)),
        copy.real(rows["altitude_m"], 4),
        *(copy.text(pings.texts[:, column].tolist()) for column in (0, 1)),
    ]


def sent_lists(pings: Pings, bits: Ints) -> list[list[Any]]:
    """Give columns for a query: device, recorded ms and then as `COLUMNS`, None for unknown."""
    rows = pings.rows
    return [
        *(rows[name].tolist() for name in ("device_id", "recorded_ms", "lat_e6", "lon_e6")),
        (rows["received_ms"] - rows["recorded_ms"]).tolist(),
        bits.tolist(),
        *(with_none(values, unknown) for values, unknown in _smalls(rows)),
        with_none(rows["altitude_m"], np.isnan(rows["altitude_m"])),
        *(pings.texts[:, column].tolist() for column in (0, 1)),
    ]


def judged_columns(judged: Rows) -> list[Column]:
    """Lay out `JUDGED_COLUMNS` for a COPY."""
    no_route, no_snap = judged["route_id"] == 0, np.isnan(judged["along_m"])
    return [
        *(copy.whole(judged[name], 4, no_route) for name in ("route_id", "route_version")),
        copy.real(judged["along_m"], 4),
        *(copy.whole(judged[name], 4, no_snap) for name in ("snapped_lat_e6", "snapped_lon_e6")),
        copy.whole(_scaled(judged["offset_m"], 10), 2, np.isnan(judged["offset_m"])),
    ]


def judged_lists(judged: Rows) -> list[list[Any]]:
    """Give `JUDGED_COLUMNS` for a query, None where there is none."""
    no_route, no_snap = judged["route_id"] == 0, np.isnan(judged["along_m"])
    return [
        *(with_none(judged[name], no_route) for name in ("route_id", "route_version")),
        *(with_none(judged[name], no_snap) for name in ("along_m", "snapped_lat_e6", "snapped_lon_e6")),
        with_none(_scaled(judged["offset_m"], 10), np.isnan(judged["offset_m"])),
    ]


def with_none(values: np.ndarray[Any, Any], none: Bools) -> list[Any]:
    """Give a column as a list with None where it says so."""
    return [None if gone else one for one, gone in zip(values.tolist(), none.tolist(), strict=True)]


def _smalls(rows: Rows) -> list[tuple[Ints, Bools]]:
    scales = (("accuracy_m", 10), ("speed_mps", 100), ("heading_deg", 10))
    return [(_scaled(rows[name], scale), np.isnan(rows[name])) for name, scale in scales]


def _scaled(values: np.ndarray[Any, Any], scale: int) -> Ints:
    whole: Ints = np.rint(np.where(np.isnan(values), 0.0, values) * float(scale)).astype(np.int64)
    return whole
