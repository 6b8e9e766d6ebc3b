"""Of whom nothing can be news: a van that drives as was expected is not estimated anew at every fix.

An estimate holds while what it rests on is the same (`geo.eta.rests`), and arrivals cannot have moved by as much as was
left until somebody had to be told. While the van covers its way at the pace that was expected they do not move; what it
comes too soon or too late by moves them. So what others are told of it is what they would be told at every fix.
"""

from collections.abc import Sequence

import numpy as np

from geo.eta.estimate import Eta
from geo.eta.rests import rests_on
from geo.eta.start import waits_for_start
from geo.pings import UNKNOWN_MS, Bools, Ints, picked
from ingest.drivers.models import AccountEta
from ingest.drivers.shown import Hold
from ingest.eta import worth
from ingest.eta.vans import Vans

DRIFT_TIMES = 1.25
"""Arrivals within a quarter of an hour move by at most so many times what the van is too soon or too late by: today's
pace changes with it, too."""

NARROWS, NARROWS_AT_STOP = 0.5, 1.75
"""Seconds by which ends of windows come nearer to what is expected for every second that passes, at most. By derivation
from the noises of drives and services (`geo.eta.numbers`) and the multiples that windows begin with
(`geo.eta.window.BUILT_IN`): of a drive, where they begin to reach farther than they must; of a service that goes on."""

HOLD = np.dtype(
    [
        ("rests_on", "<i8"),  # as geo.eta.rests gives it
        ("start_ms", "<i8"),  # of its plan
        ("recorded_ms", "<i8"),  # the ping it rests on
        ("along_m", "<f8"),
        ("s_per_m", "<f8"),  # as in geo.eta.estimate.Eta
        ("until_ms", "<i8"),  # by the van's clock
        ("near_ms", "<i8"),  # by our clock: when the next stop may be told that the van is near
        ("room_ms", "<i8"),  # how much arrivals may move
        ("waits", "?"),  # whether the van waits for its start
        ("young", "?"),  # whether alerts could rest on the ping
    ],
    align=True,
)

_NO_HOLD = np.array((0, 0, 0, 0.0, 0.0, UNKNOWN_MS, 0, 0, False, False), HOLD).tobytes()
"""It was over before any ping."""


def holding(vans: Vans, accounts: Sequence[AccountEta], now_ms: int) -> Bools:
    """Tell of whom an estimate holds. (m,)

    Args:
        accounts: (m) of each.
        now_ms: our clock.
    """
    records = [
        hold.record if (hold := shown.hold) and hold.plan is plan and hold.account is account else _NO_HOLD
        for shown, plan, account in zip(vans.shown, vans.plans, accounts, strict=True)
    ]
    was, tracks = np.frombuffer(b"".join(records), HOLD), vans.tracks
    recorded_ms = tracks["recorded_ms"].copy()
    passed_ms = recorded_ms - was["recorded_ms"]
    driven_ms = 1000 * (tracks["along_m"] - was["along_m"]) * was["s_per_m"]
    at_stop = tracks["standing"]["open"] > 0  # what is left to do there may pass as fast as time does
    drift_ms = np.abs(np.where(at_stop, 0, passed_ms) - driven_ms)
    narrows_ms = np.where(at_stop, NARROWS_AT_STOP, NARROWS) * passed_ms
    holds: Bools = (
        ~vans.seen
        & (passed_ms >= 0)
        & (recorded_ms <= was["until_ms"])
        & (DRIFT_TIMES * drift_ms + narrows_ms <= was["room_ms"])
        & (now_ms + DRIFT_TIMES * drift_ms + narrows_ms < was["near_ms"])
        & (waits_for_start(tracks, was["start_ms"]) == was["waits"])
        & ((now_ms - recorded_ms < worth.YOUNG_MS) == was["young"])
        & (rests_on(tracks) == was["rests_on"])
    )
    return holds


def holds_of(
    vans: Vans, found: Eta, begin: Ints, room_ms: Ints, until_ms: Ints, accounts: Sequence[AccountEta], now_ms: int
) -> list[Hold | None]:
    """Tell of vans of whom all is told how long their estimates hold; None: not until the next fix. (m)

    Off its path nobody knows how far a van comes with a metre, unless it has not left yet.

    Args:
        found: of the tracks of `vans`.
        begin: as `ingest.eta.moved.begins_of` gives it.
        room_ms: (m,) how much arrivals may move until that is worth writing.
        until_ms: (m,) by each van's clock.
        accounts: (m) of each.
        now_ms: our clock.
    """
    holds: list[Hold | None] = [None] * len(vans)
    on = vans.caught_up & (np.diff(begin) > 0)
    on[on] = vans.tracks["on_route"][on] | found.waits[begin[:-1][on]]
    plans = {i: plan for i in np.flatnonzero(on).tolist() if (plan := vans.plans[i]) is not None}
    if not plans:
        return holds
    some = np.array(list(plans))
    rules = [accounts[i].rules for i in plans]
    late_ms, near_ms = worth.room_ms(found, begin, some, list(plans.values()), rules, now_ms)
    tracks = picked(vans.tracks, some)
    records = np.zeros(len(some), HOLD)
    for name in ("recorded_ms", "along_m"):
        records[name] = tracks[name]
    for name in ("s_per_m", "waits"):
        records[name] = getattr(found, name)[begin[some]]
    records["rests_on"], records["start_ms"] = rests_on(tracks), [plan.start_ms for plan in plans.values()]
    records["near_ms"], records["room_ms"] = near_ms, np.minimum(room_ms[some], late_ms)
    # no window begins before the ping
    records["until_ms"] = np.minimum(until_ms[some], found.low_ms[begin[some]] + records["room_ms"])
    records["young"] = now_ms - tracks["recorded_ms"] < worth.YOUNG_MS
    size, whole = HOLD.itemsize, records.tobytes()
    for n, (i, plan) in enumerate(plans.items()):
        holds[i] = Hold(plan=plan, account=accounts[i], record=whole[n * size : (n + 1) * size])
    return holds
