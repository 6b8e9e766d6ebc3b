"""A drive of a plan: where the van really was, and when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.pings import Floats, Ints
from geo.plan.plans import Plan
from geo.shape import plane


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Truth:
    """What really happened, sampled.

    Attributes:
        ms: (n,) epoch milliseconds, evenly spaced.
        lon, lat: (n,) where the van was, degrees.
        along_m: (n,) along the plan's path.
        speed_mps, heading_deg: (n,) of the van; the heading stays as it was while it stands.
        standing: (n,) bool: at a stop.
        arrived_ms, departed_ms: (s,) of each stop of the plan.
    """

    ms: Ints
    lon: Floats
    lat: Floats
    along_m: Floats
    speed_mps: Floats
    heading_deg: Floats
    standing: NDArray[np.bool_]
    arrived_ms: Ints
    departed_ms: Ints

    def __len__(self) -> int:
        return len(self.ms)

    @property
    def every_s(self) -> float:
        """Between two samples; of a single one 1 s."""
        return float(np.diff(self.ms[:2])[0]) / 1000 if len(self) > 1 else 1.0

    @property
    def hours(self) -> float:
        """How long it was."""
        return len(self) * self.every_s / 3600


def drive(
    plan: Plan, *, seed: int, start_ms: int, every_s: float = 5.0, speed_mps: float = 9.0, service: float = 1.0
) -> Truth:
    """Drive a plan from its first to its last metre.

    The van speeds up and brakes for its stops, its pace between them varies, and so does its service.

    Args:
        plan: what to drive.
        seed: the same seed drives the same.
        start_ms: when it leaves.
        every_s: sampling, seconds.
        speed_mps: cruising speed in the mean.
        service: factor on the planned service of the stops.
    """
    random = np.random.default_rng(seed)
    at_m, planned_s = plan.stops[:, 3], np.maximum(plan.stops[:, 4], 20.0)
    stays_s = planned_s * service * random.lognormal(0, 0.3, len(at_m))
    # knots of (seconds, metres): each leg speeds up, cruises and brakes; each stay adds time and no metres
    seconds, metres = [0.0], [0.0]
    arrived, departed = np.zeros(len(at_m)), np.zeros(len(at_m))
    for stop in range(len(at_m) + 1):
        goal_m = float(at_m[stop]) if stop < len(at_m) else plan.length_m
        leg_m = goal_m - metres[-1]
        if leg_m > 0:
            pace = speed_mps * random.lognormal(0, 0.15)
            ramp_m = min(leg_m / 2, pace * pace / 2.4)  # at 1.2 m/s²
            ramp_s = 2 * ramp_m / min(pace, np.sqrt(2.4 * ramp_m))
            begin_m = metres[-1]
            for part in (0.25, 0.5, 0.75, 1.0):
                seconds.append(seconds[-1] + ramp_s * (np.sqrt(part) - np.sqrt(part - 0.25)))
                metres.append(begin_m + ramp_m * part)
            if leg_m > 2 * ramp_m:
                seconds.append(seconds[-1] + (leg_m - 2 * ramp_m) / pace)
                metres.append(goal_m - ramp_m)
            for part in (0.75, 0.5, 0.25, 0.0):
                seconds.append(seconds[-1] + ramp_s * (np.sqrt(part + 0.25) - np.sqrt(part)))
                metres.append(goal_m - ramp_m * part)
        if stop < len(at_m):
            arrived[stop] = seconds[-1]
            seconds.append(seconds[-1] + stays_s[stop])
            metres.append(metres[-1])
            departed[stop] = seconds[-1]

    times = np.arange(0, seconds[-1] + every_s, every_s)
    along = np.interp(times, seconds, metres)
    step_s = 0.5
    speed = (np.interp(times + step_s, seconds, metres) - np.interp(times - step_s, seconds, metres)) / (2 * step_s)
    x_m, y_m = plane.project(plan.path_lon, plan.path_lat, plan.lon0, plan.lat0)
    vx, vy = np.interp(along, plan.path_along_m, x_m), np.interp(along, plan.path_along_m, y_m)
    lon, lat = plane.unproject(vx, vy, plan.lon0, plan.lat0)
    segment = np.clip(np.searchsorted(plan.path_along_m, along, "right") - 1, 0, len(plan.segments) - 1)
    heading = np.degrees(np.arctan2(plan.segments[segment, 2], plan.segments[segment, 3])) % 360
    return Truth(
        ms=start_ms + np.rint(times * 1000).astype(np.int64),
        lon=lon,
        lat=lat,
        along_m=along,
        speed_mps=speed,
        heading_deg=heading,
        standing=speed < 0.05,
        arrived_ms=start_ms + np.rint(arrived * 1000).astype(np.int64),
        departed_ms=start_ms + np.rint(departed * 1000).astype(np.int64),
    )
