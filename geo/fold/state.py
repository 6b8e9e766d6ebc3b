"""What is kept of a driver between two inputs: the record `TRACK`, and how it is stored."""

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geo.fold.numbers import MAX_FINISHED, MAX_PARKED
from geo.pings import UNKNOWN_MS, Rows
from geo.plan import fence
from geo.plan.facts import HAPPENED
from geo.plan.numbers import MAX_STOPS
from geo.snap import snap
from geo.trust import clean
from geo.visits import pace, standing

STATE_VERSION = 14
"""Raised when `TRACK` or `HAPPENED` changes: a stored state of another version is not read, its driver is folded from
the start."""

AFTER_PINGS = {
    "at_lat_e6": np.iinfo(np.int32).max,
    "at_lon_e6": np.iinfo(np.int32).max,
    "at_device_id": np.iinfo(np.int64).max,
}
"""The place of a claim in the order of inputs: after every ping of its millisecond."""

PARKED = np.dtype(
    [
        ("route_id", "<i8"),  # 0: none
        ("route_version", "<i4"),
        ("started", "u1"),  # these as in TRACK
        ("completed", "u1"),
        ("worded", "?"),
        ("last", "<i2"),  # as in geo.visits.standing.STANDING
        ("visits", "u1", (MAX_STOPS,)),
    ]
)

TRACK = np.dtype(
    [
        ("driver_id", "<i8"),
        # the last input folded, judged believable or not: (at_ms, at_lat_e6, at_lon_e6, at_device_id)
        ("at_ms", "<i8"),  # UNKNOWN_MS: nothing folded yet
        ("at_lat_e6", "<i4"),
        ("at_lon_e6", "<i4"),
        ("at_device_id", "<i8"),
        # the newest believed ping: what the live row shows
        ("device_id", "<i8"),
        ("recorded_ms", "<i8"),  # UNKNOWN_MS: none yet
        ("received_ms", "<i8"),  # carried for showing; no judgement looks at it
        ("lat_e6", "<i4"),
        ("lon_e6", "<i4"),
        ("accuracy_m", "<f4"),
        ("speed_mps", "<f4"),
        ("heading_deg", "<f4"),
        ("battery", "<f4"),
        # the tour
        ("route_id", "<i8"),  # 0: on no route
        ("route_version", "<i4"),
        ("on_route", "?"),
        ("along_m", "<f8"),  # the last place on the path, kept while off the route; NaN: none yet
        ("along_sd_m", "<f4"),  # how sure along_m is; NaN: not snapped
        ("on_route_p", "<f4"),  # probability of being on the route; NaN: on no route
        ("offset_m", "<f4"),  # NaN: not snapped
        ("snapped_lat_e6", "<i4"),  # of along_m
        ("snapped_lon_e6", "<i4"),
        ("next_stop_id", "<i8"),  # 0: none left
        ("delay_s", "<f4"),  # behind the plan, negative ahead; NaN: the plan has no times
        ("started", "u1"),  # 0 not yet, 1 as the fixes say, 2 as the driver says
        ("completed", "u1"),  # how often: a tour that gets another stop is driven on
        ("worded", "?"),  # somebody said what became of one of its stops, or took it up again: see geo.visits.tour
        ("off_untold", "?"),  # the van has left the path when nothing lay ahead of it any more: nobody was told
        ("chosen", "<i8"),  # the route that the driver said they drive; 0: none
        ("finished", "<i8", (MAX_FINISHED,)),  # routes that are over, newest first; 0: none
        ("finished_version", "<i4", (MAX_FINISHED,)),  # which version of each
        ("finished_how", "u1", (MAX_FINISHED,)),  # geo.fold.parking.Over
        # what each step of the fold remembers
        ("clean", clean.CLEAN),
        ("snap", snap.SNAP),
        ("standing", standing.STANDING),
        ("pace", pace.PACE),
        ("visits", "u1", (MAX_STOPS,)),  # of each stop of the plan in force, in the plan's order: see geo.visits.tour
        ("fences", fence.FENCES),
        ("parked", PARKED, (MAX_PARKED,)),  # last, because hardly anybody has one
    ]
)

_PARKED_AT = TRACK.fields["parked"][1] if TRACK.fields else 0

_TOUR = (
    "route_id", "route_version", "on_route", "snapped_lat_e6", "snapped_lon_e6", "next_stop_id", "started", "completed",
    "worded", "off_untold", "visits",
)  # fmt: skip


def fresh(driver_ids: NDArray[np.int64]) -> Rows:
    """Make the tracks of drivers of whom nothing is known."""
    tracks = np.zeros(len(driver_ids), TRACK)
    tracks["driver_id"] = driver_ids
    for name in ("at_ms", "recorded_ms", "received_ms"):
        tracks[name] = UNKNOWN_MS
    for name in ("accuracy_m", "speed_mps", "heading_deg", "battery"):
        tracks[name] = np.nan
    tracks["clean"] = clean.fresh(len(driver_ids))
    tracks["fences"] = np.zeros((), fence.FENCE_VISIT)
    leave_tour(tracks)
    return tracks


def leave_tour(tracks: Rows) -> None:
    """Forget plan, place and stops; finished and parked routes stay known."""
    for name in _TOUR:
        tracks[name] = 0
    for name in ("along_m", "along_sd_m", "on_route_p", "offset_m", "delay_s"):
        tracks[name] = np.nan
    tracks["snap"], tracks["standing"] = snap.fresh(len(tracks)), standing.fresh(len(tracks))
    tracks["pace"] = pace.fresh(len(tracks))


def records_of(tracks: Rows) -> list[bytes]:
    """Give each track as its record without the trailing zero bytes, as many are kept in memory."""
    size, whole = TRACK.itemsize, tracks.tobytes()
    return [_without_zeros(whole[at : at + size]) for at in range(0, len(whole), size)]


_ZEROS = tuple(bytes(n) for n in (1024, 256, 64, 16))


def _without_zeros(record: bytes) -> bytes:
    """Strip the zero bytes at the end, many at a time: `rstrip` looks at one after the other."""
    end = len(record)
    for zeros in _ZEROS:
        while record.endswith(zeros, 0, end):
            end -= len(zeros)
    return record[:end].rstrip(b"\0")


def of_records(records: Sequence[bytes]) -> Rows:
    """Make tracks of their records, which may be written to."""
    if not records:
        return np.zeros(0, TRACK)
    return np.frombuffer(bytearray(b"".join([record.ljust(TRACK.itemsize, b"\0") for record in records])), TRACK)


def encode(track: np.void) -> bytes:
    """Pack one track for storing, as `stored` does."""
    return stored(_without_zeros(track.tobytes()))


def stored(record: bytes) -> bytes:
    """Pack a record of `records_of` for storing, behind its version and a byte that says whether it is compressed.

    With parked tours in it, it is mostly zeros and compressed.
    """
    if len(record) > _PARKED_AT:
        return bytes((STATE_VERSION, 1)) + zlib.compress(record, 1)
    return bytes((STATE_VERSION, 0)) + record


def decode(state: bytes) -> np.void | None:
    """Unpack `encode`; None when the state is of another version."""
    if len(state) < 2 or state[0] != STATE_VERSION:
        return None
    record = zlib.decompress(state[2:]) if state[1] else state[2:]
    if len(record) > TRACK.itemsize:
        return None
    return of_records([record])[0]  # type: ignore[no-any-return]


def encode_happened(happened: Rows) -> bytes:
    """Pack facts (of dtype `HAPPENED`) for storing beside the track they came of."""
    return bytes((STATE_VERSION,)) + happened.tobytes() if len(happened) else b""


def decode_happened(packed: bytes) -> Rows:
    """Unpack `encode_happened`; nothing when it is of another version: then the track is, too, and folded anew."""
    known = packed[1:] if packed[:1] == bytes((STATE_VERSION,)) else b""
    return np.frombuffer(known, HAPPENED).copy()
