"""What a phone tells of a drive: with noise, gaps, and fixes that are lost, sent late or twice."""

from dataclasses import dataclass

import numpy as np

from geo.pings import Bools, Floats, Ints, Pings
from geo.shape import plane
from geo.simulate.drive import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How a phone falls short of the truth.

    Attributes:
        noise_m: standard deviation of the error that drifts over half a minute.
        canyons_per_h: bursts of 30 to 80 m error that last one to three minutes.
        outliers: share of single fixes 150 to 600 m away, half of them claiming to be good.
        gaps_per_h: times without any fix, one to four minutes.
        lost, repeated, late: share of fixes never sent, sent twice, sent 10 to 300 s later.
        mute: the phone tells neither speed nor heading.
    """

    noise_m: float = 6.0
    canyons_per_h: float = 1.5
    outliers: float = 0.004
    gaps_per_h: float = 0.5
    lost: float = 0.02
    repeated: float = 0.01
    late: float = 0.02
    mute: bool = False


USUAL = Faults()
"""Those of a phone in a city."""


def phone(
    truth: Truth, *, seed: int, driver_id: int = 0, device_id: int = 0, faults: Faults = USUAL
) -> tuple[Pings, Ints]:
    """Report a drive as a phone would.

    Args:
        truth: the drive.
        seed: the same seed reports the same.
        driver_id, device_id: written into the pings.
        faults: what goes wrong.

    Returns:
        Pings in the order in which they are sent, and (n,) when each is sent, ms, never decreasing; `received_ms` is
        that time.
    """
    random = np.random.default_rng(seed)
    error_m, accuracy_m = _errors(random, truth, faults)
    kept = _kept(random, truth, faults)
    pings = _written(random, truth, error_m, accuracy_m, mute=faults.mute)
    pings.rows["driver_id"], pings.rows["device_id"] = driver_id, device_id
    which, when_ms = _sendings(random, truth.ms, kept, faults)
    told = pings.rows_at(which)
    told.rows["received_ms"] = when_ms
    return told, when_ms


def _errors(random: np.random.Generator, truth: Truth, faults: Faults) -> tuple[Floats, Floats]:
    """Make the error of every fix, (n, 2) metres east and north, and (n,) the accuracy that the phone claims for it."""
    n, every_s = len(truth), truth.every_s
    error, accuracy = _drift(random, n, every_s, faults.noise_m), np.full(n, max(faults.noise_m, 3.0))
    for begin, past in _bursts(random, truth, faults.canyons_per_h, 60, 180):
        size = random.uniform(30, 80)
        error[begin:past] += random.normal(0, 1, 2) * size / 2 + _drift(random, past - begin, every_s, size / 2)
        accuracy[begin:past] = size * random.uniform(0.5, 1.2)
    wild = random.random(n) < faults.outliers
    angle, far = random.uniform(0, 2 * np.pi, n), random.uniform(150, 600, n)
    error[wild] += np.column_stack((np.cos(angle), np.sin(angle)))[wild] * far[wild, None]
    return error, np.where(wild & (random.random(n) < 0.5), far, accuracy * random.uniform(0.7, 1.5, n))


def _kept(random: np.random.Generator, truth: Truth, faults: Faults) -> Bools:
    """Draw which fixes are ever sent, (n,): the first one always, none in a gap."""
    kept: Bools = random.random(len(truth)) >= faults.lost
    for begin, past in _bursts(random, truth, faults.gaps_per_h, 60, 240):
        kept[begin:past] = False
    kept[:1] = True
    return kept


def _written(random: np.random.Generator, truth: Truth, error_m: Floats, accuracy_m: Floats, *, mute: bool) -> Pings:
    """Write every fix as the phone does, in the order in which it was made."""
    n = len(truth)
    lon, lat = plane.unproject(error_m[:, 0], error_m[:, 1], truth.lon, truth.lat)
    pings = Pings.empty(n)
    rows = pings.rows
    rows["recorded_ms"] = truth.ms
    rows["lat_e6"], rows["lon_e6"] = np.rint(lat * 1e6).astype(np.int32), np.rint(lon * 1e6).astype(np.int32)
    rows["accuracy_m"] = np.round(accuracy_m, 1)
    rows["battery"] = np.round(np.linspace(0.95, max(0.95 - 0.08 * truth.hours, 0.1), n), 2)
    if not mute:
        speed = np.maximum(truth.speed_mps + random.normal(0, 0.4, n), 0)
        rows["speed_mps"] = np.round(np.where(truth.standing, np.minimum(speed, 0.4), speed), 1)
        rows["heading_deg"] = np.round((truth.heading_deg + random.normal(0, 8, n)) % 360, 0) % 360
    return pings


def _sendings(random: np.random.Generator, recorded_ms: Ints, kept: Bools, faults: Faults) -> tuple[Ints, Ints]:
    """Draw when fixes are sent, some of them late or twice: which, and when, ms, never decreasing."""
    n = len(recorded_ms)
    delay_s = random.uniform(0.2, 1.5, n) + np.where(random.random(n) < faults.late, random.uniform(10, 300, n), 0)
    sent_ms = recorded_ms + np.rint(delay_s * 1000).astype(np.int64)
    again = np.flatnonzero(kept & (random.random(n) < faults.repeated))
    which = np.concatenate((np.flatnonzero(kept), again))
    when_ms = np.concatenate((sent_ms[kept], sent_ms[again] + random.integers(500, 60_000, len(again))))
    order = np.argsort(when_ms, kind="stable")
    return which[order], when_ms[order]


def _drift(random: np.random.Generator, n: int, every_s: float, size_m: float, memory_s: float = 30.0) -> Floats:
    """Make an error that forgets itself over `memory_s`: (n, 2) metres, of standard deviation `size_m`."""
    keep = float(np.exp(-every_s / memory_s))
    shocks = random.normal(0, size_m, (n, 2))
    shocks[1:] *= np.sqrt(1 - keep * keep)
    for k in range(1, n):
        shocks[k] += keep * shocks[k - 1]
    return shocks


def _bursts(
    random: np.random.Generator, truth: Truth, per_h: float, least_s: float, most_s: float
) -> list[tuple[int, int]]:
    """Draw stretches of fixes, from and to, so many in an hour and so long."""
    n = len(truth)
    begins = random.integers(0, max(n, 1), random.poisson(per_h * truth.hours))
    return [(int(at), min(n, int(at + random.uniform(least_s, most_s) / truth.every_s) + 1)) for at in begins]
