"""The description: valid, complete, and true of real answers."""

import re
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from openapi_spec_validator import validate

from api.http.itself import openapi
from api.http.operation import DECLARED
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig

GEOFENCE = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [-75.5678, 6.2480]},
    "properties": {"radius_m": 150},
}


@pytest.fixture(scope="module")
def application() -> web.Application:
    """The whole application, not started."""
    return create_app(Settings(), DatabaseConfig())


@pytest.fixture(scope="module")
def description(application: web.Application) -> dict[str, Any]:
    return openapi.document(application[DECLARED])


def test_the_description_is_valid_openapi(description):
    validate(description)


def test_every_route_is_described_and_nothing_else(application, description):
    served = {
        (route.method, re.sub(r":[^}]+}", "}", route.resource.canonical))
        for route in application.router.routes()
        if not route.resource.canonical.startswith("/static/")
    }
    described = {(method.upper(), path) for path, operations in description["paths"].items() for method in operations}
    head_as_get = {("HEAD", path) for method, path in described if method == "GET"}  # goes without saying
    assert described | head_as_get == served


def test_every_operation_is_named_once_and_says_what_it_does(description):
    operations = [one for path in description["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)
    assert all(one["summary"].endswith(".") for one in operations)


def test_every_parameter_of_a_path_is_described(description):
    for path, operations in description["paths"].items():
        for one in operations.values():
            named = {parameter["name"] for parameter in one["parameters"] if parameter["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))


async def test_real_answers_are_as_described(client, account, description, make_driver, tour):
    """Every answer of a day's work, good and bad, is held against the schema of its operation and status."""
    seen = set()

    async def ask(method: str, path: str, template: str, body: Any = None, status: int = 200) -> Any:
        response = await client.request(method, path, json=body, headers=account.headers)
        assert response.status == status, (path, await response.text())
        responses = description["paths"][template][method.lower()]["responses"]
        described = responses.get(str(status), responses["default"])
        seen.add((method, template))
        if status == 204:
            assert "content" not in described
            return None
        schema = described["content"][response.content_type]["schema"]
        value = await response.json(content_type=None)
        jsonschema.Draft202012Validator({**schema, "components": description["components"]}).validate(value)
        return value

    ana = {"external_id": "ana", "name": "Ana", "phone": "300", "locale": "es"}
    key = await ask("POST", "/v1/keys", "/v1/keys", {"role": "viewer"}, 201)
    await ask("GET", "/v1/keys", "/v1/keys")
    await ask("DELETE", f"/v1/keys/{key['id']}", "/v1/keys/{key}", status=204)
    await ask("GET", "/v1/account", "/v1/account")
    await ask("PATCH", "/v1/account", "/v1/account", {"service_s": 90})
    await ask("PATCH", "/v1/account", "/v1/account", {"service_s": -90}, 422)
    await ask("POST", "/v1/drivers", "/v1/drivers", ana, 201)
    await ask("POST", "/v1/drivers", "/v1/drivers", ana, 409)
    await make_driver(client, account.key, "beto")
    await ask("GET", "/v1/drivers?limit=1", "/v1/drivers")
    await ask("GET", "/v1/drivers/ana", "/v1/drivers/{driver}")
    await ask("PATCH", "/v1/drivers/ana", "/v1/drivers/{driver}", {"phone": None})
    for app in ("native", "traccar"):
        made = await ask("POST", "/v1/drivers/ana/devices", "/v1/drivers/{driver}/devices", {"app": app}, 201)
    await ask("GET", "/v1/drivers/ana/devices", "/v1/drivers/{driver}/devices")
    await ask("DELETE", f"/v1/devices/{made['id']}", "/v1/devices/{device}", status=204)
    route = await ask("PUT", "/v1/routes/tour-1", "/v1/routes/{route}", {**tour, "driver": "ana"}, 201)
    await ask("PUT", "/v1/routes/tour-1", "/v1/routes/{route}", {**tour, "driver": "ana"})
    await ask("PUT", "/v1/routes/tour-1", "/v1/routes/{route}", {**tour, "driver": "nobody"}, 422)
    await ask("PUT", "/v1/routes/tour-2", "/v1/routes/{route}", {**tour, "path": None, "depot": None}, 201)
    await ask("GET", "/v1/routes?limit=1", "/v1/routes")
    await ask("GET", "/v1/routes/tour-1", "/v1/routes/{route}")
    await ask("GET", "/v1/routes/tour-2", "/v1/routes/{route}")
    await ask("GET", "/v1/routes/tour-3", "/v1/routes/{route}", status=404)
    await ask("POST", "/v1/routes/tour-1/assign", "/v1/routes/{route}/assign", {"driver": "beto"})
    for what in ("revoke", "rotate"):
        link = f"/v1/stops/{route['stops'][0]['id']}/tracking-link/{what}"
        await ask("POST", link, f"/v1/stops/{{stop}}/tracking-link/{what}")
    await ask("DELETE", "/v1/routes/tour-1", "/v1/routes/{route}", status=204)
    await ask("PUT", "/v1/geofences/centro", "/v1/geofences/{geofence}", GEOFENCE, 201)
    await ask("GET", "/v1/geofences", "/v1/geofences")
    await ask("GET", "/v1/geofences/centro", "/v1/geofences/{geofence}")
    await ask("DELETE", "/v1/geofences/centro", "/v1/geofences/{geofence}", status=204)
    await ask("DELETE", "/v1/drivers/ana", "/v1/drivers/{driver}", status=204)

    here = {(one.method, one.path) for _, one in client.server.app[DECLARED]}
    assert here - seen == {("GET", "/openapi.json"), ("GET", "/docs")}


async def test_the_body_of_a_route_is_as_described(description, tour):
    schema = description["paths"]["/v1/routes/{route}"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**schema, "components": description["components"]})
    validator.validate(tour)
    validator.validate({**tour, "path": {"polyline": "_p~iF~ps|U", "precision": 5}})
    for wrong in ({"path": {"type": "Point"}}, {"stops": []}, {"start_at": 7}, {"colour": "red"}):
        assert not validator.is_valid({**tour, **wrong})


async def test_the_description_and_its_page_are_served(client):
    served = await client.get("/openapi.json")
    assert (served.status, served.content_type) == (200, "application/json")
    document = await served.json()
    assert "/v1/routes/{route}" in document["paths"]
    page = await client.get("/docs")
    assert (page.status, page.content_type) == (200, "text/html")
    text = await page.text()
    assert "//" not in text  # nothing is fetched from elsewhere
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', text):
        assert (await client.get(address)).status == 200
