"""Manifests: which routes a driver's phone is shown, and which version of that it was given."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field, fields
from datetime import date, datetime, timedelta
from typing import Any

from geo.plan.numbers import EARLY_MS, LATE_MS
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)

BEGUN_FOR = timedelta(hours=24)
"""A route that the driver began so long ago is another day's, whatever its hours."""

MOST_OVER = 4
"""So many tours of a shift that are over are shown: whoever drives more has a dispatcher who looks after the rest."""

_HOURS = (timedelta(milliseconds=EARLY_MS), timedelta(milliseconds=LATE_MS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRoute:
    """A route that a driver is shown, but for its stops.

    Attributes:
        version: of its plan.
        is_due: the driver began it, or its time has come.
        is_over: it is done or closed, and stops of it are without an outcome.
        content: hash of every row about its stops; None when it has none.
        untold: ids of what recipients said of its stops that the driver's phone was not shown before.
    """

    id: int
    external_id: str
    version: int
    status: str
    date: date
    timezone: str
    start_at: datetime
    end_at: datetime
    started_at: datetime | None
    depot_name: str | None
    depot_lat: float | None
    depot_lon: float | None
    return_to_depot: bool
    length_m: float
    is_due: bool
    is_over: bool
    content: int | None
    untold: Sequence[int] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestLook:
    """All that a manifest follows from: two looks that are equal show the same content.

    Attributes:
        settings: of the account, as they are stored.
        version: of the manifest that was kept last; 0: none yet.
        oldest: changes are known since this version.
        current: the route the driver is on; None: on none.
        next: the one that follows, today or another day; None: none is planned.
        over: those of this shift that are over with stops of which nobody said what became of them.
        begun_until: when what the driver began last stops to count; None: they began nothing.
    """

    settings: dict[str, Any]
    version: int
    oldest: int
    current: ShownRoute | None
    next: ShownRoute | None
    over: Sequence[ShownRoute] = ()
    begun_until: datetime | None = field(default=None, compare=False)

    @property
    def routes(self) -> list[ShownRoute]:
        """The routes that are shown, the current one first."""
        return [*(route for route in (self.current, self.next) if route is not None), *self.over]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestPart:
    """A piece of a manifest that changes as a whole: a route without its stops (`route`), its path, or a stop.

    Attributes:
        id: of the stop, else of the route.
        digest: of all that is shown of it.
        rank: of a stop of the tour, its place in the order; None of everything else.
        along_m: of a stop, metres along the path; None of everything else. In no digest.
        added_in, changed_in, placed_in: versions in which it came, and its digest and its place along the path changed.
        removed_in: version from which on it is not shown; None: it is.
        why: it was removed: `taken_off`, or of a whole route `cancelled`, `reassigned`, `finished` or `not_now`.
    """

    kind: str
    id: int
    route_id: int
    digest: bytes
    rank: int | None
    along_m: float | None
    added_in: int
    changed_in: int
    placed_in: int
    removed_in: int | None = None
    why: str | None = None


_ROUTE_COLUMNS = [one.name for one in fields(ShownRoute)]


async def look_at(db: Db | Pool, *, account_id: int, driver_id: int, now: datetime) -> ManifestLook:
    """Find what a driver is to be shown: one statement, so it is true of one moment."""
    rows = await db.fetch(_SQL["look_at"], account_id, driver_id, now, BEGUN_FOR, *_HOURS, MOST_OVER)
    found = [ShownRoute(**{name: row[name] for name in _ROUTE_COLUMNS}) for row in rows if row["id"] is not None]
    routes, over = [route for route in found if not route.is_over], [route for route in found if route.is_over]
    current = routes.pop(0) if routes and routes[0].is_due else None
    return ManifestLook(
        settings=rows[0]["settings"],
        version=rows[0]["manifest_version"],
        oldest=rows[0]["oldest"],
        current=current,
        next=routes[0] if routes else None,
        over=over,
        begun_until=rows[0]["begun_until"],
    )


async def note_told(db: Db | Pool, change_ids: Sequence[int]) -> None:
    """Keep that the driver's phone has what recipients said."""
    await db.execute(_SQL["note_told"], change_ids)


async def path_digest(db: Db, *, route_id: int, version: int) -> int:
    """Give a hash of the path of a version that is known to exist."""
    digest: int = await db.fetchval(_SQL["path_digest"], route_id, version)
    return digest


async def parts_of_manifest(db: Db, driver_id: int) -> list[ManifestPart]:
    """Read what a driver was shown last, and what was taken away since the oldest version."""
    return [ManifestPart(**row) for row in await db.fetch(_SQL["parts_of_manifest"], driver_id)]


async def raise_version(db: Db, *, driver_id: int, before: int, told_for_s: int) -> tuple[int, int]:
    """Take the next version; give it and the oldest one since which changes are told.

    Raises:
        asyncpg.SerializationError: somebody else took it first; read again.
    """
    row = await db.fetchrow(_SQL["raise_version"], driver_id, before, told_for_s)
    assert row is not None
    return row["version"], row["oldest"]


async def put_parts(db: Db, driver_id: int, parts: Iterable[ManifestPart]) -> None:
    """Keep parts that are new or changed; their `removed_in` and `why` do not count."""
    rows = [astuple(part)[:9] for part in parts]
    if rows:
        await db.execute(_SQL["put_parts"], driver_id, *zip(*rows, strict=True))


async def remove_parts(db: Db, driver_id: int, version: int, parts: Sequence[ManifestPart]) -> None:
    """Keep that parts are not shown any more, and `why`."""
    if parts:
        columns = zip(*((part.kind, part.id, part.why) for part in parts), strict=True)
        await db.execute(_SQL["remove_parts"], driver_id, version, *columns)


async def forget_parts(db: Db, driver_id: int, oldest: int) -> None:
    """Forget what was removed so long ago that nobody is told any more."""
    await db.execute(_SQL["forget_parts"], driver_id, oldest)


async def why_gone(db: Db, driver_id: int, route_ids: Sequence[int]) -> dict[int, str]:
    """Tell why a driver does not see routes any more."""
    return {row["id"]: row["why"] for row in await db.fetch(_SQL["why_gone"], driver_id, route_ids)}
