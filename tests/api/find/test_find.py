"""Finding a delivery without its link: who knows it finds it, and nobody learns which orders there are."""

import asyncio
import re
from typing import Any

import pytest

from api.find import endpoints, lookup
from api.find.knows import knows
from api.portal import limits
from sql.pool import Pool

ANA = {"order": "ped-1", "proof": "2233"}


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, endpoints.operations.add_to]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "ANSWERED_AFTER_S", 0.0)


@pytest.fixture
async def link(client: Any, account: Any, put_route: Any, tour: Any) -> str:
    """The tracking link of the tour's first stop."""
    tour["stops"][0]["address"] = "Cra. 46 # 52-10, apto 301, 050012 Medellín"
    put = await put_route(client, account.key)
    return str(put["stops"][0]["tracking_url"])


async def find(client: Any, **body: Any) -> Any:
    response = await client.post("/v1/find", json=body)
    return response.status, await response.json(content_type=None)


async def test_who_knows_the_phone_or_the_postcode_finds_it(client: Any, link: str) -> None:
    for proof in ("2233", "050012", " 050-012 "):
        assert await find(client, order=" ped-1 ", proof=proof) == (200, {"tracking_url": link}), proof


async def test_unknown_and_wrong_are_one_answer(client: Any, link: str, account: Any) -> None:
    answers = [
        await find(client, order=order, proof=proof)
        for order, proof in (
            ("ped-1", "9999"),
            ("ped-9", "2233"),
            ("ped-1", "223"),
            ("ped-1", "Medellín"),
            ("x" * 199, "2"),
        )
    ]
    assert answers[0][0] == 404
    assert all(one == answers[0] for one in answers)
    path = "/v1/stops/{}/tracking-link/revoke"
    stop = (await (await client.get("/v1/routes/tour-1", headers=account.headers)).json())["stops"][0]["id"]
    assert (await client.post(path.format(stop), headers=account.headers)).status == 200
    assert await find(client, **ANA) == answers[0]


async def test_unknown_and_wrong_take_the_same_time(client: Any, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both end at a whole step, however long the lookup itself took."""
    slept: list[float] = []
    clock = asyncio.get_running_loop()
    begun: list[float] = []
    real = lookup.stops_named

    async def noted(*args: Any, **kwargs: Any) -> Any:
        begun.append(clock.time())
        return await real(*args, **kwargs)

    async def sleep(seconds: float) -> None:
        slept.append(clock.time() - begun[-1] + seconds)

    monkeypatch.setattr(lookup, "ANSWERED_AFTER_S", 60.0)
    monkeypatch.setattr(lookup, "stops_named", noted)
    monkeypatch.setattr(lookup, "sleep", sleep)
    for order, proof in (("ped-1", "9999"), ("ped-9", "2233"), ("ped-1", "2233")):
        await find(client, order=order, proof=proof)
    assert slept == pytest.approx([60.0] * 3, abs=1.0)


async def test_of_an_address_and_of_an_order_few_are_answered(client: Any, link: str) -> None:
    statuses = [(await find(client, order="ped-1", proof=f"{turn:04d}"))[0] for turn in range(30)]
    assert statuses[: limits.LOOKUPS_OF_AN_ADDRESS] == [404] * limits.LOOKUPS_OF_AN_ADDRESS
    assert statuses[-1] == 429
    elsewhere = {"X-Forwarded-For": "203.0.113.7"}
    response = await client.post("/v1/find", json=ANA, headers=elsewhere)
    assert response.status == 429, "an order is not guessed from many addresses"
    assert int(response.headers["Retry-After"]) > 0
    response = await client.post("/find", data=ANA, headers=elsewhere)
    assert response.status == 429
    assert "minut" in await response.text()


async def test_the_page_works_without_a_script_and_leads_to_the_tracking_page(
    client: Any, link: str, account: Any, pool: Pool
) -> None:
    await pool.execute(
        'UPDATE account SET settings = settings || \'{"brand": "Envíos <del> Valle"}\' WHERE id = $1', account.id
    )
    name = await pool.fetchval("SELECT name FROM account WHERE id = $1", account.id)
    for language, word in (("es", "Buscar"), ("pt", "Buscar"), ("en", "Find it")):
        response = await client.get("/find", params={"lang": language, "company": name})
        text = await response.text()
        assert response.status == 200
        assert word in text
        assert "Envíos &lt;del&gt; Valle" in text
        assert "<script" not in text
        assert "form-action 'self'" in response.headers["Content-Security-Policy"]
    response = await client.post("/find", data=ANA | {"company": name}, allow_redirects=False)
    assert response.status == 303
    assert link.endswith(response.headers["Location"])
    for data, status in (
        (ANA | {"proof": "9999"}, 404),
        ({"order": "ped-1"}, 422),
        ({"order": "<b>", "proof": "1"}, 404),
    ):
        response = await client.post("/find", data=data)
        text = await response.text()
        assert response.status == status
        assert re.search(r'role="alert">[^<]', text)
        assert "<b>" not in text


async def test_a_company_that_is_not_there_shows_nobody(client: Any, link: str) -> None:
    response = await client.get("/find", params={"company": "nadie"})
    assert response.status == 200
    assert '<span class="brand"></span>' in await response.text()


@pytest.mark.parametrize(
    ("proof", "address", "phone", "known"),
    [
        ("01310-100", "Av. Paulista 1578, 01310-100 São Paulo", None, True),
        ("01310100", "Av. Paulista 1578, 01310-100 São Paulo", None, True),
        ("sw1a1aa", "10 Downing Street, London SW1A 1AA", None, True),
        ("London", "10 Downing Street, London SW1A 1AA", None, False),
        ("10", "10 Downing Street", None, False),
        ("2233", None, "+57 300 111 22 33", True),
        ("1122", None, "+57 300 111 22 33", False),
        ("2233", None, "2233", False),
        ("", "", "", False),
        ("----", "", None, False),
    ],
)
def test_what_counts_as_knowing(proof: str, address: str | None, phone: str | None, known: bool) -> None:
    assert knows(proof, address=address, phone=phone) is known
