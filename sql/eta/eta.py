"""ETAs of routes: as the tracker writes them, what it must know for that, and as they are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from geo.pings import Ints
from sql.account.settings import EtaRules, settings_of
from sql.arrays import array_text
from sql.feed.facts import Revision
from sql.pool import Db, Pool
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EtaWrite:
    """One route's arrivals, arrays in the order of the stops ahead; times in epoch milliseconds.

    Attributes:
        spread_s, paced_s, waits: of `geo.eta.estimate.Eta`, where paced_s is `delay_s`; kept with what was told, not
            with the ETA.
    """

    route_id: int
    version: int
    as_of_ms: int
    along_m: float | None
    stop_ids: Ints
    expected_ms: Ints
    low_ms: Ints
    high_ms: Ints
    remaining_m: NDArray[np.float64]
    spread_s: NDArray[np.float64]
    paced_s: NDArray[np.float64]
    waits: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteEta:
    """When a van is expected at the stops ahead of it; the lists have one length, in the order it comes to them.

    Attributes:
        status: of the route.
        route_version: the one in force.
        version: the one the lists rest on; None until a ping was on the route, and then the lists are empty.
        as_of: recorded_at of the ping they rest on; None as above.
        low, high: between them with a probability of 80 %.
        remaining_m: metres from the van to the stop, at as_of.
        from_m: where along the path it was then; None: off it, or not known.
        seen_at: recorded_at of the van's newest ping on the route; None while its driver is not on it, as what follows.
        on_route: whether it was on its path.
        along_m: where on it; None: not known.
        seen_version: whose path along_m is measured on.
        behind_ids: stops still open that the van has passed.
    """

    status: str
    route_version: int
    version: int | None
    as_of: datetime | None
    computed_at: datetime | None
    stop_ids: Sequence[int]
    expected: Sequence[datetime]
    low: Sequence[datetime]
    high: Sequence[datetime]
    remaining_m: Sequence[float]
    from_m: float | None
    seen_at: datetime | None
    on_route: bool | None
    along_m: float | None
    seen_version: int | None
    behind_ids: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaStop:
    """A stop that a van may still come to; `along_m` on the path of the version in force."""

    id: int
    external_id: str
    kind: str
    status: str
    along_m: float
    arrived_at: datetime | None
    departed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EtaAccount:
    """How much an account's ETAs have learned, and when somebody must hear of one."""

    eta_version: int
    rules: EtaRules


async def eta_of_route(
    db: Db | Pool, account_id: int, *, route_id: int | None = None, external_id: str | None = None
) -> RouteEta | None:
    """Read a route's ETAs; None when the account has no such route."""
    row = await db.fetchrow(_SQL["eta_of_route"], account_id, route_id, external_id)
    if row is None:
        return None
    lists = {name: row[name] or () for name in ("stop_ids", "expected", "low", "high", "remaining_m")}
    return RouteEta(**{**row, **lists})


async def eta_stops(db: Db | Pool, stop_ids: Iterable[int]) -> dict[int, EtaStop]:
    """Read what stops are called and whether they are done, by id."""
    return {row["id"]: EtaStop(**row) for row in await db.fetch(_SQL["eta_stops"], list(stop_ids))}


async def put_etas(db: Db, etas: Sequence[EtaWrite]) -> None:
    """Write the ETAs of routes, a row each; one that rests on an older version than the one there changes nothing.

    All have stops ahead: of nothing there is no ETA.
    Of two for one route, of the driver who lost it and the one who has it, the newer version counts.
    """
    newest = {eta.route_id: eta for eta in sorted(etas, key=lambda eta: (eta.version, eta.as_of_ms))}
    etas = sorted(newest.values(), key=lambda eta: eta.route_id)  # so that two trackers never wait for each other
    await db.execute(
        _SQL["put_etas"],
        *([getattr(one, name) for one in etas] for name in ("route_id", "version", "as_of_ms")),
        *(
            [array_text(getattr(one, name)) for one in etas]
            for name in ("stop_ids", "expected_ms", "low_ms", "high_ms", "remaining_m")
        ),
        [one.along_m for one in etas],
    )


async def forget_eta(db: Db, route_id: int) -> None:
    """Forget when the driver of a route was expected: it has another one now, or none."""
    await db.execute(_SQL["forget_eta"], route_id)


async def eta_accounts(db: Db | Pool, account_ids: Iterable[int]) -> dict[int, EtaAccount]:
    """Read what trackers must know of accounts that are known to exist, by id."""
    return {
        row["id"]: EtaAccount(eta_version=row["eta_version"], rules=settings_of(row["settings"]))
        for row in await db.fetch(_SQL["eta_accounts"], sorted(account_ids))
    }


async def told_facts(db: Db, route_ids: Iterable[int], driver_ids: Iterable[int]) -> list[Revision]:
    """Read what the feed says of the ETAs of routes, and of the last day's lateness of drivers: newest revisions."""
    names = [field.name for field in fields(Revision)]
    rows = await db.fetch(_SQL["told_facts"], sorted(route_ids), sorted(driver_ids))
    return [Revision(**{name: row[name] for name in names}) for row in rows]
