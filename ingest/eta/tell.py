"""ETAs that follow from folding: written when there is news, remembered as they were told, told where it matters."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geo.eta import estimate as eta
from geo.eta.score import bucket_of
from geo.fold.fold import FactType
from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.plans import Plan, Timeline, places_in
from ingest.config import IngestConfig
from ingest.drivers.cache import Drivers
from ingest.drivers.shown import Shown
from ingest.eta.alerts import write_alerts
from sql.eta.eta import EtaWrite, put_etas
from sql.eta.told import Told, put_told
from sql.pool import Db

_EVENTS = (FactType.STOP_ARRIVED, FactType.STOP_DEPARTED, FactType.ROUTE_OFF, FactType.ROUTE_BACK)
"""What makes an ETA worth writing however little it moved: who looks at it sees the reason too."""


async def follow_etas(
    db: Db, drivers: Drivers, timelines: Sequence[Timeline], touched: Ints, happened: Rows, config: IngestConfig
) -> None:
    """Estimate when the drivers that were folded will be at their stops, and write what is news.

    Args:
        timelines: of all `drivers`.
        touched: their entries in `drivers`.
        happened: of dtype `geo.fold.fold.HAPPENED`; its tracks are entries of `drivers`.
    """
    tracks = drivers.tracks[touched]
    of = drivers.accounts[touched].tolist()
    plans = [
        timelines[i].plan(route_id, version)
        for i, route_id, version in zip(
            touched.tolist(), tracks["route_id"].tolist(), tracks["route_version"].tolist(), strict=True
        )
    ]
    accounts = await drivers.models.of_accounts(db, zip(of, plans, strict=True))
    found = eta.estimate(tracks, [timelines[i] for i in touched.tolist()], [accounts[one].model for one in of])
    events = set(happened["track"][np.isin(happened["type"], _EVENTS)].tolist())
    news: list[EtaWrite] = []
    told: list[Told] = []
    settled = drivers.settled
    for i, now in _etas(tracks, touched, found):
        shown = drivers.shown[i]
        if not _may_be_shown(shown.eta, now, settled=bool(settled[i])):
            continue
        if i in events or shown.eta is None or _moved(shown.eta, now, config):
            buckets = np.full(len(now.stop_ids), -1)
            if shown.eta is not None and shown.buckets is not None and shown.eta.route_id == now.route_id:
                buckets = _carried(shown.eta.stop_ids, shown.buckets, now.stop_ids)
            shown = replace(shown, eta=now, buckets=buckets)
            news.append(now)
        drivers.shown[i], first = _told(drivers, i, shown, now, timelines[i].plan(now.route_id, now.version))
        told += first
    if news:
        await put_etas(db, news)
    if told:
        await put_told(db, told)
    await write_alerts(db, drivers, timelines, touched, found, accounts)


def _etas(tracks: Rows, touched: Ints, found: eta.Eta) -> list[tuple[int, EtaWrite]]:
    rows, first = np.unique(found.track, return_index=True)
    etas = []
    for row, begin, end in zip(rows.tolist(), first, np.append(first, len(found.track))[1:], strict=True):
        part = slice(begin, end)
        track = tracks[row]
        etas.append(
            (
                int(touched[row]),
                EtaWrite(
                    route_id=int(track["route_id"]),
                    version=int(track["route_version"]),
                    as_of_ms=int(track["recorded_ms"]),
                    stop_ids=found.stop_id[part],
                    expected_ms=found.expected_ms[part],
                    low_ms=found.low_ms[part],
                    high_ms=found.high_ms[part],
                    remaining_m=found.remaining_m[part],
                    spread_s=found.spread_s[part],
                    paced_s=found.delay_s[part],
                ),
            )
        )
    return etas


def _may_be_shown(shown: EtaWrite | None, now: EtaWrite, *, settled: bool) -> bool:
    """An ETA in the middle of a re-run waits for its end."""
    return settled or (shown is not None and now.as_of_ms >= shown.as_of_ms)


def _moved(shown: EtaWrite, now: EtaWrite, config: IngestConfig) -> bool:
    """Tell whether an ETA is another one than the one shown, by more than is worth writing."""
    if (shown.route_id, shown.version) != (now.route_id, now.version):
        return True
    if not np.array_equal(shown.stop_ids, now.stop_ids):
        return True
    near = now.expected_ms - now.as_of_ms <= config.eta_near_s * 1000
    worth_ms = np.where(near, config.eta_moved_near_s, config.eta_moved_far_s) * 1000
    moved: Bools = np.zeros(len(near), bool)
    for name in ("expected_ms", "low_ms", "high_ms"):
        moved |= np.abs(getattr(shown, name) - getattr(now, name)) > worth_ms
    return bool(moved.any())


def _carried(from_ids: Ints, buckets: Ints, to_ids: Ints) -> Ints:
    """Give each of some stops the bucket that it has among others, -1 where it is not among them."""
    known = dict(zip(from_ids.tolist(), buckets.tolist(), strict=True))
    return np.array([known.get(stop_id, -1) for stop_id in to_ids.tolist()], np.int64)


def _told(drivers: Drivers, i: int, shown: Shown, now: EtaWrite, plan: Plan | None) -> tuple[Shown, list[Told]]:
    """Remember what is shown of the stops that have come into another bucket of leads since it was remembered."""
    eta = shown.eta
    assert eta is not None
    assert shown.buckets is not None
    buckets = bucket_of((eta.expected_ms - now.as_of_ms) / 1000)
    other = np.flatnonzero(buckets != shown.buckets)
    if not len(other) or plan is None:
        return shown, []
    delay_s = float(drivers.tracks["delay_s"][i])
    planned_ms: Floats = plan.stop_due_ms[places_in(plan, eta.stop_ids[other])]
    first = [
        Told(
            route_id=eta.route_id,
            stop_id=int(eta.stop_ids[place]),
            bucket=int(buckets[place]),
            account_id=int(drivers.accounts[i]),
            driver_id=int(drivers.ids[i]),
            as_of_ms=now.as_of_ms,
            expected_ms=int(eta.expected_ms[place]),
            low_ms=int(eta.low_ms[place]),
            high_ms=int(eta.high_ms[place]),
            planned_ms=None if np.isnan(planned) else int(planned),
            delay_s=None if np.isnan(delay_s) else delay_s,
            spread_s=float(eta.spread_s[place]),
            paced_s=None if np.isnan(eta.paced_s[place]) else float(eta.paced_s[place]),
            on_route=bool(drivers.tracks["on_route"][i]),
        )
        for place, planned in zip(other.tolist(), planned_ms.tolist(), strict=True)
    ]
    return replace(shown, buckets=buckets), first
