"""What a phone is told of a manifest: everything, or what changed since the version it has."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import cast

import msgspec

from api.driver.manifest.content import Piece, PieceKey
from api.driver.manifest.version import Current
from api.driver.manifest.view import Manifest, ManifestRoute, ManifestStop, Why
from api.http import ids
from sql.delivery.manifest import ManifestPart


def whole(current: Current) -> Manifest:
    """Show everything; the paths are not at hand."""
    shown = [piece.shown for piece in current.pieces]
    stops = [stop for stop in shown if isinstance(stop, ManifestStop)]
    return Manifest(
        version=current.version,
        full=True,
        routes=[
            msgspec.structs.replace(route, stops=[stop for stop in stops if stop.route_id == route.id])
            for route in shown
            if isinstance(route, ManifestRoute)
        ],
    )


class Fate(Enum):
    """What became of a part between two versions."""

    SAME = auto()
    NEW = auto()
    CHANGED = auto()
    MOVED = auto()  # another path moved its place along it, and nothing else
    GONE = auto()


def fate(part: ManifestPart, since: int) -> Fate:
    """Tell what became of a part since a version; one that came and went meanwhile was never seen."""
    if part.removed_in is not None:
        return Fate.GONE if part.removed_in > since >= part.added_in else Fate.SAME
    if part.added_in > since:
        return Fate.NEW
    if part.changed_in > since:
        return Fate.CHANGED
    return Fate.MOVED if part.placed_in > since else Fate.SAME


def changes(current: Current, since: int, *, with_path: bool) -> Manifest:
    """Show what changed since a version, not older than the oldest one known; the paths are not at hand.

    Args:
        with_path: a route whose path changed has changed.
    """
    fates = {key: fate(part, since) for key, part in current.parts.items()}
    fresh = _fresh(fates, with_path=with_path)
    shown = [piece for piece in current.pieces if piece.key in fresh]
    added, changed = (_todo(shown, fates, what) for what in (Fate.NEW, Fate.CHANGED))
    gone = [part for key, part in current.parts.items() if fates[key] is Fate.GONE]
    routes, taken_off, went_along = _gone(gone)
    taken_off = [*_taken_off(shown), *taken_off]
    return Manifest(
        version=current.version,
        full=False,
        since=since,
        routes=[piece.shown for piece in shown if isinstance(piece.shown, ManifestRoute)],
        added=added,
        changed=changed,
        along_m=_places(current.pieces, fates),
        removed=[*taken_off, *went_along],
        removed_routes=list(routes),
        why={**routes, **dict.fromkeys(taken_off, "taken_off")},
    )


def _fresh(fates: Mapping[PieceKey, Fate], *, with_path: bool) -> set[PieceKey]:
    """Find what is told whole."""
    fresh = {key for key, what in fates.items() if what in (Fate.NEW, Fate.CHANGED)}
    return fresh | {("route", of) for kind, of in fresh if kind == "path"} if with_path else fresh


def _todo(pieces: Iterable[Piece], fates: Mapping[PieceKey, Fate], what: Fate) -> list[ManifestStop]:
    """Give the stops to be done of one fate."""
    stops = (_stop(piece) for piece in pieces if fates[piece.key] is what)
    return [stop for stop in stops if stop is not None and stop.why is None]


def _stop(piece: Piece) -> ManifestStop | None:
    return piece.shown if isinstance(piece.shown, ManifestStop) else None


def _taken_off(pieces: Iterable[Piece]) -> list[str]:
    """Name the stops that are still shown, but not to be done."""
    return [stop.id for piece in pieces if (stop := _stop(piece)) is not None and stop.why is not None]


def _gone(parts: Sequence[ManifestPart]) -> tuple[dict[str, Why], list[str], list[str]]:
    """Name what is not shown any more: routes with the reason, stops taken off a route, stops gone with theirs."""
    routes = {ids.shown(ids.ROUTE, part.id): cast(Why, part.why) for part in parts if part.kind == "route"}
    stops = [(part.why, ids.shown(ids.STOP, part.id)) for part in parts if part.kind == "stop"]
    taken_off = [stop for why, stop in stops if why == "taken_off"]
    return routes, taken_off, [stop for why, stop in stops if why != "taken_off"]


def _places(pieces: Iterable[Piece], fates: Mapping[PieceKey, Fate]) -> dict[str, float]:
    """Give the new place along the path of stops that were only moved."""
    return {
        ids.shown(ids.STOP, piece.id): piece.along_m
        for piece in pieces
        if fates[piece.key] is Fate.MOVED and piece.along_m is not None
    }
