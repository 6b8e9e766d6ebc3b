"""A day is planned again from the desk: what it means is said before it counts, and two who decide undo nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.api.tour_rows import Tour
from tests.browser.desk.conftest import PHONE, Office
from tests.browser.desk.looks import picture, shut_out_here
from tests.browser.waiting import until
from work.planning.make import PlanMaker
from work.roads.choose import STRAIGHT


@pytest.fixture
async def planner(office: Office) -> AsyncIterator[None]:
    """Plans are made, as `reparto work` does."""
    pytest.importorskip("pyvrp", reason="the extra plan is not installed")
    maker = PlanMaker(STRAIGHT)

    async def work() -> None:
        while True:
            await maker.look(office.pool)
            await asyncio.sleep(0.1)

    working = asyncio.create_task(work())
    yield
    working.cancel()
    await maker.drop()


async def test_a_van_is_out_and_two_dispatchers_decide_what_becomes_of_its_stops(
    browser: Any, office: Office, planner: None
) -> None:
    other = await Tour.put(
        office.pool, office.account_id, start_at=office.now - timedelta(minutes=30), external_id="sur-2",
        driver="Luis Díaz",
    )  # fmt: skip
    await other.see_van(200, at=office.now)
    await office.pool.execute("UPDATE stop SET external_id = 'b-' || seq WHERE route_id = $1", other.route_id)
    asking = await office.sit(browser, lang="pt")
    await asking.goto(f"{office.url}/desk/replan?route=rt_{other.route_id}")
    assert "não dizem de onde saem" in await asking.inner_text("main")
    await office.pool.execute("UPDATE route SET depot_name = 'Bodega', depot_lat = 6.2442, depot_lon = -75.569")
    ana, beto = await office.sit(browser), await office.sit(browser, "admin", **PHONE)
    await ana.goto(f"{office.url}/desk/tours/rt_{office.tour.route_id}")
    await ana.get_by_role("link", name="Plan again").click()
    await ana.get_by_label("What happened").fill("The van broke down")
    await picture(ana, "replan-asking")
    await ana.get_by_role("button", name="Find a proposal").click()
    await ana.wait_for_url("**/desk/replan/pl_1?lang=en")
    await until(ana, "document.querySelector('#decide') !== null")
    said = await ana.inner_text("main")
    assert "The van broke down" in said
    assert await ana.locator(".changes li").count() == 4
    assert (await ana.locator(".facts dd").all_inner_texts())[:2] == ["0", "0"]  # somebody comes to all, as promised
    assert "sur-2 · Luis Díaz" in await ana.inner_text(".changes")
    await beto.goto(f"{office.url}/desk")
    await beto.get_by_role("link", name="Proposals to decide: 1").click()
    await beto.get_by_role("link", name="The van broke down").click()
    await beto.wait_for_selector("#decide")
    assert await shut_out_here(beto) == {}
    await picture(beto, "replan-proposal")
    here = "SELECT count(*) FROM stop WHERE route_id = $1 AND removed_at IS NULL AND kind = 'delivery'"
    assert await office.pool.fetchval(here, other.route_id) == 4  # nothing counts yet
    await ana.get_by_role("button", name="Accept").click()
    await until(ana, "document.querySelector('h1').textContent.includes('accepted')")
    assert await office.pool.fetchval(here, other.route_id) == 8
    await beto.get_by_role("button", name="Drop it").click()
    await until(beto, "document.getElementById('told').textContent.includes('This plan is over')")
    assert await office.pool.fetchval("SELECT state FROM plan") == "published"
    noted = [row["operation"] for row in await office.pool.fetch("SELECT operation FROM audit_entry ORDER BY id")]
    assert noted == ["POST /v1/plans/replan", "POST /v1/plans/{plan}/publish"]
    assert ana.wrong == []
