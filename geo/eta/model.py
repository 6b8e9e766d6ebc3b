"""What an account's own history says of how long drives and services take.

Everything learned is a table of `Row`s: a person can read it, and it is stored as it is. `Model` is what ETAs are made
with: the rows, the windows' table (`geo.eta.window`), and what they mean for each plan.

    rows of the account ──Model()──► model ──outlook(plan)──► seconds per leg and per stop ──► geo.eta.estimate.estimate
          ▲
          └── learn(rows, observations) ◄─┬─ observe(plan, …) ◄── closed visits, driven stretches
                                          └─ delays(…) ◄── ETAs that have come true
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np

from geo.eta.numbers import LEAST_KEPT
from geo.eta.places import FlatLevel, Parts, places
from geo.eta.rows import ANY, CHAINS, Row, RowKey, added, applied, applied_to_each
from geo.eta.seen import DELAY_KEYS, DELAY_LEADS_S, Observation, delays, observe, passed
from geo.eta.start import noise_s
from geo.eta.way import ways_to
from geo.eta.window import BUILT_IN, Band
from geo.pings import UNKNOWN_MS, Bools, Floats
from geo.plan.plans import Plan

# rows of Outlook.columns; the last three say nothing of a plan without far doors and windows to wait for
WAY, DRIVE, SERVICE, BEFORE, SQUARES, DUE, OPENS, DOOR, PATH = range(9)

__all__ = [
    "ANY",
    "COLD",
    "Model",
    "Observation",
    "Outlook",
    "Row",
    "RowKey",
    "delays",
    "keys_of",
    "learn",
    "observe",
    "passed",
]


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a model expects of a plan.

    Attributes:
        columns: (9, s) of each stop: way_m (`geo.eta.way`); drive_s, from the path's start, without services;
            service_s; of all stops before it, the services and their squares; due_ms of the plan; opens_s (its window
            opens, seconds after the plan's start; -inf where nobody waits for it); and of the plan door_m and the
            place along the path.
        way_m, drive_s: (s) the first two, to look places up in.
        late_s, late_sd_s: how long after the plan's start the tour begins, and how far off that is.
        far_doors: some door is far from the path, so that the way is longer than the path.
        windows: the van waits for some window to open.
    """

    columns: Floats
    way_m: Sequence[float]
    drive_s: Sequence[float]
    late_s: float
    late_sd_s: float
    far_doors: bool
    windows: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What one account has learned; never changes.

    Attributes:
        version: of the stored rows, ascending; 0 for a model that knows nothing.
        rows: by key.
        bands: how wide windows are, by lead.
    """

    version: int = 0
    rows: Mapping[RowKey, Row] = field(default_factory=dict)
    bands: tuple[Band, ...] = BUILT_IN
    _outlooks: WeakKeyDictionary[Plan, Outlook] = field(default_factory=WeakKeyDictionary, init=False, repr=False)
    _kept: Floats = field(init=False, repr=False)
    _noise_kept: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        parts = [[_expected(self.rows, "delay", keys, 0) for keys in of_leads] for of_leads in DELAY_KEYS]
        object.__setattr__(self, "_kept", np.clip(parts, 0.0, 1.0))
        object.__setattr__(self, "_noise_kept", _noise_kept(self._kept.max(axis=0)))

    @property
    def makes_up(self) -> bool:
        """Whether anything of a delay is made up, at any lead."""
        return bool((self._kept < 1.0).any())

    def outlook(self, plan: Plan) -> Outlook:
        """Give what is expected of a plan; looked up once, kept as long as the plan and this model live."""
        found = self._outlooks.get(plan)
        if found is None:
            found = self._outlooks[plan] = _outlook(self.rows, plan)
        return found

    def delay_kept(self, lead_s: Floats, delay_s: Floats, waits: Bools) -> Floats:
        """Tell which part of a delay, or of being early, will still be there after a lead: 1 where nothing is known, 0
        where vans always come back to their plan.

        Args:
            delay_s: (k,) by how much they would come late.
            waits: (k,) whether they wait for their start: these may yet come late or early, and have half of both.
        """
        late_kept, early_kept = (np.interp(lead_s, DELAY_LEADS_S, kept) for kept in self._kept)
        kept: Floats = np.where(delay_s < 0, early_kept, late_kept)
        if waits.any():
            kept[waits] = 0.5 * (late_kept + early_kept)[waits]
        return kept

    def noise_kept(self, lead_s: Floats) -> Floats:
        """Tell which part of the variance of drives and services is left after a lead: 1 where delays stay, less where
        they are made up, for so are those that come on the way.
        """
        kept: Floats = np.interp(lead_s, DELAY_LEADS_S, self._noise_kept)
        return kept


def learn(rows: Mapping[RowKey, Row], observations: Sequence[Observation]) -> dict[RowKey, Row]:
    """Add observations to rows; in a batch their order does not matter.

    Levels are learned from the general to the special: what a driver or an hour adds is measured against what the
    levels above say after this batch.

    Args:
        rows: those of the observations' keys that exist (others may be there too).

    Returns:
        The rows that changed, and only these.
    """
    changed: dict[RowKey, Row] = {}
    for what, (nothing_known, levels) in CHAINS.items():
        mine = [observation for observation in observations if observation.what == what]
        expected = [nothing_known] * len(mine)
        for depth, level in enumerate(levels):
            seen: defaultdict[RowKey, list[tuple[float, float, int]]] = defaultdict(list)
            for i, observation in enumerate(mine):
                value = observation.value / expected[i] if level.relative else observation.value
                weight = observation.minutes if level.by_minutes else 1.0
                for key, part in observation.keys[depth]:
                    seen[key].append((weight * part, value, observation.ended_ms))
            changed |= {key: added(rows.get(key), values, level.half_life_ms) for key, values in seen.items()}
            for i, observation in enumerate(mine):
                parts = [(changed[key], part) for key, part in observation.keys[depth]]
                expected[i] = applied(level, expected[i], parts, observation.ended_ms)
    return changed


def keys_of(observations: Iterable[Observation]) -> set[RowKey]:
    """List the rows that `learn` needs."""
    return {key for observation in observations for level in observation.keys for key, _ in level}


def _outlook(rows: Mapping[RowKey, Row], plan: Plan) -> Outlook:
    seen = places(plan)
    drive = _expected_each(rows, "drive", seen.drive_levels, seen.due_ms)
    service = _expected_each(rows, "service", seen.service_levels, seen.due_ms)
    late_min = _expected(rows, "start", seen.start_keys, plan.start_ms)
    opens_ms = plan.stop_window_ms[:, 0]
    waits = (opens_ms != UNKNOWN_MS) & plan.wait_for_window
    opens_s = np.where(waits, (np.where(waits, opens_ms, plan.start_ms) - plan.start_ms) / 1000, -np.inf)
    leg_s = seen.drive_s * drive
    service_s = seen.service_s * service
    way_m, drive_s, squares = ways_to(plan), np.cumsum(leg_s), service_s**2
    columns = (
        way_m,
        drive_s,
        service_s,
        np.cumsum(service_s) - service_s,
        np.cumsum(squares) - squares,
        plan.stop_due_ms,
        opens_s,
        plan.door_m,
        plan.stops[:, 3],
    )
    return Outlook(
        columns=np.stack(columns),
        way_m=way_m.tolist(),
        drive_s=drive_s.tolist(),
        late_s=60.0 * late_min,
        late_sd_s=noise_s(rows, seen.start_keys, plan.start_ms),
        far_doors=bool(plan.door_m.any()),
        windows=bool(waits.any()),
    )


def _noise_kept(kept: Floats) -> Floats:
    """Tell which part of its variance a walk has left that is drawn back all the time, by the part of its beginning
    that is: that of an Ornstein-Uhlenbeck process over that of a random walk."""
    kept = np.maximum(kept, LEAST_KEPT)
    back = np.maximum(-2 * np.log(kept), 1e-9)
    return np.where(kept < 1.0, (1.0 - kept**2) / back, 1.0)


def _expected_each(rows: Mapping[RowKey, Row], what: str, flat: Sequence[FlatLevel], at_ms: Floats) -> Floats:
    nothing_known, levels = CHAINS[what]
    expected = np.full(len(at_ms), nothing_known)
    for level, of_all in zip(levels, flat, strict=False):  # a plan without stops has no levels
        known = [rows.get(key) for key in of_all.keys]
        expected = applied_to_each(level, expected, known, of_all.part, of_all.row, at_ms)
    return expected


def _expected(rows: Mapping[RowKey, Row], what: str, keys: Sequence[Parts], at_ms: float) -> float:
    expected, levels = CHAINS[what]
    for level, parts in zip(levels, keys, strict=True):
        expected = applied(level, expected, [(rows.get(key), part) for key, part in parts], at_ms)
    return expected


COLD = Model()
"""A model that knows nothing."""
