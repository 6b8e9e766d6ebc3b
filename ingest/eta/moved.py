"""Whose ETAs are news: all vans of a take at once, beside what others were told. Columns of stops, van by van."""

from collections.abc import Sequence

import numpy as np

from geo.eta.estimate import Eta
from geo.eta.score import bucket_of
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


def are_news(vans: Vans, found: Eta, begin: Ints, config: IngestConfig) -> Bools:
    """Tell of whom nothing is shown yet, or another ETA by more than is worth writing, or something happened. (m,)

    Args:
        found: of the tracks of `vans`.
        begin: as `begins_of` gives it.
    """
    news = vans.seen.copy()
    tracks, counts = vans.tracks, np.diff(begin)
    known = zip(vans.shown, tracks["route_id"].tolist(), tracks["route_version"].tolist(), counts.tolist(), strict=True)
    alike: list[int] = []
    before: list[EtaWrite] = []
    for i, (shown, route_id, version, count) in enumerate(known):
        eta = shown.eta
        if eta is None or eta.route_id != route_id or eta.version != version or len(eta.stop_ids) != count:
            news[i] = True
        elif count:
            alike.append(i)
            before.append(eta)
    if alike:
        news[alike] |= _moved(before, found, begin, np.array(alike), tracks["recorded_ms"][alike], config)
    return news


def _moved(
    before: Sequence[EtaWrite], found: Eta, begin: Ints, vans: Ints, as_of_ms: Ints, config: IngestConfig
) -> Bools:
    """Tell whose stops are others now, or are expected at other times, of vans that have as many as were shown."""
    rows, first = rows_of(begin, vans)
    moved: Bools = np.concatenate([eta.stop_ids for eta in before]) != found.stop_id[rows]
    lead_ms = found.expected_ms[rows] - np.repeat(as_of_ms, begin[vans + 1] - begin[vans])
    near = lead_ms <= config.eta_near_s * 1000
    worth_ms = np.where(near, config.eta_moved_near_s, config.eta_moved_far_s) * 1000
    for name in ("expected_ms", "low_ms", "high_ms"):
        was_ms: Ints = np.concatenate([getattr(eta, name) for eta in before])
        moved |= np.abs(was_ms - getattr(found, name)[rows]) > worth_ms
    return np.logical_or.reduceat(moved, first)


def in_other_buckets(shown: Sequence[Shown], tracks: Rows, some: Ints) -> list[int]:
    """Find those of some vans of whom a stop has come into another bucket of leads since it was remembered.

    Args:
        shown: (m) of all vans.
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        some: (n,) with stops ahead, all of whom something is shown.
    """
    theirs = [shown[i] for i in some.tolist()]
    expected_ms = [one.eta.expected_ms for one in theirs if one.eta is not None]
    if not expected_ms:
        return []
    counts = np.array([len(stops) for stops in expected_ms])
    lead_ms = np.concatenate(expected_ms) - np.repeat(tracks["recorded_ms"][some], counts)
    other = bucket_of(lead_ms / 1000) != np.concatenate([one.buckets for one in theirs if one.buckets is not None])
    found: list[int] = some[np.logical_or.reduceat(other, np.cumsum(counts) - counts)].tolist()
    return found
