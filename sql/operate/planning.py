"""Forgetting whom orders were for and who had which shift: of a person who asks for it, and of all by age."""

from collections.abc import Sequence
from datetime import date

from sql.operate.erasure import Named
from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


async def orders_of_contact(db: Db, *, account_id: int, contact: str, at_most: int) -> list[Named]:
    """Find a recipient's orders by e-mail address (any case) or phone (its digits count)."""
    if "@" in contact:
        rows = await db.fetch(_SQL["orders_of_email"], account_id, contact.lower(), at_most)
    else:
        digits = "".join(one for one in contact if one in "0123456789")
        rows = await db.fetch(_SQL["orders_of_phone"], account_id, digits, at_most)
    return [Named(**row) for row in rows]


async def orders_of_stops(db: Db, stop_ids: Sequence[int]) -> list[Named]:
    """Find the orders that stops were made of."""
    return [Named(**row) for row in await db.fetch(_SQL["orders_of_stops"], stop_ids)]


async def stops_of_orders(db: Db, order_ids: Sequence[int]) -> list[int]:
    """Find the stops that were made of orders."""
    return [row["id"] for row in await db.fetch(_SQL["stops_of_orders"], order_ids)]


async def blank_orders(db: Db, order_ids: Sequence[int]) -> int:
    """Forget whom orders are for; those on no route are cancelled. Return how many changed."""
    return len(await db.fetch(_SQL["blank_orders"], order_ids))


async def forget_shifts(db: Db, driver_id: int) -> int:
    """Forget which shifts a driver had; return how many."""
    return len(await db.fetch(_SQL["forget_shifts"], driver_id))


async def drop_orders(db: Db, before: date, *, at_most: int) -> int:
    """Forget orders whose last day was before another; return how many."""
    return len(await db.fetch(_SQL["drop_orders"], before, at_most))


async def drop_plans(db: Db, before: date, *, at_most: int) -> int:
    """Forget plans and shifts of days before another; return how many of those of which there were more."""
    plans = await db.fetch(_SQL["drop_plans"], before, at_most)
    return max(len(plans), len(await db.fetch(_SQL["drop_shifts"], before, at_most)))
