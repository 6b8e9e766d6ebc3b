"""Notifications to send: one for each stop and kind, ever. Nobody else writes the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sql.pool import Db
from sql.queries import load

_SQL = load(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notification to send."""

    account_id: int
    stop_id: int
    kind: str
    payload: dict[str, Any]


async def put_notices(db: Db, notices: Sequence[Notice]) -> None:
    """Leave notifications for whoever sends them; a stop's second one of a kind is none."""
    notices = sorted(notices, key=lambda notice: (notice.stop_id, notice.kind))
    columns = ("account_id", "stop_id", "kind", "payload")
    await db.execute(_SQL["put_notices"], *([getattr(one, name) for one in notices] for name in columns))


async def send_again(db: Db, *, stop_id: int, kind: str) -> None:
    """Have a notification that was left for a stop sent once more; nothing, where none was."""
    await db.execute(_SQL["send_again"], stop_id, kind)
