"""Events that were in quarantine, kept as if the phone said them now."""

from datetime import datetime
from typing import Any

from aiohttp import web

from api.driver.events.body import Event, RefusedEvent, read_event
from api.driver.events.endpoints import OLDEST
from api.driver.events.record import record
from api.http.app_keys import CONFIG, POOL
from sql.account.devices import DeviceRow


async def apply_events(
    app: web.Application, device: DeviceRow, items: list[Any], received_at: datetime
) -> list[RefusedEvent | None]:
    """Keep events as a phone would say them; give of each why it cannot be kept, None: it is.

    Args:
        received_at: when they came; older ones than a phone may have been offline for are counted from then.
    """
    now, config = app[POOL].clock.now(), app[CONFIG]
    oldest = received_at - app[OLDEST]
    read = [
        read_event(item, f"/events/{index}", now=now, oldest=oldest, config=config) for index, item in enumerate(items)
    ]
    cases = await record(app[POOL], device, read, config, now=now, spend=lambda _size: None, keeps_refused=False)
    return [cases[item.at].refused if isinstance(item, Event) else item for item in read]
