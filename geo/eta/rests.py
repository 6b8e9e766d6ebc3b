"""What of a track an estimate rests on, but for when and where the van was seen last."""

import numpy as np

from geo.fold.state import TRACK
from geo.pings import Ints, Rows
from geo.visits.standing import STANDING

_FIELDS = ("route_id", "route_version", "on_route", "next_stop_id", "finished", "pace", "visits")
_STANDING = ("open", "arrived_ms", "last")


def _spans() -> list[tuple[int, int]]:
    """Find the bytes of a record; those that lie side by side are one."""
    assert TRACK.fields is not None
    assert STANDING.fields is not None
    at = TRACK.fields["standing"][1]
    fields = [TRACK.fields[name] for name in _FIELDS]
    fields += [(STANDING.fields[name][0], at + STANDING.fields[name][1]) for name in _STANDING]
    spans: list[tuple[int, int]] = []
    for first, end in sorted((field[1], field[1] + field[0].itemsize) for field in fields):
        spans = [*spans[:-1], (spans[-1][0], end)] if spans and spans[-1][1] == first else [*spans, (first, end)]
    return spans


_SPANS = _spans()
_WORDS = -(-sum(end - first for first, end in _SPANS) // 8)
_TIMES = np.random.default_rng(8).integers(0, 2**63, _WORDS, np.uint64) * np.uint64(2) + np.uint64(1)


def rests_on(tracks: Rows) -> Ints:
    """Give a number for what the estimate of each van rests on, (m,): a visit, a word, a start, another route or
    leaving it make it another one.

    While it is the same the same stops lie ahead, and those served between them are the same. It adds up words times
    odd numbers: another word always makes another number, several but for a chance of one in 2^64.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
    """
    records = tracks.view(np.uint8).reshape(len(tracks), tracks.itemsize)
    found = np.zeros((len(tracks), 8 * _WORDS), np.uint8)
    at = 0
    for first, end in _SPANS:
        found[:, at : at + end - first] = records[:, first:end]
        at += end - first
    sums: Ints = (found.view(np.uint64) @ _TIMES).view(np.int64)
    return sums
