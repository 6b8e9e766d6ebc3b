"""What an account's own history says of how long drives and services take.

Everything learned is a table of `Row`s: a person can read it, and it is stored as it is. `Model` is what ETAs are made
with: the rows, the windows' table (`geo.eta_window`), and look-ups prepared for each plan.

    rows of the account ──Model()──► model ──outlook(plan)──► seconds per leg and per stop ──► geo.eta.estimate
          ▲                                                                                        │
          └── learn(rows, observations) ◄── observe(model, plan, passed) ◄── closed visits, driven stretches
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from geo.eta_window import BUILT_IN, Band
from geo.pings import UNKNOWN_MS, Floats, Ints
from geo.plans import Plan

ANY = -1
"""Hour or weekday class of a row that holds for all of them."""


class Key(NamedTuple):
    """What a row is about.

    Attributes:
        scope: `drive` (all drives of the account), `drive_leg`, `drive_cell`, `drive_driver`, `service` (all),
            `service_place`, `service_area`, `service_kind`, `service_driver`.
        key: which leg, cell, driver, place, area or kind, in a form to read; empty where the scope has but one.
        hour_class: of the local time of day, 0 to 5; ANY.
        weekday_class: 0 Monday to Friday, 1 Saturday, 2 Sunday; ANY.
    """

    scope: str
    key: str = ""
    hour_class: int = ANY
    weekday_class: int = ANY


@dataclass(frozen=True, slots=True)
class Row:
    """What was seen of one thing.

    Attributes:
        n: observations, older ones counting less.
        mean: of log(seconds it took / seconds expected without knowing this thing).
        m2: sum of squared differences from the mean, weighted like n.
        as_of_ms: to which moment n and m2 are decayed.
    """

    n: float
    mean: float
    m2: float
    as_of_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What a model expects of a plan.

    Attributes:
        columns: (s + 1, 6) for each stop: along_m; drive_s, from the stop before (the path's start); drive_var;
            service_s; service_var (seconds squared); opens_s (its window opens, seconds after the plan's start; -inf).
            The last row is the path's end.
    """

    columns: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """What one account has learned; never changes.

    Attributes:
        version: of the stored rows, ascending; 0 for a model that knows nothing.
        rows: by key.
        bands: how wide windows are, by lead.
    """

    version: int = 0
    rows: Mapping[Key, Row] = field(default_factory=dict)
    bands: tuple[Band, ...] = BUILT_IN
    _outlooks: WeakKeyDictionary[Plan, Outlook] = field(default_factory=WeakKeyDictionary, init=False, repr=False)

    def outlook(self, plan: Plan) -> Outlook:
        """Give what is expected of a plan; looked up once, kept as long as the plan and this model live."""
        found = self._outlooks.get(plan)
        if found is None:
            found = self._outlooks[plan] = Outlook(np.zeros((len(plan.stop_ids) + 1, 6)))
        return found


COLD = Model()
"""A model that knows nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One drive or service that is over.

    Attributes:
        keys: the rows it says something about.
        values: log(took / expected) for each of them.
        ended_ms: when it was over.
    """

    keys: tuple[Key, ...]
    values: tuple[float, ...]
    ended_ms: int


def observe(model: Model, plan: Plan, driver_id: int, arrived_ms: Ints, departed_ms: Ints) -> list[Observation]:
    """Tell what a driven tour, or the part of it that is over, says.

    Args:
        model: against which drivers are held; any version of the account's, the newest is best.
        plan: as it was driven.
        driver_id: who drove.
        arrived_ms, departed_ms: (s,) of each stop, UNKNOWN_MS where it was not visited or passed; equal where the van
            passed without halting (`passed`). A visit that is still open: departed_ms UNKNOWN_MS.
    """
    return []


def passed(plan: Plan, ms: Ints, along_m: Floats) -> Ints:
    """Tell when a van passed each stop, from its believed places on the path, for `observe`.

    Args:
        ms, along_m: (p,) of its pings on the route, ascending in time.

    Returns:
        (s,) interpolated; UNKNOWN_MS where two places on both sides of the stop are more than five minutes apart, or
        there are none.
    """
    return np.full(len(plan.stop_ids), UNKNOWN_MS)


def learn(rows: Mapping[Key, Row], observations: Sequence[Observation]) -> dict[Key, Row]:
    """Add observations to rows; in a batch their order does not matter.

    Args:
        rows: those of the observations' keys that exist (others may be there too).

    Returns:
        The rows that changed, and only these.
    """
    return {}


def keys_of(observations: Iterable[Observation]) -> set[Key]:
    """List the rows that `learn` needs."""
    return {key for observation in observations for key in observation.keys}
