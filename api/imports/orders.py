"""Rows become orders, by the same way as those of `POST /v1/orders`."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import msgspec

from api.http.problem import FieldError
from api.http.read.bodies import MOST_ERRORS, unstorable
from api.imports.steps import HOLD_S, ORDER_FIELDS, Importing, by_heading, judged, named, trial
from api.planning.body import OrderBody
from api.planning.orders import mistakes_of_name, new_orders, read_order, why_received
from sql.imports.imports import RowVerdict, Verdict, go_on, hold_import
from sql.planning.orders import NewOrder, OrderRow, find_orders, put_orders
from sql.pool import Db
from work.imports.columns import RowCells
from work.imports.orders import order_of

AT_ONCE = 250
"""Orders of one step: they take a fortieth of a second of the event loop."""

_VERDICTS: dict[str, Verdict] = {"created": "created", "changed": "updated", "unchanged": "unchanged"}


class OrderSteps:
    """The steps of an import of orders."""

    def __init__(self, at: Importing) -> None:
        self._at = at
        self._times = Counter(row.text("external_id") or "" for row in at.rows)

    @property
    def count(self) -> int:
        """How many orders there are."""
        return len(self._at.rows)

    async def take(self, step: int) -> int | None:
        """Do the next orders after so many; see `ImportSteps`."""
        at, pool, then = self._at, self._at.tools.pool, min(step + AT_ONCE, self.count)
        rejected: list[RowVerdict] = []
        good: dict[str, tuple[RowCells, OrderBody]] = {}
        for row in at.rows[step:then]:
            name, body, errors = self._read(row)
            if body is None or name is None or errors:
                rejected.append(judged(row, name, "rejected", errors))
            else:
                good[name] = row, body
        new = await new_orders(pool, at.row.account_id, {name: body for name, (_, body) in good.items()})
        async with pool.acquire() as db, db.transaction():
            if await hold_import(db, at.row) != step:
                return None
            verdicts = await self._put(db, new)
            asked = {one.external_id: why for one in new if (why := why_received(one))}
            taken = [_judged(row, name, verdicts.get(name), asked.get(name)) for name, (row, _) in good.items()]
            await go_on(db, at.row, step=then, verdicts=[*rejected, *taken], hold_s=HOLD_S)
        return then

    def _read(self, row: RowCells) -> tuple[str | None, OrderBody | None, list[FieldError]]:
        """Read a row as an order; with what is wrong with it, by its headings."""
        said = order_of(row, self._at.around)
        errors: list[FieldError] = []
        if said.external_id is not None:
            errors += mistakes_of_name("", said.external_id, self._times)
        errors += islice(unstorable(said.body), MOST_ERRORS)
        body = read_order("", said.body, errors)
        if row.errors:  # what is missing then may be what could not be read
            return said.external_id, None, named(row, row.errors)
        return (
            said.external_id,
            body,
            [FieldError(at=by_heading(row, one.at, ORDER_FIELDS), why=one.why) for one in errors],
        )

    async def _put(self, db: Db, new: Sequence[NewOrder]) -> dict[str, Verdict]:
        """Put orders; leave those out that are on a route already, and other ones there."""
        account_id, dry_run = self._at.row.account_id, self._at.row.dry_run
        if not new:
            return {}
        async with trial(db, dry_run=dry_run):
            became = await put_orders(db, account_id, new)
        verdicts = {name: _VERDICTS[what] for name, what in became.items()}
        on_routes = {one.external_id: one for one in new if one.external_id not in became}
        for known in await find_orders(db, account_id, list(on_routes)):
            if _is_same(known, on_routes[known.external_id]):
                verdicts[known.external_id] = "unchanged"
        return verdicts


def _judged(row: RowCells, name: str, verdict: Verdict | None, asked: str | None) -> RowVerdict:
    """Give an order without mistakes its verdict.

    Args:
        verdict: None: it is on a route.
        asked: why its place is asked about; None: it is not. One that is as it was may be known by now.
    """
    if verdict is not None:
        at = row.heading("place" if row.has("place") else "lat" if row.has("lat") else "address")
        return judged(row, name, verdict, [FieldError(at=at, why=asked)] if asked and verdict != "unchanged" else [])
    why = "is on a route already, and not as it is here"
    return judged(row, name, "rejected", [FieldError(at=row.heading("external_id"), why=why)])


def _is_same(known: OrderRow, new: NewOrder) -> bool:
    def told(one: OrderRow | NewOrder) -> object:
        return {name: value for name, value in one.body.items() if name != "doubt"}, one.earliest, one.latest

    return msgspec.json.encode(told(known), order="sorted") == msgspec.json.encode(told(new), order="sorted")
