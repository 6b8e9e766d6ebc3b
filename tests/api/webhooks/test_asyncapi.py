"""The description of what webhooks are told: valid by the official parser, and what is really sent fits it."""

import json

import jsonschema
import pytest

from api.webhooks import asyncapi
from tests.providers.node import run_node
from work.feed.types import NAMES

PARSE = """
const { Parser } = require('@asyncapi/parser');
const text = require('fs').readFileSync(0, 'utf8');
new Parser().parse(text).then(({ document, diagnostics }) => console.log(JSON.stringify({
  messages: document ? document.allMessages().all().map((one) => one.name()).sort() : [],
  mistakes: diagnostics.filter((one) => one.severity < 2).map((one) => one.message + ' at ' + one.path.join('/')),
})));
"""


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, asyncapi.operations.add_to]


async def test_the_official_parser_takes_it(client):
    served = await client.get("/v1/asyncapi.json")
    assert (served.status, served.content_type) == (200, "application/json")
    parsed = json.loads(run_node("@asyncapi/parser", PARSE, said=await served.text()))
    assert parsed == {"messages": sorted(NAMES), "mistakes": []}


async def test_what_a_webhook_is_told_fits_its_type_and_no_other(company, shop, client):
    document = await (await client.get("/v1/asyncapi.json")).json()
    messages = document["components"]["messages"]
    assert set(messages) == set(NAMES) == set(document["channels"]["webhook"]["messages"])
    await company.make(shop)
    await company.happens(1, type="stop.completed")
    await company.go()
    [(headers, body)] = shop.taken

    def fits(schema: object, value: object) -> bool:
        whole = {"allOf": [schema], "components": document["components"]}
        return jsonschema.Draft202012Validator(whole).is_valid(value)

    told = json.loads(body)
    assert fits(messages["stop.completed"]["payload"], told)
    assert not fits(messages["stop.failed"]["payload"], told)
    assert not fits(messages["stop.completed"]["payload"], told | {"data": {}})
    assert fits(messages["stop.completed"]["headers"], {name.lower(): value for name, value in headers.items()})
