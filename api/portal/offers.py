"""What a stop is offered: slots with a place left, in whose zone it lies, and in which it can be driven."""

from datetime import datetime

from api.offers.drivable import drivable
from api.offers.zones import lies_in
from sql.pool import Db, Pool
from sql.portal.slots import FreeSlot, slots_for_stop
from sql.portal.stops import PortalStop
from work.planning.tentative import AskedVisit


async def free_slots(pool: Pool, stop: PortalStop, now: datetime) -> list[FreeSlot]:
    """Give the slots that a recipient may choose now, as far as the tours of their days can take the stop."""
    visit = AskedVisit(lon=stop.lon, lat=stop.lat, service_s=round(stop.service_s), order=stop.external_id)
    found = await slots_with_place(pool, stop, now)
    return [slot for slot, _ in await drivable(pool, stop.account_id, visit, found)]


async def slots_with_place(db: Db | Pool, stop: PortalStop, now: datetime) -> list[FreeSlot]:
    """Give the slots with a place left that a stop is offered. Off its tour, it is not offered that tour's hours."""
    found = await slots_for_stop(db, stop.account_id, stop.id, now)
    if stop.removed:
        found = [one for one in found if one.start_at >= stop.end_at or one.end_at <= stop.start_at]
    return [one for one in found if one.feature is None or lies_in(one.feature, stop.lon, stop.lat)]
