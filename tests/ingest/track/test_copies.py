"""Copies of one fix that do not agree: whatever the order and the batches, one ping and the same one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.pings import Pings
from tests.ingest.track.conftest import Fleet, Phone, pings_east

_REALS = st.sampled_from([float("nan"), 0.0, 0.5, 150.0, 250.0])
_YES_NO = st.sampled_from([-1, 0, 1])
_TEXTS = st.sampled_from([None, "", "walking", "Driving", "ñandú", "zebra", "😀"])

_ALL = (
    "SELECT recorded_at, accuracy_m, altitude_m, speed_mps, heading_deg, battery, charging, mock, activity, client_id,"
    " received_at, flags, believed, route_id, along_m FROM ping ORDER BY recorded_at"
)


@st.composite
def copies(draw: st.DrawFn) -> tuple[Pings, list[Pings]]:
    """Make up to six copies of two fixes, one of them 10 s after the other; the same again in another order and cut."""
    which = draw(st.lists(st.sampled_from([0, 1]), min_size=2, max_size=6))
    pings = pings_east([(10 * i, 80 * i) for i in which])
    for i in range(len(pings)):
        for name in ("accuracy_m", "altitude_m", "speed_mps", "heading_deg", "battery"):
            pings.rows[name][i] = draw(_REALS)
        for name in ("charging", "mock"):
            pings.rows[name][i] = draw(_YES_NO)
        pings.rows["flags"][i] = draw(st.sampled_from([0, 0, 0, 8, 128, 512]))
        pings.rows["received_ms"][i] = pings.rows["recorded_ms"].max() + draw(st.integers(0, 3)) * 1000
        pings.texts[i] = draw(_TEXTS), draw(_TEXTS)
    order = draw(st.permutations(range(len(pings))))
    cuts = sorted(draw(st.sets(st.integers(1, len(pings) - 1))))
    return pings, [pings.rows_at(part) for part in np.split(np.array(order), cuts)]


@pytest.fixture
async def phone(fleet: Fleet) -> Phone:
    """A phone of a driver on a tour."""
    driver = await fleet.driver()
    await fleet.route(driver, [600])
    return await fleet.phone(driver)


async def _stored(fleet: Fleet, phone: Phone, batches: list[Pings]) -> list[tuple[Any, ...]]:
    """Tell a driver's whole history anew."""
    await fleet.pool.execute("TRUNCATE packed_ping, track, checkpoint, live, event, visit")
    await fleet.restart()
    for batch in batches:
        await fleet.send(phone, batch)
        await fleet.settle()
    return [tuple(row) for row in await fleet.pool.fetch(_ALL)]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(copies())
async def test_copies_that_do_not_agree_end_as_the_same_ping_in_any_order_and_batches(
    fleet: Fleet, phone: Phone, sent: tuple[Pings, list[Pings]]
):
    together, apart = sent
    assert await _stored(fleet, phone, apart) == await _stored(fleet, phone, [together])
