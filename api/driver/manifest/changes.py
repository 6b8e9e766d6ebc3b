"""What a phone is told of a manifest: everything, or what changed since the version it has."""

from typing import cast

import msgspec

from api.driver.manifest.version import Current
from api.driver.manifest.view import Manifest, ManifestRoute, ManifestStop, Why
from api.http import ids


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


def changes(current: Current, since: int, *, with_path: bool) -> Manifest:
    """Show what changed since a version, not older than the oldest one known; the paths are not at hand.

    Args:
        with_path: a route whose path changed has changed.
    """
    parts = current.parts.values()
    changed = {(part.kind, part.id) for part in parts if part.removed_in is None and part.changed_in > since}
    if with_path:
        changed |= {("route", of) for kind, of in changed if kind == "path"}
    moved = {(part.kind, part.id) for part in parts if part.removed_in is None and part.placed_in > since} - changed
    shown = [piece.shown for piece in current.pieces if piece.key in changed]
    new = {ids.shown(ids.STOP, part.id) for part in parts if part.kind == "stop" and part.added_in > since}
    stops = [stop for stop in shown if isinstance(stop, ManifestStop)]
    todo = [stop for stop in stops if stop.why is None]
    gone = [part for part in parts if part.removed_in is not None and part.removed_in > since >= part.added_in]
    gone_stops = [part for part in gone if part.kind == "stop"]
    gone_routes = {ids.shown(ids.ROUTE, part.id): cast(Why, part.why) for part in gone if part.kind == "route"}
    taken_off = [stop.id for stop in stops if stop.why is not None]
    taken_off += [ids.shown(ids.STOP, part.id) for part in gone_stops if part.why == "taken_off"]
    went_along = [ids.shown(ids.STOP, part.id) for part in gone_stops if part.why != "taken_off"]
    return Manifest(
        version=current.version,
        full=False,
        since=since,
        routes=[route for route in shown if isinstance(route, ManifestRoute)],
        added=[stop for stop in todo if stop.id in new],
        changed=[stop for stop in todo if stop.id not in new],
        along_m={
            ids.shown(ids.STOP, piece.id): piece.along_m
            for piece in current.pieces
            if piece.key in moved and piece.along_m is not None
        },
        removed=[*taken_off, *went_along],
        removed_routes=list(gone_routes),
        why={**gone_routes, **dict.fromkeys(taken_off, "taken_off")},
    )
