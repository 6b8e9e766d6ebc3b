"""The page of reports: its numbers are those of the API, and every file it leads to is there."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.desk_page import reports
from api.exports import endpoints as exports
from sql.pool import Pool
from tests.api.desk.desk import make_user, signed_in
from tests.api.tour_rows import Tour

NINE = datetime(2026, 3, 2, 14, tzinfo=UTC)
DAY = {"from": "2026-03-02", "to": "2026-03-02"}


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, reports.operations.add_to, exports.operations.add_to]


@pytest.fixture
async def mine(pool: Pool, account: Any) -> dict[str, str]:
    """Who signed in as a viewer."""
    return await signed_in(pool, account.id, await make_user(pool, account.id, role="viewer"))


@pytest.fixture
async def tour(pool: Pool, account: Any) -> Tour:
    """Four stops: one in time, one late, one failed without a promise, one still open."""
    tour = await Tour.put(pool, account.id, start_at=NINE, driver="Ana <b>")
    for place, minutes in ((0, 30), (1, 90)):
        at = NINE + timedelta(minutes=minutes)
        await tour.visit(place, at, at + timedelta(minutes=3))
        window = {"window_start": NINE, "window_end": NINE + timedelta(hours=1)}
        await tour.change_stop(place, status="completed", outcome_at=at, **window)
    await tour.change_stop(2, status="failed", outcome_at=NINE)
    return tour


async def page(client: Any, mine: dict[str, str], **query: str) -> str:
    response = await client.get("/desk/reports", params={"lang": "es"} | query, headers=mine)
    assert response.status == 200
    return re.sub(r"\s+", " ", await response.text())


def cells(text: str) -> list[list[str]]:
    body = text.partition("<tbody>")[2].partition("</tbody>")[0]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>")[:-1]]


async def test_three_numbers_and_a_table(client: Any, mine: Any, tour: Tour) -> None:
    text = await page(client, mine, **DAY)
    facts = re.findall(r"<dt>(.*?)</dt><dd>(.*?) <small>(.*?)</small>", text.replace("&#x2f;", "/"))
    assert facts == [
        ("Dentro de lo prometido", "50 %", "1/2"),
        ("Dentro de lo prometido y completas", "50 %", "1/2"),
        ("Al primer intento", "67 %", "2/3"),
    ]
    assert cells(text) == [["lun, 2 de mar", "4", "2", "1", "2", "50 %", "67 %"]]
    text = await page(client, mine, **DAY, by="driver")
    assert cells(text) == [["Ana &lt;b&gt;", "4", "2", "1", "2", "50 %", "67 %"]]


async def test_nothing_is_said_so(client: Any, mine: Any, tour: Tour) -> None:
    text = await page(client, mine)
    assert text.count("todavía no se sabe") == 3
    assert "No hay rutas en estos días" in text


@pytest.mark.parametrize("query", [{"from": "2026-03-09", "to": "2026-03-02"}, {"from": "x"}, {"to": "2026-02-30"}])
async def test_a_period_that_is_none_is_said_in_words(client: Any, mine: Any, query: Any) -> None:
    assert "Ese período no se puede ver" in await page(client, mine, **query)


async def test_every_file_is_there(client: Any, mine: Any, tour: Tour) -> None:
    files = re.findall(r'href="(/v1/exports/[^"]+)"', await page(client, mine, **DAY))
    assert len(files) == 8
    for file in files:
        response = await client.get(file.replace("&amp;", "&"), headers=mine)
        assert response.status == 200, file
        assert (await response.read())[:2] == b"PK"
