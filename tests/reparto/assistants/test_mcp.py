"""The door for assistants, asked by the SDK's own client over HTTP, in front of the whole product."""

import asyncio
import base64
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from mcp import Client

from reparto.assistants.serve import serve_tools
from reparto.assistants.tools import MOST_PHOTO_BYTES
from reparto.cli import main
from reparto.process.process import alongside
from reparto.process.serve import bind, url_of
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account, read_instance
from sql.config import DatabaseConfig
from sql.messages.setup import put_channel
from sql.pool import Pool
from tests.api.proofs.pictures import photo
from tests.api.tour_rows import Tour
from work.links import code_of

ANA_PHONE, ANA_ADDRESS = "+573001112233", "Cl. 49 # 52-10, Medellín 050012"
READS = {"find_delivery", "where_is_my_delivery", "what_can_i_change", "read_tickets", "read_returns"}
WRITES = {
    "send_code",
    "change_delivery",
    "report_problem",
    "answer_ticket",
    "send_photo",
    "ask_for_return",
    "cancel_return",
}


@dataclass(kw_only=True)
class Assistant:
    """An assistant that speaks for Ana, who waits for the first stop of a tour."""

    client: Client
    tour: Tour

    @property
    def link(self) -> str:
        return f"https://reparto.example/t/{self.tour.tokens[0]}?lang=es"

    async def use(self, tool: str, /, **arguments: Any) -> Any:
        """Use a tool that must work; `link` is Ana's unless another is given."""
        answer = await self.client.call_tool(tool, {"link": self.link, **arguments})
        assert not answer.is_error, answer.content
        return answer.structured_content

    async def refused(self, tool: str, /, **arguments: Any) -> str:
        """Use a tool that must refuse; give why."""
        answer = await self.client.call_tool(tool, {"link": self.link, **arguments})
        assert answer.is_error
        return str(answer.content[0].text)  # type: ignore[union-attr]

    async def code(self) -> str:
        """What was sent to Ana last."""
        stop = self.tour.stop_ids[0]
        generation = await self.tour.pool.fetchval("SELECT generation FROM step_up WHERE stop_id = $1", stop)
        return code_of((await read_instance(self.tour.pool)).secret, stop, generation)


@dataclass(kw_only=True)
class Door:
    """The address of the tools, and the tour that they know of."""

    url: str
    tour: Tour

    @asynccontextmanager
    async def assistant(self) -> AsyncIterator[Assistant]:
        """Come in; in the task of the test, as the client asks for."""
        async with Client(self.url) as client:
            yield Assistant(client=client, tour=self.tour)


@pytest.fixture
async def door(database: DatabaseConfig, pool: Pool, tmp_path: Path) -> AsyncIterator[Door]:
    now, defaults = datetime.now(UTC), Settings()
    account_id = await ensure_account(pool, "Mensajería Aburrá")
    await put_channel(
        pool, account_id=account_id, channel="sms", enabled=True, settings={"gateway": "custom"}, secrets=None
    )
    tour = await Tour.put(pool, account_id, start_at=now - timedelta(minutes=30))
    await tour.change_stop(0, phone=ANA_PHONE, address=ANA_ADDRESS)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    settings = replace(
        defaults,
        api=replace(defaults.api, trusted_proxies="127.0.0.0/8"),
        server=replace(defaults.server, data_dir=str(tmp_path)),
    )
    server = TestServer(create_app(settings, database))
    await server.start_server()
    with bind("127.0.0.1:0", "REPARTO_MCP_LISTEN") as listener:
        url, api_url = url_of(listener), str(server.make_url("/"))
        async with alongside(lambda stop: serve_tools(listener, api_url, stop)):
            yield Door(url=f"{url}/mcp", tour=tour)
    await server.close()


async def test_an_assistant_may_do_what_the_page_may_and_nothing_else(door: Door) -> None:
    async with door.assistant() as assistant:
        tools = {one.name: one for one in (await assistant.client.list_tools()).tools}
        assert tools.keys() == READS | WRITES
        assert {name for name, one in tools.items() if one.annotations and one.annotations.read_only_hint} == READS
        assert all(one.description for one in tools.values())

        told = await assistant.use("where_is_my_delivery", language="es")
        assert told["where"]["headline"] == "Eres la próxima parada"
        assert told["when"]["label"] == "Llegada estimada"
        assert " – " in told["when"]["window"]
        assert {one["change"]: one["needs_code"] for one in told["can_change"]} == {
            **dict.fromkeys(("instructions", "safe-place", "pin-drop", "away", "problem"), False),
            **dict.fromkeys(("slot", "neighbour", "pickup-point", "address", "contact"), True),
        }
        assert (await assistant.use("where_is_my_delivery", language="pt"))["where"][
            "headline"
        ] == "Você é a próxima parada"

        done = await assistant.use("change_delivery", change="instructions", details={"text": "Timbre 3"})
        assert (done["state"], done["driver_told"]) == ("applied", True)
        assert "type" not in await assistant.use("what_can_i_change")

        neighbour = {"change": "neighbour", "details": {"name": "Rosa Vélez", "address": "Apto 302"}}
        assert "step-up-needed: " in await assistant.refused("change_delivery", **neighbour)
        assert (await assistant.use("send_code"))["to"] == "…33"
        assert "wrong-code: " in await assistant.refused("change_delivery", **neighbour, code="0000")
        done = await assistant.use("change_delivery", **neighbour, code=await assistant.code())
        assert done["state"] == "applied"
        assert "Rosa" in str((await assistant.use("where_is_my_delivery"))["heard"])


async def test_a_ticket_is_opened_and_answered(door: Door) -> None:
    async with door.assistant() as assistant:
        ticket = await assistant.use("report_problem", kind="not_received", text="Dice entregado y no llegó")
        assert ticket["state"] == "open"
        await assistant.use("answer_ticket", ticket=ticket["id"], text="Tampoco está con el portero")
        (read,) = (await assistant.use("read_tickets"))["tickets"]
        assert [one["text"] for one in read["entries"]] == ["Dice entregado y no llegó", "Tampoco está con el portero"]
        (case,) = (await assistant.use("where_is_my_delivery"))["cases"]
        assert case["id"] == ticket["id"]
        assert "It was not delivered yet" in await assistant.refused("ask_for_return", reason="wrong_size")


async def test_a_return_with_a_photo_is_asked_for_and_taken_back(door: Door) -> None:
    now = datetime.now(UTC)
    await door.tour.change_stop(0, status="completed", outcome_at=now - timedelta(hours=1))
    async with door.assistant() as assistant:
        sent = base64.b64encode(photo(64, 48)).decode()
        kept = await assistant.use("send_photo", photo=sent)
        again = await assistant.use("send_photo", photo=f"data:image/jpeg;base64,{sent}")
        assert again == kept
        ticket = await assistant.use("report_problem", kind="damaged", text="Llegó rota", photos=[kept["id"]])
        asked = await assistant.use("ask_for_return", reason="damaged", photos=[kept["id"]])
        for shown in (ticket["entries"][0], asked):
            assert [one["id"] for one in shown["photos"]] == [kept["id"]]
        (read,) = (await assistant.use("read_returns"))["returns"]
        assert (read["id"], read["state"], read["label_url"]) == (asked["id"], "requested", None)
        assert (await assistant.use("cancel_return", return_id=asked["id"]))["state"] == "cancelled"

        assert "not base64" in await assistant.refused("send_photo", photo="¿una foto?")
        large = base64.b64encode(bytes(MOST_PHOTO_BYTES + 1)).decode()
        assert "Make it smaller" in await assistant.refused("send_photo", photo=large)
        assert "proof-refused: " in await assistant.refused("send_photo", photo=base64.b64encode(b"GIF89a").decode())
        other = await assistant.refused("report_problem", kind="damaged", text="Otra", photos=["ph_999"])
        assert "photos" in other


async def test_a_delivery_is_found_by_what_only_its_recipient_knows(door: Door) -> None:
    async with door.assistant() as assistant:
        found = await assistant.client.call_tool("find_delivery", {"order": "stop-0", "proof": "2233"})
        assert not found.is_error
        assert "/t/" in found.structured_content["tracking_url"]  # type: ignore[index]
        other = await assistant.client.call_tool("find_delivery", {"order": "stop-0", "proof": "9999"})
        assert other.is_error


async def test_what_is_no_link_asks_nobody_and_limits_count_who_came(door: Door) -> None:
    async with door.assistant() as assistant:
        for link in ("", "../keys", "https://evil.example/t/x", "/t/short"):
            assert "no tracking link" in await assistant.refused("what_can_i_change", link=link)
        assert "not-found" in await assistant.refused("what_can_i_change", link="https://evil.example/t/" + "x" * 22)
        call = {"name": "change_delivery", "arguments": {"link": assistant.link, "change": "instructions"}}
        call["arguments"] |= {"details": {"text": "Timbre 3"}}  # type: ignore[operator]
        said = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        headers = {"X-Forwarded-For": "203.0.113.9", "Accept": "application/json, text/event-stream"}
        async with aiohttp.ClientSession(headers=headers) as client, client.post(door.url, json=said) as response:
            assert not (await response.json())["result"].get("isError"), await response.text()
        who = hashlib.sha256(b"address 203.0.113.9").digest()
        assert await door.tour.pool.fetchval("SELECT times FROM recipient_limit WHERE who = $1", who) == 1


async def test_a_product_that_is_away_is_said_to_be_away() -> None:
    with bind("127.0.0.1:0", "REPARTO_MCP_LISTEN") as listener:
        url = url_of(listener)
        serving = alongside(lambda stop: serve_tools(listener, "http://127.0.0.1:9", stop))
        async with serving, Client(f"{url}/mcp") as client:
            answer = await client.call_tool("where_is_my_delivery", {"link": "x" * 22})
    assert answer.is_error
    assert "does not answer" in str(answer.content)


def test_without_the_extra_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("reparto.assistants.serve", "reparto.assistants.tools", "mcp"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "reparto.assistants.serve")
    assert main(["mcp"]) == 1
    assert "pip install 'reparto[mcp]'" in capsys.readouterr().err


async def test_the_command_ends_when_it_is_asked_to() -> None:
    with bind("127.0.0.1:0", "REPARTO_MCP_LISTEN") as listener:
        stop = asyncio.Event()
        stop.set()
        await asyncio.wait_for(serve_tools(listener, "http://127.0.0.1:9", stop), 20)
