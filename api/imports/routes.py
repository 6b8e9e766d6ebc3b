"""Rows become routes, by the same way as those of `PUT /v1/routes/{route}`; a tour with a bad row is none."""

from collections.abc import Iterable
from itertools import islice

from api.http.ids import external_id_error
from api.http.problem import FieldError, Problem
from api.http.read.bodies import MOST_ERRORS, converted, unstorable
from api.http.refs import Ref
from api.imports.steps import HOLD_S, STOP_FIELDS, TOUR_FIELDS, Importing, by_heading, judged, named, trial
from api.routes.body import RouteBody
from api.routes.plan import Draft
from api.routes.roads import drafted
from api.routes.write import Written, hold_route, put_plan
from sql.account.drivers import DriverRow
from sql.imports.imports import RowVerdict, Verdict, go_on, hold_import
from sql.pool import Db
from sql.track.live import tell_live
from work.imports.columns import RowCells
from work.imports.routes import RouteSaid, route_of, tours_in


class RouteSteps:
    """The steps of an import of routes, each one route."""

    def __init__(self, at: Importing) -> None:
        self._at = at
        self._tours = tours_in(at.rows)

    @property
    def count(self) -> int:
        """How many routes there are."""
        return len(self._tours)

    async def take(self, step: int) -> int | None:
        """Do the next route after so many; see `ImportSteps`."""
        at, pool = self._at, self._at.tools.pool
        said = route_of(self._tours[step], at.around)
        try:
            name, draft, driver = await self._drafted(said)
        except Problem as problem:
            return await self._end(step, _rejected(said, problem))
        async with pool.acquire() as db, db.transaction():
            if await hold_import(db, at.row) != step:
                return None
            written, verdicts = None, []
            try:
                written, verdict = await self._put(db, name, draft, driver)
                told = _by_row(said, draft.warnings)
                verdicts = [judged(row, name, verdict, told.get(row.number, [])) for row in said.rows]
            except Problem as problem:
                verdicts = _rejected(said, problem)
            await go_on(db, at.row, step=step + 1, verdicts=verdicts, hold_s=HOLD_S)
        if written is not None and not at.row.dry_run:
            await tell_live(pool, [(at.row.account_id, 0, written.route_id)])
        return step + 1

    async def _end(self, step: int, verdicts: list[RowVerdict]) -> int | None:
        """Write the verdicts of a route that cannot be written."""
        async with self._at.tools.pool.acquire() as db, db.transaction():
            if await hold_import(db, self._at.row) != step:
                return None
            await go_on(db, self._at.row, step=step + 1, verdicts=verdicts, hold_s=HOLD_S)
        return step + 1

    async def _drafted(self, said: RouteSaid) -> tuple[str, Draft, DriverRow | None]:
        """Judge a body, and make its plan.

        Raises:
            Problem: names the mistakes; those of rows are there already.
        """
        if said.errors or said.external_id is None:
            raise _RowsWrongError("Rows of the route cannot be read.")
        name = said.external_id
        if error := external_id_error("/route", name):
            raise _RowsWrongError(error.why, errors=[error])
        if errors := list(islice(unstorable(said.body), MOST_ERRORS)):
            raise _RowsWrongError("It cannot be kept.", errors=errors)
        body: RouteBody = converted(said.body, RouteBody, "")
        draft, driver = await drafted(self._at.tools, self._at.row.account_id, Ref(external_id=name), body)
        return name, draft, driver

    async def _put(self, db: Db, name: str, draft: Draft, driver: DriverRow | None) -> tuple[Written, Verdict]:
        account_id = self._at.row.account_id
        async with trial(db, dry_run=self._at.row.dry_run):
            head = await hold_route(db, account_id=account_id, ref=Ref(external_id=name), driver=driver)
            written = await put_plan(
                db,
                account_id=account_id,
                external_id=name,
                head=head,
                driver=driver,
                plan=draft.plan,
                most_wrong_pins=self._at.tools.config.max_wrong_pins,
            )
        if head is None:
            return written, "created"
        return written, "unchanged" if written.version == head.version else "updated"


class _RowsWrongError(Problem):
    """Rows of a route cannot be read."""

    status = 422
    type = "invalid-fields"
    title = "Some fields are not usable"


def _rejected(said: RouteSaid, problem: Problem) -> list[RowVerdict]:
    """Reject all rows of a route: those that are wrong say why, the others which those are."""
    wrong: dict[int, list[FieldError]] = {row.number: named(row, row.errors) for row in said.rows if row.errors}
    for number, errors in _by_row(said, problem.errors).items():
        wrong.setdefault(number, []).extend(errors)
    if not wrong:
        wrong[said.rows[0].number] = [FieldError(at="", why=problem.detail)]
    rows = ", ".join(str(number) for number in sorted(wrong)[:10])
    others = [FieldError(at="", why=f"its route is not taken: see row {rows}")]
    return [judged(row, said.external_id, "rejected", wrong.get(row.number, others)) for row in said.rows]


def _by_row(said: RouteSaid, told: Iterable[FieldError]) -> dict[int, list[FieldError]]:
    """Bring what is said of the body of a route to the rows and headings that it came from."""
    found: dict[int, list[FieldError]] = {}
    for error in told:
        row, heading = _place(said, error.at)
        found.setdefault(row.number, []).append(FieldError(at=heading, why=error.why))
    return found


def _place(said: RouteSaid, pointer: str) -> tuple[RowCells, str]:
    """Find the row and the heading that a place in the body of a route came from."""
    _, first, *rest = [*pointer.split("/"), ""]
    if first == "stops" and rest[0].isdigit() and int(rest[0]) < len(said.stops):
        row = said.stops[int(rest[0])]
        return row, by_heading(row, "/".join(rest[1:]), STOP_FIELDS)
    return said.rows[0], by_heading(said.rows[0], pointer, TOUR_FIELDS)
