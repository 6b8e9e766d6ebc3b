"""Many vans at once are estimated as each would be by hand, stop after stop."""

from dataclasses import fields, replace

import numpy as np
import pytest

from geo.eta.estimate import Eta, estimate
from geo.eta.model import Model, Outlook, Row, RowKey
from geo.eta.numbers import (
    DELAY_NOISE,
    DOOR_NOISE,
    DRIVE_NOISE_S,
    PACE_NOISE,
    PACES,
    SERVICE_NOISE,
    TODAY_S,
)
from geo.eta.start import left_s
from geo.eta.way import way_from, ways_of
from geo.eta.window import widen
from geo.fold.fold import advance, fresh
from geo.numbers import DRIVE_MPS, START_M, TYPICAL_MPS
from geo.pings import UNKNOWN_MS, Rows
from geo.plan.numbers import DEPOT_M
from geo.plan.plans import Plan, Timeline
from geo.visits import tour
from tests.geo.city import START_MS, town_day

LEARNED = Model(
    version=2,
    rows={
        RowKey("delay", "late, 10 min ahead"): Row(1e6, 0.6, 0.0, START_MS),
        RowKey("delay", "early, 10 min ahead"): Row(1e6, 0.3, 0.0, START_MS),
        RowKey("start"): Row(50.0, 3.0, 99.0, START_MS),
    },
)


def by_hand(track: np.void, plan: Plan, model: Model) -> list[tuple[int, int, int, int, float]]:
    """Stop, expected, low and high, metres left, of each stop ahead of one van."""
    look, ms = model.outlook(plan), int(track["recorded_ms"])
    row = tour.ahead_row(plan, track["visits"], int(track["standing"]["last"]), float(track["along_m"]))
    one = np.array([track])
    [way_m] = ways_of([plan], one, [row], [look.far_doors])
    wait_s, been_s = at_stop(track, plan, look)
    start_s, start_sd_s = before_start(track, plan, look)
    begun_ms, begun_m, served_ms, _ = track["pace"].tolist()
    driven_s = driven(look, way_m)
    pace = 1.0
    if begun_ms != UNKNOWN_MS:
        spent_s = (ms - begun_ms) / 1000 - (served_ms / 1000 + been_s)
        expected_s = driven_s - driven(look, way_from(plan, begun_m, row))
        pace = min(max((max(spent_s, 0.0) + TODAY_S) / (max(expected_s, 0.0) + TODAY_S), PACES[0]), PACES[1])
    behind_s = 0.0 if start_s else driven_s

    found: list[tuple[int, int, int, int, float]] = []
    services_s = squares = spared_m = waited_s = 0.0
    lowest = highest = soonest = early_ms = 0
    for place in range(row, len(plan.stop_ids)):
        way, drive, service_s, _, _, due_ms, opens_s, door_m, path_m = look.columns[:, place].tolist()
        left_m = max(way - way_m - spared_m, 0.0)
        away_m = max(left_m - max(path_m - np.nan_to_num(track["along_m"]), 0.0), 0.0)
        drive_s = max(drive - behind_s - spared_m / TYPICAL_MPS, 0.0) * pace
        spread_s = np.sqrt(
            DRIVE_NOISE_S * drive_s
            + (PACE_NOISE * drive_s) ** 2
            + SERVICE_NOISE**2 * (squares + wait_s**2)
            + start_sd_s**2
            + (DOOR_NOISE * away_m / TYPICAL_MPS) ** 2
        )
        paced_s = max(wait_s, start_s) + drive_s + services_s
        lead_s = paced_s + waited_s
        waited_s = max(waited_s, opens_s - (ms - plan.start_ms) / 1000 - paced_s)
        delay_s = lead_s + (ms - due_ms) / 1000
        if not np.isnan(due_ms):
            noise_kept = float(model.noise_kept(np.array([lead_s]))[0])
            kept = float(model.delay_kept(*(np.array([value]) for value in (lead_s, delay_s, start_s > 0)))[0])
            of_delay = 0.0 if start_s > 0 else (DELAY_NOISE * delay_s) ** 2
            of_drive = noise_kept * (spread_s**2 - start_sd_s**2)
            spread_s = np.sqrt(start_sd_s**2 + of_drive + (1 - kept) * of_delay)
        [early_s], [late_s] = widen(
            model.bands, *(np.array([value]) for value in (lead_s, spread_s, track["on_route"], start_s > 0))
        )
        if not np.isnan(due_ms):
            lead_s -= (1 - kept) * delay_s
        lead_s = max(lead_s, left_m / DRIVE_MPS)
        if tour.served(track["visits"][place]):
            spared_m += 2 * door_m
            continue
        soonest = max(soonest, round(lead_s * 1000))
        early_ms = max(early_ms, round(early_s * 1000))
        highest = max(highest, round(late_s * 1000))
        lowest = max(lowest, soonest - early_ms)
        found.append((int(plan.stop_ids[place]), ms + soonest, ms + lowest, ms + soonest + highest, left_m))
        services_s += service_s
        squares += service_s**2
    return found


def at_stop(track: np.void, plan: Plan, look: Outlook) -> tuple[float, float]:
    """How long the van will stay, and how long it has been there."""
    rows = tour.rows_here(track["visits"])
    if not rows:
        return 0.0, 0.0
    _, _, service_s, _, _, _, opens_s, _, _ = look.columns[:, rows]
    been_s = (track["recorded_ms"] - track["standing"]["arrived_ms"]) / 1000
    come_s = (track["standing"]["arrived_ms"] - plan.start_ms) / 1000
    if not service_s.sum():
        return 0.0, 0.0
    return max(service_s.sum() + max(opens_s[0] - come_s, 0.0) - been_s, 0.0), been_s


def before_start(track: np.void, plan: Plan, look: Outlook) -> tuple[float, float]:
    """How long the van waits for its start, and how far off that is."""
    along_m = np.nan_to_num(track["along_m"])
    early = track["recorded_ms"] < plan.start_ms and along_m < START_M
    if track["pace"]["begun_ms"] != UNKNOWN_MS or not (early or along_m < DEPOT_M):
        return 0.0, 0.0
    late_s, sd_s, now_s = (np.array([value]) for value in (look.late_s, look.late_sd_s, 0.0))
    now_s += (track["recorded_ms"] - plan.start_ms) / 1000
    [start_s], [start_sd_s] = left_s(late_s, sd_s, now_s)
    return float(start_s), float(start_sd_s)


def driven(look: Outlook, way_m: float) -> float:
    ways, drives = [0.0, *look.way_m], [0.0, *look.drive_s]
    return float(np.interp(way_m, ways, drives))


def with_windows(plan: Plan) -> Plan:
    """Every fifth stop opens ten minutes after the van is due."""
    windows = plan.stop_window_ms.copy()
    windows[::5, 0] = plan.stop_due_ms[::5].astype(np.int64) + 600_000
    windows[::5, 1] = windows[::5, 0] + 3_600_000
    return replace(plan, stop_window_ms=windows, wait_for_window=True)


def with_far_doors(plan: Plan) -> Plan:
    """Every fourth door lies half a kilometre from the path."""
    door_m = np.zeros(len(plan.stop_ids))
    door_m[::4] = 500.0
    return replace(plan, door_m=door_m)


def without_times(plan: Plan) -> Plan:
    return replace(plan, stop_due_ms=np.full(len(plan.stop_ids), np.nan), timetable=())


def mornings(part: float) -> tuple[Rows, list[Plan]]:
    """Six vans of all kinds, after so much of their day."""
    tracks, plans = [], []
    for i, made in enumerate((with_windows, with_far_doors, without_times) * 2):
        plan, _, pings = town_day(i, driver_id=i + 1, stops=12, every_s=15)
        plan = made(plan)
        upto = pings.rows_at(slice(0, 1 + int(part * len(pings))))
        track = advance(fresh(np.array([i + 1])), upto, [Timeline(driver_id=i + 1, plans=(plan,))])[0]
        if i >= 3:  # some of what is ahead was said to be done
            track["visits"][0, 5 : len(plan.stop_ids) : 3] |= tour.DONE
        if i == 4:
            track["on_route"], track["lat_e6"] = False, track["lat_e6"] + 2_000
        tracks.append(track)
        plans.append(plan)
    return np.concatenate(tracks), plans


@pytest.mark.parametrize("part", [0.0, 0.05, 0.3, 0.5, 0.62, 0.8])
@pytest.mark.parametrize("models", [[Model(), LEARNED] * 3, [Model()] * 6, [LEARNED] * 6])
def test_many_at_once_are_estimated_as_one_by_hand(part: float, models: list[Model]) -> None:
    tracks, plans = mornings(part)
    timelines = [Timeline(driver_id=i + 1, plans=(plan,)) for i, plan in enumerate(plans)]
    together = estimate(tracks, timelines, models)
    assert len(together.track)
    for i, (track, plan, model) in enumerate(zip(tracks, plans, models, strict=True)):
        mine = together.track == i
        names = ("stop_id", "expected_ms", "low_ms", "high_ms", "remaining_m")
        told = list(zip(*(getattr(together, name)[mine].tolist() for name in names), strict=True))
        hand = by_hand(track, plan, model)
        assert [one[0] for one in told] == [one[0] for one in hand]
        assert np.array(told) == pytest.approx(np.array(hand), rel=0, abs=3)  # milliseconds
        alone = estimate(tracks[i : i + 1], timelines[i : i + 1], models[i : i + 1])
        for field in fields(Eta):
            if field.name != "track":
                np.testing.assert_array_equal(getattr(alone, field.name), getattr(together, field.name)[mine])
