"""What recipients may have to hear of follows from facts: a notice each, in the transaction that makes the fact known.

Whoever writes facts calls `note_facts` with them; which messages are made of a notice is decided later, by `expand`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from geo.times import ms_of
from sql.feed.facts import LATE_AFTER_S, Revision
from sql.messages.notices import NewNotice, put_notices
from sql.pool import Db

KINDS_OF: Mapping[str, tuple[str, ...]] = {
    "route.started": ("departed_depot", "pin"),
    "stop.approaching": ("approaching",),
    "stop.arrived": ("arrived",),
    "stop.completed": ("delivered", "rating"),
    "stop.partially_completed": ("delivered", "rating"),
    "stop.failed": ("failed",),
    "eta.late": ("delayed",),
}
"""Which kinds of messages may follow from a fact, by its type. Of a route: for each of its stops."""


async def note_facts(db: Db, facts: Iterable[Revision], *, now: datetime) -> None:
    """Leave notices of facts that are news: asserted or corrected, and not older than five minutes.

    Call it in the transaction that writes the facts.
    """
    oldest_ms = ms_of(now) - int(LATE_AFTER_S * 1000)
    notices = [
        NewNotice(
            account_id=fact.account_id,
            route_id=fact.route_id,
            stop_id=fact.stop_id,
            kind=kind,
            fact_id=fact.fact_id,
            happened_ms=fact.occurred_ms,
            data=_data_of(fact),
        )
        for fact in facts
        if fact.state != "retracted" and fact.occurred_ms >= oldest_ms and fact.route_id is not None
        for kind in KINDS_OF.get(fact.type, ())
    ]
    if notices:
        await put_notices(db, notices)


async def note_stops(
    db: Db,
    kind: str,
    *,
    account_id: int,
    route_id: int,
    stop_ids: Sequence[int],
    data: Mapping[int, Any],
    now: datetime,
) -> None:
    """Leave notices of what is no fact of the feed: stops that were booked, or changed; `data` by stop.

    Call it in the transaction that writes it.
    """
    if stop_ids:
        await put_notices(
            db,
            [
                NewNotice(
                    account_id=account_id,
                    route_id=route_id,
                    stop_id=stop_id,
                    kind=kind,
                    happened_ms=ms_of(now),
                    data=data.get(stop_id, {}),
                )
                for stop_id in stop_ids
            ],
        )


def _data_of(fact: Revision) -> dict[str, Any]:
    return {"lateness_s": fact.data["lateness_s"]} if fact.type == "eta.late" else {}
