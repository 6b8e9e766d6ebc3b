"""ETAs that follow from folding: written when there is news, remembered as they were told, told where it matters."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from geo.eta import estimate as eta
from geo.eta.score import bucket_of
from geo.pings import Bools, Floats, Ints, Rows
from geo.plan.plans import places_in
from ingest.config import IngestConfig
from ingest.drivers.models import ModelCache
from ingest.drivers.shown import Shown
from ingest.eta.alerts import write_alerts
from ingest.eta.vans import Vans
from sql.eta.eta import EtaWrite, put_etas
from sql.eta.told import Told, put_told
from sql.pool import Db


async def follow_etas(db: Db, vans: Vans, models: ModelCache, config: IngestConfig, now: datetime) -> Sequence[Shown]:
    """Estimate when vans will be at their stops, and write what is news; give back what others were told by now."""
    accounts = await models.of_accounts(db, zip(vans.accounts.tolist(), vans.plans, strict=True))
    found = eta.estimate(vans.tracks, vans.timelines, [accounts[one].model for one in vans.accounts.tolist()])
    shown = list(vans.shown)
    news: list[EtaWrite] = []
    told: list[Told] = []
    for i, estimated in _etas(vans.tracks, found):
        before = shown[i]
        if not _may_be_shown(before.eta, estimated, caught_up=bool(vans.caught_up[i])):
            continue
        if vans.seen[i] or before.eta is None or _moved(before.eta, estimated, config):
            buckets = np.full(len(estimated.stop_ids), -1)
            if before.eta is not None and before.buckets is not None and before.eta.route_id == estimated.route_id:
                buckets = _carried(before.eta.stop_ids, before.buckets, estimated.stop_ids)
            before = replace(before, eta=estimated, buckets=buckets)
            news.append(estimated)
        shown[i], first = _told(vans, i, before, estimated)
        told += first
    if news:
        await put_etas(db, news)
    if told:
        await put_told(db, told)
    return await write_alerts(db, replace(vans, shown=shown), found, accounts, now)


def _etas(tracks: Rows, found: eta.Eta) -> list[tuple[int, EtaWrite]]:
    rows, first = np.unique(found.track, return_index=True)
    etas = []
    for row, begin, end in zip(rows.tolist(), first, np.append(first, len(found.track))[1:], strict=True):
        part = slice(begin, end)
        track = tracks[row]
        etas.append(
            (
                row,
                EtaWrite(
                    route_id=int(track["route_id"]),
                    version=int(track["route_version"]),
                    as_of_ms=int(track["recorded_ms"]),
                    along_m=float(track["along_m"]) if track["on_route"] else None,
                    stop_ids=found.stop_id[part],
                    expected_ms=found.expected_ms[part],
                    low_ms=found.low_ms[part],
                    high_ms=found.high_ms[part],
                    remaining_m=found.remaining_m[part],
                    spread_s=found.spread_s[part],
                    paced_s=found.delay_s[part],
                    waits=found.waits[part],
                ),
            )
        )
    return etas


def _may_be_shown(shown: EtaWrite | None, now: EtaWrite, *, caught_up: bool) -> bool:
    """An ETA in the middle of a re-run waits for its end."""
    return caught_up or (shown is not None and now.as_of_ms >= shown.as_of_ms)


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


def _told(vans: Vans, i: int, shown: Shown, now: EtaWrite) -> tuple[Shown, list[Told]]:
    """Remember what is shown of the stops that have come into another bucket of leads since it was remembered."""
    eta, plan, track = shown.eta, vans.plans[i], vans.tracks[i]
    assert eta is not None
    assert shown.buckets is not None
    buckets = bucket_of((eta.expected_ms - now.as_of_ms) / 1000)
    other = np.flatnonzero(buckets != shown.buckets)
    if not len(other) or plan is None:
        return shown, []
    delay_s = float(track["delay_s"])
    planned_ms: Floats = plan.stop_due_ms[places_in(plan, eta.stop_ids[other])]
    first = [
        Told(
            route_id=eta.route_id,
            stop_id=int(eta.stop_ids[place]),
            bucket=int(buckets[place]),
            account_id=int(vans.accounts[i]),
            driver_id=int(track["driver_id"]),
            as_of_ms=now.as_of_ms,
            expected_ms=int(eta.expected_ms[place]),
            low_ms=int(eta.low_ms[place]),
            high_ms=int(eta.high_ms[place]),
            planned_ms=None if np.isnan(planned) else int(planned),
            delay_s=None if np.isnan(delay_s) else delay_s,
            spread_s=float(eta.spread_s[place]),
            paced_s=None if np.isnan(eta.paced_s[place]) else float(eta.paced_s[place]),
            on_route=bool(track["on_route"]),
            waits=bool(eta.waits[place]),
        )
        for place, planned in zip(other.tolist(), planned_ms.tolist(), strict=True)
    ]
    return replace(shown, buckets=buckets), first
