"""What a company reads of its recipients: every change with what was before, and ratings."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from msgspec import Struct

from api.http import ids
from api.http.app_keys import POOL
from api.http.auth import caller_of
from api.http.media import answer
from api.http.operation import Operations, Parameter, Who
from api.http.paging import PAGING, Id, cursor_in, cut, limit_in
from api.http.problem import NotFound
from api.http.refs import driver_named
from sql.portal.ratings import RatingRow, page_of_ratings
from sql.portal.stops import ChangeRow, changes_of_stop

operations = Operations("recipients")


class ChangeView(Struct, frozen=True, kw_only=True):
    """A change that a recipient made; `was` and `is_now` hold what is another one."""

    id: str
    change: str
    state: str
    was: dict[str, Any]
    is_now: dict[str, Any]
    made_at: datetime


class ChangeList(Struct, frozen=True, kw_only=True):
    """Changes of a stop, the oldest first."""

    changes: list[ChangeView]


class RatingView(Struct, frozen=True, kw_only=True):
    """What a recipient thought of a delivery; `driver_id`: who had the route then."""

    id: str
    stop_id: str
    driver_id: str | None
    stars: int
    reasons: Sequence[str]
    text: str | None
    rated_at: datetime


class RatingPage(Struct, frozen=True, kw_only=True):
    """Ratings, the newest first."""

    ratings: list[RatingView]
    next: str | None


@operations.operation("GET", "/v1/stops/{stop}/changes", who=Who.VIEWER, answer=ChangeList)
async def get_changes(request: web.Request) -> web.Response:
    """Read what the recipient of a stop changed or proposed."""
    stop_id = ids.id_in_path(request, "stop", ids.STOP)
    rows = await changes_of_stop(request.app[POOL], account_id=caller_of(request).account_id, stop_id=stop_id)
    if rows is None:
        raise NotFound("There is no stop of this id.")
    shown = [change_view(row) for row in rows]
    return answer(request, ChangeList(changes=shown))


def change_view(row: ChangeRow) -> ChangeView:
    """Show a change to the company."""
    return ChangeView(
        id=ids.shown(ids.CHANGE, row.id),
        change=row.kind,
        state=row.state,
        was=row.was,
        is_now=row.is_now,
        made_at=row.made_at,
    )


@operations.operation(
    "GET",
    "/v1/ratings",
    who=Who.VIEWER,
    answer=RatingPage,
    query=(*PAGING, Parameter(name="driver", description="Of one driver, by either id.")),
)
async def list_ratings(request: web.Request) -> web.Response:
    """List ratings, the newest first. None can be deleted."""
    pool, account_id, limit = request.app[POOL], caller_of(request).account_id, limit_in(request)
    before = cursor_in(request, tuple[Id])
    named = request.query.get("driver")
    driver = await driver_named(pool, account_id, named)
    if named and driver is None:
        raise NotFound("There is no driver of this id.")
    rows = await page_of_ratings(
        pool,
        account_id=account_id,
        driver_id=driver.id if driver else None,
        before=before[0] if before else None,
        limit=limit + 1,
    )
    page, following = cut(rows, limit, lambda row: (row.id,))
    return answer(request, RatingPage(ratings=[_shown(row) for row in page], next=following))


def _shown(row: RatingRow) -> RatingView:
    return RatingView(
        id=ids.shown(ids.RATING, row.id),
        stop_id=ids.shown(ids.STOP, row.stop_id),
        driver_id=ids.shown_or_none(ids.DRIVER, row.driver_id),
        stars=row.stars,
        reasons=row.reasons,
        text=row.words,
        rated_at=row.rated_at,
    )
