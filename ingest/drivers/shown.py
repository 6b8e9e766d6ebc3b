"""What a tracker remembers of having shown of a driver's ETAs, so that only news is written and told."""

from collections.abc import Mapping
from dataclasses import dataclass

from geo.pings import Ints
from geo.plan.plans import Plan
from ingest.drivers.models import AccountEta
from sql.eta.eta import EtaWrite
from sql.feed.facts import Revision


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Alerts:
    """What the feed says of a driver's ETAs.

    Attributes:
        route_id: the route that the driver is on; 0: none.
        late: the newest revision of `eta.late` of this driver by stop, also of routes left lately.
        approaching: stops of the route that were told that the van is near, whoever drove it.
    """

    route_id: int
    late: Mapping[int, Revision]
    approaching: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hold:
    """Until when an estimate of which everybody has heard is as good as a new one (`ingest.eta.hold`).

    Attributes:
        plan, account: what it was made with, and by which rules somebody must hear of it.
        record: of dtype `ingest.eta.hold.HOLD`.
    """

    plan: Plan
    account: AccountEta
    record: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What others were told of a driver's ETAs.

    Attributes:
        eta: as it was written last; None: not by this tracker.
        buckets: (s,) of each of its stops, the bucket of leads in which what was told was remembered last; -1: none.
        alerts: None: the feed was not asked yet.
        hold: None: the van is estimated at its next fix.
    """

    eta: EtaWrite | None = None
    buckets: Ints | None = None
    alerts: Alerts | None = None
    hold: Hold | None = None


NOTHING_SHOWN = Shown()
