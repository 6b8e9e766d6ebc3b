"""What is said of a tour that its driver is not on: over, or left for another one.

A word counts wherever the van is. The last outcome of a tour that was left completes it; a word about one that the map
held for done shows that somebody speaks of its stops, and those without a word are open again.
"""

import numpy as np

from geo.fold import claims, parking
from geo.fold.in_force import InForce
from geo.fold.moments import Moment
from geo.fold.parking import Over
from geo.plan.plans import Claim, Plan, Timeline
from geo.visits import tour


def hear(in_force: InForce, van: int, moment: Moment, claim: Claim) -> None:
    """Let a word about a stop change what is remembered of a tour that is over or left; writes into the track.

    Nothing happens when its tour is the one that its driver is on, or is not remembered.
    """
    track, timeline = in_force.tracks[van], in_force.timelines[van]
    how = parking.how_over(track, claim.route_id)
    mine = parking.remembered(track, claim.route_id)
    if claim.kind not in claims.SERVED or mine is None or (how is None and mine.dtype == track.dtype):
        return
    plan = _plan_of(timeline, mine, claim)
    if plan is None:
        return
    row = int(np.flatnonzero(plan.stop_ids == claim.stop_id)[0])
    mine["visits"][row] = claims.done(int(mine["visits"][row]))
    mine["worded"] = True
    is_open = len(tour.open_rows(plan, mine["visits"], worded=True)) > 0
    if how is Over.DONE and is_open:
        in_force.reopen(van, moment, claim.at_ms, plan)
        _take_back(in_force, van, plan)
    elif how is Over.LEFT and not is_open:
        in_force.complete(mine, moment, claim.at_ms, plan)
        parking.finish(track, plan.route_id, plan.version, Over.DONE)


def _take_back(in_force: InForce, van: int, plan: Plan) -> None:
    """Have a tour not be done; its driver goes on with it, unless they are on another one by now."""
    track = in_force.tracks[van]
    if track["route_id"] in (0, plan.route_id):
        parking.unfinish(track, plan.route_id)
        in_force.choose_again(van)
    else:
        parking.finish(track, plan.route_id, plan.version, Over.LEFT)


def _plan_of(timeline: Timeline, mine: np.void, claim: Claim) -> Plan | None:
    """Find the version that is remembered, if it has the stop of a claim."""
    plan = timeline.plan(claim.route_id, int(mine["route_version"]))
    return plan if plan is not None and claim.stop_id in plan.stop_ids else None
