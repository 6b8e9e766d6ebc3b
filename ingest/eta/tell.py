"""ETAs that follow from folding: written when there is news, remembered as they were told, told where it matters."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from geo.eta import estimate as eta
from geo.eta.score import bucket_of
from geo.pings import Floats, Ints
from geo.plan.plans import places_in
from geo.times import ms_of
from ingest.config import IngestConfig
from ingest.drivers.models import AccountEta, ModelCache
from ingest.drivers.shown import Shown
from ingest.eta.alerts import write_alerts
from ingest.eta.hold import holding, holds_of
from ingest.eta.moved import begins_of, in_other_buckets, may_be_told_of, room_ms
from ingest.eta.vans import Vans
from sql.eta.eta import EtaWrite, put_etas
from sql.eta.told import Told, put_told
from sql.pool import Db


async def follow_etas(db: Db, vans: Vans, models: ModelCache, config: IngestConfig, now: datetime) -> Sequence[Shown]:
    """Estimate when vans will be at their stops, where that may be news, and write what is; give back what others were
    told by now."""
    accounts = await models.of_accounts(db, set(vans.accounts.tolist()))
    of_each = [accounts[one] for one in vans.accounts.tolist()]
    moved = np.flatnonzero(~holding(vans, of_each, ms_of(now)))
    shown = list(vans.shown)
    if len(moved):
        some = vans.rows_at(moved)
        await models.know(db, zip(some.accounts.tolist(), some.plans, strict=True))
        told = await _follow(db, some, accounts, config, now)
        for i, one in zip(moved.tolist(), told, strict=True):
            shown[i] = one
    return shown


async def _follow(
    db: Db, vans: Vans, accounts: Mapping[int, AccountEta], config: IngestConfig, now: datetime
) -> Sequence[Shown]:
    of_each = [accounts[one] for one in vans.accounts.tolist()]
    found = eta.estimate(vans.tracks, vans.timelines, [account.model for account in of_each])
    begin = begins_of(found, len(vans))
    shown = list(vans.shown)
    may_be_told = may_be_told_of(vans, begin)
    left_ms, whole_ms = room_ms(vans, found, begin, config)
    is_news = may_be_told & (vans.seen | (left_ms < 0))
    news: list[EtaWrite] = []
    for i in np.flatnonzero(is_news).tolist():
        estimated = _eta_of(vans.tracks[i], found, slice(begin[i], begin[i + 1]))
        shown[i] = replace(shown[i], eta=estimated, buckets=_carried(shown[i], estimated))
        news.append(estimated)
    told: list[Told] = []
    of_whom = np.flatnonzero(may_be_told)
    others, until_ms = in_other_buckets(shown, vans.tracks, of_whom)
    for i in others:
        shown[i], first = _told(vans, i, shown[i])
        told += first
    if news:
        await put_etas(db, news)
    if told:
        await put_told(db, told)
    shown = list(await write_alerts(db, replace(vans, shown=shown), found, begin, accounts, now))
    holds_ms = np.full(len(vans), round(config.eta_holds_s * 1000))
    holds_ms[of_whom] = np.minimum(holds_ms[of_whom], until_ms)
    holds = holds_of(
        vans,
        found,
        begin,
        np.where(is_news, whole_ms, left_ms),
        vans.tracks["recorded_ms"] + holds_ms,
        of_each,
        ms_of(now),
    )
    return [replace(one, hold=hold) for one, hold in zip(shown, holds, strict=True)]


def _eta_of(track: np.void, found: eta.Eta, stops: slice) -> EtaWrite:
    """Copy what was estimated of one van: it is remembered, and the columns of all vans are not."""
    return EtaWrite(
        route_id=int(track["route_id"]),
        version=int(track["route_version"]),
        as_of_ms=int(track["recorded_ms"]),
        along_m=float(track["along_m"]) if track["on_route"] else None,
        stop_ids=found.stop_id[stops].copy(),
        expected_ms=found.expected_ms[stops].copy(),
        low_ms=found.low_ms[stops].copy(),
        high_ms=found.high_ms[stops].copy(),
        remaining_m=found.remaining_m[stops].copy(),
        spread_s=found.spread_s[stops].copy(),
        paced_s=found.delay_s[stops].copy(),
        waits=found.waits[stops].copy(),
    )


def _carried(before: Shown, now: EtaWrite) -> Ints:
    """Give each stop the bucket that was remembered of it, -1 where none was on this route."""
    known: dict[int, int] = {}
    if before.eta is not None and before.buckets is not None and before.eta.route_id == now.route_id:
        known = dict(zip(before.eta.stop_ids.tolist(), before.buckets.tolist(), strict=True))
    return np.array([known.get(stop_id, -1) for stop_id in now.stop_ids.tolist()], np.int64)


def _told(vans: Vans, i: int, shown: Shown) -> tuple[Shown, list[Told]]:
    """Remember what is shown of the stops that have come into another bucket of leads since it was remembered."""
    eta, plan, track = shown.eta, vans.plans[i], vans.tracks[i]
    as_of_ms = int(track["recorded_ms"])
    assert eta is not None
    buckets = bucket_of((eta.expected_ms - as_of_ms) / 1000)
    other = np.flatnonzero(buckets != shown.buckets)
    if plan is None:
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
            as_of_ms=as_of_ms,
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
