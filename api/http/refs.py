"""Things by either of their ids: the server's `rt_7`, or the planner's own external id."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from aiohttp import web

from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.ids import DRIVER, ROUTE, external_id_error, number_of
from api.http.problem import NotFound
from sql.account.drivers import DriverRow, find_driver
from sql.pool import Pool

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """One of the two is set."""

    id: int | None = None
    external_id: str | None = None


def ref_of(prefix: str, text: str) -> Ref | None:
    """Read a reference; None when the text can be neither id."""
    number = number_of(prefix, text)
    if number is not None:
        return Ref(id=number)
    return None if external_id_error("", text) else Ref(external_id=text)


def ref_in_path(request: web.Request, name: str, prefix: str) -> Ref:
    """Read the reference in a path.

    Raises:
        NotFound: it can be neither id, so there is no such thing.
    """
    ref = ref_of(prefix, request.match_info[name])
    if ref is None:
        raise NotFound(f"There is no {name} of this id.")
    return ref


async def driver_named(pool: Pool, account_id: int, text: str | None) -> DriverRow | None:
    """Find the driver that a body or a query names by either id; None when it names none, or one that there is not."""
    ref = ref_of(DRIVER, text) if text else None
    if ref is None:
        return None
    return await find_driver(pool, account_id=account_id, driver_id=ref.id, external_id=ref.external_id)


async def driver_in_path(request: web.Request) -> DriverRow:
    """Find the driver in a path.

    Raises:
        NotFound: the caller's account has none such.
    """
    ref = ref_in_path(request, "driver", DRIVER)
    driver = await find_driver(
        request.app[POOL], account_id=caller_of(request).account_id, driver_id=ref.id, external_id=ref.external_id
    )
    if driver is None:
        raise NotFound("There is no driver of this id.")
    return driver


class OfRoute(Protocol[T_co]):
    """Reads something of a route by either of its ids; None when the account has no such route."""

    def __call__(
        self, db: Pool, account_id: int, /, *, route_id: int | None, external_id: str | None
    ) -> Awaitable[T_co | None]: ...


async def of_route_in_path(request: web.Request, read: OfRoute[T_co]) -> T_co:
    """Read something of the route in the path.

    Raises:
        NotFound: the caller's account has none such.
    """
    ref = ref_in_path(request, "route", ROUTE)
    found = await read(request.app[POOL], caller_of(request).account_id, route_id=ref.id, external_id=ref.external_id)
    if found is None:
        raise NotFound("There is no route of this id.")
    return found
