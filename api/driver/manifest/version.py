"""The versions of manifests: a number for each content, and what changed between two of them.

Nothing announces a change: content follows from routes, stops, parcels, settings and the hour, which trackers,
dispatchers and drivers write without knowing of manifests. Whoever asks compares what is there with the digests of what
was shown last, and takes the next version when it differs. Everything is read at one moment (REPEATABLE READ), and of
two who take a version at once the database lets one begin again: versions follow the order of contents, and nobody but
the polls of the same driver can ever wait for the rows that are held.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg

from api.driver.manifest.content import Piece, PieceKey, read_pieces
from api.http.problem import Unavailable
from sql.delivery import manifest
from sql.delivery.manifest import ManifestLook, ManifestPart, look_at
from sql.pool import Db, Pool

TOLD_FOR_S = 3 * 86_400
"""Changes are told since a version up to so old: a phone that was off for longer gets everything again."""

_TRIES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """A driver's manifest at one version.

    Attributes:
        look: what it follows from, with its version.
        pieces: all that it shows, in its order.
        parts: when each of them changed, and what was removed since the oldest version.
    """

    look: ManifestLook
    pieces: Sequence[Piece]
    parts: dict[PieceKey, ManifestPart]

    @property
    def version(self) -> int:
        """Its number."""
        return self.look.version


async def bring_up_to_date(pool: Pool, *, account_id: int, driver_id: int, now: datetime) -> Current:
    """Give a driver's manifest as it is, with its version, which is a new one when its content is.

    Raises:
        Unavailable: it changes faster than it can be read.
    """
    for _ in range(_TRIES):
        try:
            async with pool.acquire() as db, db.transaction(isolation="repeatable_read"):
                return await _at_this_moment(db, account_id=account_id, driver_id=driver_id, now=now)
        except asyncpg.SerializationError:
            continue  # somebody else took the next version first
    raise Unavailable("The manifest changes faster than it can be read. Please try again.")


async def _at_this_moment(db: Db, *, account_id: int, driver_id: int, now: datetime) -> Current:
    look = await look_at(db, account_id=account_id, driver_id=driver_id, now=now)
    known = {(part.kind, part.id): part for part in await manifest.parts_of_manifest(db, driver_id)}
    pieces = await read_pieces(db, look, known)
    shown = {piece.key for piece in pieces}
    new = [piece for piece in pieces if _is_new(piece, known.get(piece.key))]
    gone = [part for key, part in known.items() if part.removed_in is None and key not in shown]
    if not new and not gone:
        return Current(look=look, pieces=pieces, parts=known)
    version, oldest = await manifest.raise_version(db, driver_id=driver_id, before=look.version, told_for_s=TOLD_FOR_S)
    put = [_part(piece, known.get(piece.key), version) for piece in new]
    removed = await _removed(db, driver_id, gone, {route.id for route in look.routes}, version)
    await manifest.put_parts(db, driver_id, put)
    await manifest.remove_parts(db, driver_id, version, removed)
    await manifest.forget_parts(db, driver_id, oldest)
    parts = {**known, **{(part.kind, part.id): part for part in [*put, *removed]}}
    return Current(look=replace(look, version=version, oldest=oldest), pieces=pieces, parts=parts)


def _is_new(piece: Piece, part: ManifestPart | None) -> bool:
    return part is None or part.removed_in is not None or (part.digest, part.along_m) != (piece.digest, piece.along_m)


def _part(piece: Piece, before: ManifestPart | None, version: int) -> ManifestPart:
    """Remember a piece that a version brings."""
    stays = before if before is not None and before.removed_in is None else None
    return ManifestPart(
        kind=piece.kind,
        id=piece.id,
        route_id=piece.route_id,
        digest=piece.digest,
        rank=piece.rank,
        along_m=piece.along_m,
        added_in=stays.added_in if stays else version,
        changed_in=stays.changed_in if stays and stays.digest == piece.digest else version,
        placed_in=stays.placed_in if stays and stays.along_m == piece.along_m else version,
    )


async def _removed(
    db: Db, driver_id: int, gone: Sequence[ManifestPart], shown: set[int], version: int
) -> list[ManifestPart]:
    """Say why parts are not shown any more: their route is not, or their stop was taken off it."""
    routes = {part.route_id for part in gone} - shown
    why = await manifest.why_gone(db, driver_id, sorted(routes)) if routes else {}
    return [replace(part, removed_in=version, why=why.get(part.route_id, "taken_off")) for part in gone]
