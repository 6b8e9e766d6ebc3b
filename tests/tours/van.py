"""How a van drives along a way: as fast as its streets allow, slowly round corners, and with halts."""

import numpy as np

from geo.pings import Bools, Floats
from geo.shape import plane
from geo.simulate.drive import Truth

RATE_MPS2 = 1.6
"""Speeding up and braking."""

STRAIGHT_DEG, SHARP_DEG, CORNER_MPS, TURNING_MPS = 35.0, 140.0, 4.0, 1.0
"""A bend of so many degrees is driven at most at CORNER_MPS, and a sharper one, or a turn, at TURNING_MPS."""

STEP_M = 4.0


def driven(xy_m: Floats, limit_mps: Floats, stays_s: Floats, at: tuple[float, float], start_ms: int) -> Truth:
    """Drive a way from its first to its last corner; the truth has a sample a second.

    Args:
        xy_m: (n, 2) the corners, metres around `at`.
        limit_mps: (n - 1,) of every stretch between two.
        stays_s: (n,) how long the van stands at each corner; 0: it does not stop there.
        at: lon, lat.
    """
    far_m = np.hypot(*np.diff(xy_m, axis=0).T)
    corner_m = np.concatenate(([0.0], np.cumsum(far_m)))
    most = np.concatenate(([0.0], np.minimum(limit_mps[:-1], limit_mps[1:]), [0.0]))
    most = np.where(stays_s > 0, 0.0, np.minimum(most, _round_corners(xy_m)))
    steps = np.maximum(np.ceil(far_m / STEP_M).astype(np.int64), 2)
    first = np.concatenate(([0], np.cumsum(steps)))
    every_m = np.interp(np.arange(first[-1] + 1), first, corner_m)
    speed = np.append(np.repeat(limit_mps, steps), 0.0)
    speed[first] = np.minimum(speed[first], most)
    gap_m = np.diff(every_m)
    for k, step_m in enumerate(gap_m.tolist()):
        speed[k + 1] = min(speed[k + 1], float(np.sqrt(speed[k] ** 2 + 2 * RATE_MPS2 * step_m)))
    for k, step_m in reversed(list(enumerate(gap_m.tolist()))):
        speed[k] = min(speed[k], float(np.sqrt(speed[k + 1] ** 2 + 2 * RATE_MPS2 * step_m)))
    takes_s = 2 * gap_m / np.maximum(speed[:-1] + speed[1:], 0.3)
    stay_s = np.zeros(len(every_m))
    stay_s[first] = stays_s
    came_s = np.concatenate(([0.0], np.cumsum(takes_s))) + np.cumsum(stay_s) - stay_s
    times = np.arange(0.0, np.floor(came_s[-1] + stay_s[-1]) + 1)
    knots_s = np.column_stack((came_s, came_s + stay_s)).ravel()
    along_m = np.interp(times, knots_s, np.repeat(every_m, 2))
    ahead_m = np.interp(times + 0.5, knots_s, np.repeat(every_m, 2))
    behind_m = np.interp(times - 0.5, knots_s, np.repeat(every_m, 2))
    segment = np.clip(np.searchsorted(corner_m, along_m, "right") - 1, 0, len(far_m) - 1)
    lead_m = np.diff(xy_m, axis=0)[segment]
    lon, lat = plane.unproject(*(np.interp(along_m, corner_m, column) for column in xy_m.T), *at)
    arrived_ms = start_ms + np.rint(1000 * came_s[first]).astype(np.int64)
    return Truth(
        ms=start_ms + (1000 * times).astype(np.int64),
        lon=lon,
        lat=lat,
        along_m=along_m,
        speed_mps=ahead_m - behind_m,
        heading_deg=np.degrees(np.arctan2(*lead_m.T)) % 360,
        standing=_standing(ahead_m - behind_m),
        arrived_ms=arrived_ms,
        departed_ms=arrived_ms + np.rint(1000 * stays_s).astype(np.int64),
    )


def _standing(speed_mps: Floats) -> Bools:
    standing: Bools = speed_mps < 0.05
    return standing


def _round_corners(xy_m: Floats) -> Floats:
    """Say how fast each corner can be driven, (n,) m/s."""
    lead = np.diff(xy_m, axis=0)
    heading = np.degrees(np.arctan2(*lead.T))
    bend = np.abs((np.diff(heading) + 180) % 360 - 180)
    slow = np.where(bend > SHARP_DEG, TURNING_MPS, np.where(bend > STRAIGHT_DEG, CORNER_MPS, np.inf))
    return np.concatenate(([np.inf], slow, [np.inf]))
