"""How much is kept of what one driver says of a day: an app that loops, each time with another id, fills no table."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from api.http.config import ApiConfig
from sql.delivery.driver_events import Sort


def over_limits(fresh: Mapping[UUID, Sort], said: Mapping[Sort, int], config: ApiConfig) -> set[UUID]:
    """Name the events that are too many.

    Args:
        fresh: those that are not kept yet, in the order in which they count.
        said: how many of each sort are kept.
    """
    same, of_day = Counter(said), Counter[date]()
    for sort, count in said.items():
        of_day[sort.day] += count
    over = set()
    for event_id, sort in fresh.items():
        if same[sort] >= config.max_same_events or of_day[sort.day] >= config.max_day_events:
            over.add(event_id)
        else:
            same[sort] += 1
            of_day[sort.day] += 1
    return over
