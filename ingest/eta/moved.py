"""Whose ETAs are news: all vans of a take at once, beside what others were told. Columns of stops, van by van."""

from collections.abc import Sequence

import numpy as np

from geo.eta.estimate import Eta
from geo.eta.score import BUCKETS_MIN, bucket_of
from geo.pings import Bools, Ints, Rows
from geo.plan.plans import FOREVER_MS
from ingest.config import IngestConfig
from ingest.drivers.shown import Shown
from ingest.eta.vans import Vans
from sql.eta.eta import EtaWrite


def begins_of(found: Eta, vans: int) -> Ints:
    """Tell where each van's stops begin in what was estimated of all, and where the last one's end: (vans + 1,)."""
    return np.searchsorted(found.track, np.arange(vans + 1))


def rows_of(begin: Ints, vans: Ints) -> tuple[Ints, Ints]:
    """List the stops of some vans.

    Args:
        begin: as `begins_of` gives it.
        vans: (n,) which.

    Returns:
        (k,) the row of each of their stops, and (n,) where each van's begin among these.
    """
    counts = begin[vans + 1] - begin[vans]
    first = np.cumsum(counts) - counts
    return np.repeat(begin[vans] - first, counts) + np.arange(counts.sum()), first


def may_be_told_of(vans: Vans, begin: Ints) -> Bools:
    """Tell who has stops ahead that may be told now: an ETA in the middle of a re-run waits for its end. (m,)"""
    shown_ms = np.array([FOREVER_MS if one.eta is None else one.eta.as_of_ms for one in vans.shown], np.int64)
    told: Bools = (np.diff(begin) > 0) & (vans.caught_up | (vans.tracks["recorded_ms"] >= shown_ms))
    return told


def room_ms(vans: Vans, found: Eta, begin: Ints, config: IngestConfig) -> tuple[Ints, Ints]:
    """Tell how much arrivals may still move until that is worth writing.

    Args:
        found: of the tracks of `vans`.
        begin: as `begins_of` gives it.

    Returns:
        (m,) ms, beside what is shown: below 0 where they moved by more, or nothing is shown of these stops; (m,) ms,
        beside themselves, once they are shown. Both are 0 of who has no stops ahead.
    """
    tracks, counts = vans.tracks, np.diff(begin)
    left_ms, whole_ms = np.zeros((2, len(vans)), np.int64)
    left_ms[counts > 0] = -1
    known = zip(vans.shown, tracks["route_id"].tolist(), tracks["route_version"].tolist(), counts.tolist(), strict=True)
    alike: list[int] = []
    before: list[EtaWrite] = []
    for i, (shown, route_id, version, count) in enumerate(known):
        eta = shown.eta
        if count and eta is not None and (eta.route_id, eta.version, len(eta.stop_ids)) == (route_id, version, count):
            alike.append(i)
            before.append(eta)
    lead_ms = found.expected_ms - np.repeat(tracks["recorded_ms"], counts)
    near = lead_ms <= config.eta_near_s * 1000
    worth_ms = np.where(near, round(config.eta_moved_near_s * 1000), round(config.eta_moved_far_s * 1000))
    with_stops = np.flatnonzero(counts)
    if len(with_stops):
        whole_ms[with_stops] = np.minimum.reduceat(worth_ms, begin[with_stops])
    if alike:
        some = np.array(alike)
        rows, first = rows_of(begin, some)
        left_ms[some] = np.minimum.reduceat(worth_ms[rows] - _moved_ms(before, found, rows), first)
    return left_ms, whole_ms


def _moved_ms(before: Sequence[EtaWrite], found: Eta, rows: Ints) -> Ints:
    """Tell by how much stops are expected at other times than vans with as many stops were shown; for ever: others."""
    other = np.concatenate([eta.stop_ids for eta in before]) != found.stop_id[rows]
    moved_ms = np.where(other, FOREVER_MS, 0)
    for name in ("expected_ms", "low_ms", "high_ms"):
        was_ms: Ints = np.concatenate([getattr(eta, name) for eta in before])
        np.maximum(moved_ms, np.abs(was_ms - getattr(found, name)[rows]), out=moved_ms)
    return moved_ms


def in_other_buckets(shown: Sequence[Shown], tracks: Rows, some: Ints) -> tuple[list[int], Ints]:
    """Find those of some vans of whom a stop has come into another bucket of leads since it was remembered.

    Args:
        shown: (m) of all vans.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        some: (n,) with stops ahead, all of whom something is shown.

    Returns:
        They; and (n,) how long it is, by each van's own clock, until a stop comes into the next bucket, ms.
    """
    etas = [eta for i in some.tolist() if (eta := shown[i].eta) is not None]
    if not etas:
        return [], np.zeros(0, np.int64)
    counts = np.array([len(eta.stop_ids) for eta in etas])
    first = np.cumsum(counts) - counts
    lead_ms = np.concatenate([eta.expected_ms for eta in etas]) - np.repeat(tracks["recorded_ms"][some], counts)
    bucket = bucket_of(lead_ms / 1000)
    remembered = [theirs for i in some.tolist() if (theirs := shown[i].buckets) is not None]
    other: list[int] = some[np.logical_or.reduceat(bucket != np.concatenate(remembered), first)].tolist()
    until_ms = np.where(bucket > 0, lead_ms - 60_000 * np.array(BUCKETS_MIN)[bucket], FOREVER_MS)
    return other, np.minimum.reduceat(until_ms, first)
