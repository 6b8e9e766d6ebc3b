"""When a driver will be at each stop ahead: what is left to drive and to do, at the pace of today, and how sure it is.

What a drive or a service takes comes from the account's `geo.eta.model.Model`; without one it is what the plan says, so
that the first ETA of all is the plan moved by the present delay.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geo.eta.by_van import in_order, never_less
from geo.eta.model import BEFORE, DOOR, DRIVE, DUE, OPENS, PATH, SERVICE, SQUARES, WAY, Model
from geo.eta.numbers import DELAY_NOISE, DOOR_NOISE, DRIVE_NOISE_S, PACE_NOISE, SERVICE_NOISE
from geo.eta.vans import Now, UnderWay, now_of, under_way
from geo.eta.window import widen
from geo.numbers import DRIVE_MPS, TYPICAL_MPS
from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.plans import Timeline
from geo.visits import tour


@dataclass(frozen=True, slots=True, eq=False)
class Eta:
    """When tracks will be at the stops ahead of them, by the last believed ping of each (`recorded_ms`).

    Attributes:
        track: (k,) row in `tracks`, ascending; each track's stops in the order of the tour.
        stop_id, place: (k,) which stop, and its place in the tour.
        expected_ms, low_ms, high_ms: (k,) epoch milliseconds; low never before the ping; none of them before the same
            of the stop before.
        remaining_m: (k,) metres of path to the stop, and to doors far from it and back, at least 0.
        stops_before: (k,) how many stops come before it.
        spread_s: (k,) how far off the arrival is expected to be: the measure of windows (`geo.eta.window`).
        delay_s: (k,) how late each stop would be reached if none of the delay were made up; NaN without planned times.
        waits: (k,) whether the van waits for its start.
        start_s, service_s: (k,) how much of the time to `expected_ms` is waiting for the start, and being at stops:
            their services, and waiting there for windows. The rest is driving, less what of a delay is made up.
        s_per_m: (k,) how long the next metre takes the van at today's pace; 0 while it waits for its start.
    """

    track: Ints
    stop_id: Ints
    place: Ints
    expected_ms: Ints
    low_ms: Ints
    high_ms: Ints
    remaining_m: Floats
    stops_before: Ints
    spread_s: Floats
    delay_s: Floats
    waits: Bools
    start_s: Floats
    service_s: Floats
    s_per_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Ahead:
    """The stops ahead of vans and those between that are served already, van by van in the order of the tour.

    Attributes:
        count: (m,) how many of each van.
        begin: (m,) where they begin.
        which: (k,) whose, row in `UnderWay`.
        stop_id, place: (k,) which, and its place in the tour.
        served: (k,) whether there is nothing to do any more; None: nowhere.
        columns: (6 or 9, k) as in `geo.eta.model.Outlook`, without the last three where they say nothing.
        service_s, squares: (k,) of the stops ahead before each, the services and their squares.
        remaining_m: (k,) metres to each, at least 0.
        doors_m: (k,) of that not on the path, but to doors far from it and back.
        spared_m: (k,) of its way: to doors before it, far from the path, where nothing is to be done any more.
    """

    count: Ints
    begin: Ints
    which: Ints
    stop_id: Ints
    place: Ints
    served: Bools | None
    columns: Floats
    service_s: Floats
    squares: Floats
    remaining_m: Floats
    doors_m: Floats
    spared_m: Floats

    def of_each(self, values: Floats | Ints) -> Floats:
        """Say of each stop what is said of each van, (m,)."""
        found: Floats = np.repeat(values, self.count).astype(np.float64, copy=False)
        return found


def estimate(tracks: Rows, timelines: Sequence[Timeline], models: Sequence[Model] | None = None) -> Eta:
    """Estimate the arrivals of many drivers at all stops ahead of each, each as if it were alone.

    A stop where the van already is, was, or which was passed over is not ahead. A driver on no route has none.

    Args:
        tracks: (m,) of dtype `geo.fold.fold.TRACK`.
        timelines: (m,) of the same drivers.
        models: (m,) what the account of each has learned; None: nothing.
    """
    vans = under_way(tracks, timelines, models)
    if not len(vans.at):
        none = np.zeros(0, np.int64)
        no_s = np.zeros(0)
        return Eta(none, none, none, none, none, none, no_s, none, no_s, no_s, none > 0, no_s, no_s, no_s)
    now, ahead = now_of(vans), _ahead(vans)
    lead_s, spread_s, service_s = _planned(vans, now, ahead)
    delay_s = lead_s - (ahead.columns[DUE] - ahead.of_each(vans.recorded_ms)) / 1000
    start_s = ahead.of_each(now.start_s)
    waits = start_s > 0
    early_s, late_s, spread_s, kept = _learned(vans, ahead, now, lead_s, spread_s, delay_s, waits)
    if kept is not None:
        lead_s = np.where(np.isnan(delay_s), lead_s, lead_s - (1.0 - kept) * delay_s)
    lead_s = np.maximum(lead_s, ahead.remaining_m / DRIVE_MPS)

    left = slice(None) if ahead.served is None else ~ahead.served
    which = ahead.which[left]
    as_of_ms = vans.recorded_ms[which]
    # what is farther away is known no better, whatever was learned of each lead by itself
    lead_ms, early_ms, late_ms = (in_order(which, seconds[left]) for seconds in (lead_s, early_s, late_s))
    expected_ms = lead_ms + as_of_ms
    return Eta(
        track=vans.at[which],
        stop_id=ahead.stop_id[left],
        place=ahead.place[left],
        expected_ms=expected_ms,
        low_ms=never_less(which, np.maximum(lead_ms - early_ms, 0)) + as_of_ms,
        high_ms=expected_ms + late_ms,
        remaining_m=ahead.remaining_m[left],
        stops_before=np.arange(len(which)) - np.searchsorted(which, np.arange(len(vans.at)))[which],
        spread_s=spread_s[left],
        delay_s=delay_s[left],
        waits=waits[left],
        start_s=start_s[left],
        service_s=service_s[left],
        s_per_m=now.s_per_m[which],
    )


def _ahead(vans: UnderWay) -> _Ahead:
    outlooks, rows = vans.outlooks, vans.row.tolist()
    count = vans.count - vans.row
    begin = np.cumsum(count) - count
    which = np.repeat(np.arange(len(rows)), count)
    whole = any(look.far_doors or look.windows for look in outlooks)
    height = PATH + 1 if whole else OPENS
    columns = np.concatenate([look.columns[:height, row:] for look, row in zip(outlooks, rows, strict=True)], axis=1)
    service_s, squares = (columns[name] - np.repeat(columns[name, begin], count) for name in (BEFORE, SQUARES))
    doors_m, spared_m = np.zeros((2, len(which)))
    served = _served(vans, count, begin)
    if served is not None:
        for i in np.unique(which[served]).tolist():
            part = slice(begin[i], begin[i] + count[i])
            to_do_s = np.where(served[part], 0.0, columns[SERVICE, part])
            service_s[part], squares[part] = _before(to_do_s), _before(to_do_s**2)
            if whole:
                spared_m[part] = _before(np.where(served[part], 2 * columns[DOOR, part], 0.0))
    remaining_m = np.maximum(columns[WAY] - np.repeat(vans.way_m, count) - spared_m, 0.0)
    if whole:
        path_m = columns[PATH] - np.repeat(np.nan_to_num(vans.tracks["along_m"]), count)
        doors_m = np.maximum(remaining_m - np.maximum(path_m, 0.0), 0.0)
    return _Ahead(
        count=count,
        begin=begin,
        which=which,
        stop_id=np.concatenate([plan.stop_ids[row:] for plan, row in zip(vans.plans, rows, strict=True)]),
        place=np.arange(len(which)) + np.repeat(vans.row - begin, count),
        served=served,
        columns=columns,
        service_s=service_s,
        squares=squares,
        remaining_m=remaining_m,
        doors_m=doors_m,
        spared_m=spared_m,
    )


def _served(vans: UnderWay, count: Ints, begin: Ints) -> Bools | None:
    """Tell which stops from the first ahead on need no visit any more; None: they all do, as mostly."""
    visits = vans.tracks["visits"][:, : vans.count.max()]
    gone = tour.served(visits) & (np.arange(visits.shape[1]) >= vans.row[:, None])
    some = np.flatnonzero(gone.any(axis=1)).tolist()
    if not some:
        return None
    found = np.zeros(int(count.sum()), np.bool_)
    for i in some:
        found[begin[i] : begin[i] + count[i]] = gone[i, vans.row[i] : vans.count[i]]
    return found


def _before(values: Floats) -> Floats:
    sums: Floats = np.cumsum(values) - values
    return sums


def _planned(vans: UnderWay, now: Now, ahead: _Ahead) -> tuple[Floats, Floats, Floats]:
    """Tell how long it takes to each stop at the pace of today, if no delay is made up, and how far off that may be.

    Returns:
        (k,) seconds from the ping; (k,) the spread: the drives, the services before and the start are each off; (k,)
        of those seconds being at stops.
    """
    drive_s = ahead.columns[DRIVE] - ahead.of_each(now.driven_s) - ahead.spared_m / TYPICAL_MPS
    drive_s = np.maximum(drive_s, 0.0) * ahead.of_each(now.pace)
    spread_s = np.sqrt(
        DRIVE_NOISE_S * drive_s
        + (PACE_NOISE * drive_s) ** 2
        + SERVICE_NOISE**2 * (ahead.squares + ahead.of_each(now.wait_s**2))
        + ahead.of_each(now.start_sd_s**2)
        + (DOOR_NOISE * ahead.doors_m / TYPICAL_MPS) ** 2
    )
    paced_s = ahead.of_each(np.maximum(now.wait_s, now.start_s)) + drive_s + ahead.service_s
    at_stops_s = ahead.service_s + ahead.of_each(np.maximum(now.wait_s - now.start_s, 0.0))
    if not any(look.windows for look in vans.outlooks):
        return paced_s, spread_s, at_stops_s
    waited_s = _waited_s(vans, ahead, paced_s)
    return paced_s + waited_s, spread_s, at_stops_s + waited_s


def _waited_s(vans: UnderWay, ahead: _Ahead, lead_s: Floats) -> Floats:
    """Tell how long a van that comes before windows open has waited there before each stop.

    The van leaves a stop no sooner than it opens and is served: every stop is reached no sooner than each window before
    it opens, and what lies between.
    """
    now_s = (vans.recorded_ms - np.array([plan.start_ms for plan in vans.plans], np.int64)) / 1000
    early_s = ahead.columns[OPENS] - ahead.of_each(now_s) - lead_s  # how long it waits at this stop, if it comes so
    waited_s = in_order(ahead.which, np.maximum(early_s, 0.0)) / 1000
    before_s = np.concatenate(([0.0], waited_s[:-1]))
    before_s[ahead.begin] = 0.0
    return before_s


def _learned(
    vans: UnderWay, ahead: _Ahead, now: Now, lead_s: Floats, spread_s: Floats, delay_s: Floats, waits: Bools
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Tell by what each van's account learned how far windows reach to both sides, how far off arrivals are expected to
    be, and which part of a delay, or of being early, stays (None: all of it)."""
    on_route = np.repeat(vans.tracks["on_route"], ahead.count)
    of_models = list(_of_models(vans, ahead))
    kept = None
    if any(model.makes_up for model, _ in of_models):
        kept, noise_kept = np.empty((2, len(lead_s)))
        for model, theirs in of_models:
            kept[theirs] = model.delay_kept(lead_s[theirs], delay_s[theirs], waits[theirs])
            noise_kept[theirs] = model.noise_kept(lead_s[theirs])
        unplanned = np.isnan(delay_s)
        kept[unplanned] = noise_kept[unplanned] = 1.0  # without a plan's times there is nothing to come back to
        of_start = ahead.of_each(now.start_sd_s**2)
        of_delay = np.where(waits, 0.0, (DELAY_NOISE * delay_s) ** 2)
        other_s = np.sqrt(of_start + noise_kept * (spread_s**2 - of_start) + (1.0 - kept) * of_delay)
        # to the bit, whoever is asked about beside
        spread_s = np.where((noise_kept < 1.0) | (kept < 1.0), other_s, spread_s)
    early_s, late_s = np.empty((2, len(lead_s)))
    for model, theirs in of_models:
        early_s[theirs], late_s[theirs] = widen(
            model.bands, lead_s[theirs], spread_s[theirs], on_route[theirs], waits[theirs]
        )
    return early_s, late_s, spread_s, kept


def _of_models(vans: UnderWay, ahead: _Ahead) -> Iterator[tuple[Model, slice | Ints]]:
    """Give each model once, and the stops it is asked about."""
    number = {model: i for i, model in enumerate(dict.fromkeys(vans.models))}
    if len(number) == 1:
        yield vans.models[0], slice(None)
        return
    of_model = np.repeat(np.array([number[model] for model in vans.models], np.int64), ahead.count)
    borders = np.cumsum(np.bincount(of_model, minlength=len(number)))[:-1]
    yield from zip(number, np.split(np.argsort(of_model, kind="stable"), borders), strict=True)
