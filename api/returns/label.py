"""What stands on the label of a return, which a driver's phone and a depot's scanner read."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api.returns.deciding import ReturnStateRefused, code_of
from sql.account.settings import read_settings
from sql.pool import Pool
from sql.returns.returns import ReturnRow, delivered_stop


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What stands on a label."""

    language: str
    code: str
    brand: str
    sender: str
    address: str
    order: str
    asked_on: str


async def label_of(pool: Pool, row: ReturnRow, *, language: str) -> Label:
    """Gather what stands on the label of a return.

    Raises:
        ReturnStateRefused: it is not approved, or whom it comes from was forgotten.
    """
    if row.state != "approved":
        raise ReturnStateRefused(f"The return is {row.state}; only an approved one has a label.")
    stop = await delivered_stop(pool, account_id=row.account_id, stop_id=row.stop_id)
    if stop is None:
        raise ReturnStateRefused("Whom this was delivered to was forgotten.")
    settings = await read_settings(pool, row.account_id)
    return Label(
        language=language,
        code=code_of(row.id),
        brand=settings.brand,
        sender=stop.name,
        address=stop.address or "",
        order=row.order,
        asked_on=_day(row.asked_at, stop.timezone),
    )


def _day(at: datetime, timezone: str) -> str:
    return at.astimezone(ZoneInfo(timezone)).date().isoformat()
