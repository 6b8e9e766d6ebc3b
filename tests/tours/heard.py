"""What a phone in a town tells of a drive, as the phones of recorded tours do: see `Phone`."""

from dataclasses import dataclass

import numpy as np

from geo.pings import Floats, Ints, Pings
from geo.shape import plane
from geo.simulate.drive import Truth

BURSTS_PER_H, BURST_S, BURST_M = 4.2, (20.0, 130.0), (30.0, 80.0)
"""Among high houses fixes are off to one side, more and more and then less; how often, how long, how far at most."""

OUTLIERS, OUTLIER_M = 0.003, (150.0, 600.0)
"""Part of the fixes that are simply wrong, and how far; half of them claim to be good."""

GAPS, GAP_S = (1, 4), (60.0, 260.0)
"""Times without any fix: at least, and fewer than; how long."""

LOST, REPEATED, LATE = 0.02, 0.008, 0.008
"""Parts of the fixes that are never sent, that come twice, and that come up to four fixes later."""

COLD_M, COLD_S = (30.0, 90.0), 8.0
"""A phone that was just switched on (every other one) is so far off, and forgets it over so long."""

SILENT, QUIET_MPS = 0.03, 1.2
"""Part of the fixes without speed or without heading; slower than this none has a heading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One phone.

    Attributes:
        every_s: between two fixes, about.
        error_m, memory_s: standard deviation east and north, and over how long it forgets itself.
        mute: it tells neither speed nor heading.
    """

    every_s: int
    error_m: float
    memory_s: float
    mute: bool


def heard(random: np.random.Generator, truth: Truth, of: Phone) -> tuple[Pings, Ints]:
    """Tell a drive of a sample a second: pings in the order of arrival, and the sample of each."""
    n = len(truth)
    error_m, claimed_m = _errors(random, n, of)
    sample = np.arange(max(of.every_s // 3, 1), n, of.every_s)
    if of.every_s > 1:
        sample = sample + random.integers(-(of.every_s // 15) - (of.every_s > 1), of.every_s // 15 + 2, len(sample))
    sample = sample[sample < n]
    kept = random.random(len(sample)) >= LOST
    for _ in range(int(random.integers(*GAPS))):
        begin = random.uniform(0, n)
        kept &= ~((sample > begin) & (sample < begin + random.uniform(*GAP_S)))
    sample = sample[kept]
    wild = random.random(len(sample)) < OUTLIERS
    angle, far_m = random.uniform(0, 2 * np.pi, len(sample)), random.uniform(*OUTLIER_M, len(sample))
    off_m = error_m[sample] + wild[:, None] * far_m[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))
    claims_m = np.where(wild & (random.random(len(sample)) < 0.5), far_m, claimed_m[sample])
    claims_m *= random.lognormal(0, 0.22, len(sample))
    order = np.argsort(
        np.arange(len(sample)) + np.where(random.random(len(sample)) < LATE, random.uniform(1, 4.5, len(sample)), 0),
        kind="stable",
    )
    order = np.repeat(order, 1 + (random.random(len(order)) < REPEATED))
    pings = _written(random, truth, sample, off_m, claims_m, mute=of.mute)
    return pings.rows_at(order), sample[order]


def _errors(random: np.random.Generator, n: int, of: Phone) -> tuple[Floats, Floats]:
    """Make the error of every second, (n, 2) metres, and (n,) what the phone claims for it."""
    keep = float(np.exp(-1 / of.memory_s))
    error = random.normal(0, of.error_m, (n, 2))
    error[1:] *= np.sqrt(1 - keep * keep)
    for k in range(1, n):
        error[k] += keep * error[k - 1]
    error += random.normal(0, 0.2 * of.error_m, (n, 2))
    claimed = np.full(n, of.error_m)
    away = np.zeros((n, 2))
    if random.random() < 0.5:
        away += random.uniform(*COLD_M) * np.exp(-np.arange(n) / COLD_S)[:, None] * _aside(random)
        claimed += np.hypot(*away.T)
    for begin in random.integers(0, n, random.poisson(BURSTS_PER_H * n / 3600)).tolist():
        past = min(n, begin + int(random.uniform(*BURST_S)))
        swell = random.uniform(*BURST_M) * np.sin(np.pi * np.linspace(0, 1, past - begin)) ** 0.5
        away[begin:past] += swell[:, None] * _aside(random)
        away[begin:past] += random.normal(0, 6, (past - begin, 2))
        claimed[begin:past] += random.uniform(0.2, 0.8) * swell
    return error + away, claimed


def _aside(random: np.random.Generator) -> Floats:
    angle = random.uniform(0, 2 * np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


def _written(
    random: np.random.Generator, truth: Truth, sample: Ints, off_m: Floats, claims_m: Floats, *, mute: bool
) -> Pings:
    n = len(sample)
    lon, lat = plane.unproject(off_m[:, 0], off_m[:, 1], truth.lon[sample], truth.lat[sample])
    pings = Pings.empty(n)
    rows = pings.rows
    rows["recorded_ms"] = rows["received_ms"] = truth.ms[sample]
    rows["lat_e6"], rows["lon_e6"] = np.rint(lat * 1e6).astype(np.int32), np.rint(lon * 1e6).astype(np.int32)
    rows["accuracy_m"] = np.maximum(np.round(claims_m), 2)
    if not mute:
        true_mps = truth.speed_mps[sample]
        speed = np.abs(true_mps + random.normal(0, 0.45, n))
        heading = (truth.heading_deg[sample] + random.normal(0, 6, n)) % 360
        told = random.random((2, n)) >= SILENT
        rows["speed_mps"] = np.where(told[0], np.round(speed, 1), np.nan)
        rows["heading_deg"] = np.where(told[1] & (speed > QUIET_MPS), np.round(heading) % 360, np.nan)
    return pings
