"""What the feed, and by it the company, hears of tickets and returns: codes, never anybody's words."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sql.pool import Db
from sql.portal.stops import FactAbout, put_fact_about
from sql.returns.returns import ReturnRow
from sql.tickets.tickets import TicketRow


async def tell_ticket(db: Db, ticket: TicketRow, type_name: str, *, now: datetime, **more: Any) -> None:
    """Tell the feed of a ticket; call it in the transaction of what happened."""
    data = {"ticket_id": f"tk_{ticket.id}", "kind": ticket.kind, **more}
    await put_fact_about(db, _about(ticket), fact_id=uuid4(), type_name=type_name, data=data, now=now)


async def tell_return(db: Db, row: ReturnRow, type_name: str, *, now: datetime, **more: Any) -> None:
    """Tell the feed of a return; call it in the transaction of what happened."""
    data = {"return_id": f"re_{row.id}", **more}
    await put_fact_about(db, _about(row), fact_id=uuid4(), type_name=type_name, data=data, now=now)


def _about(row: TicketRow | ReturnRow) -> FactAbout:
    return FactAbout(account_id=row.account_id, route_id=row.route_id, stop_id=row.stop_id)
