"""The page of the demo: what recipients would hear, for a browser on this machine and nobody else."""

import pytest

from api.messages import demo
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from tests.api.messages.conftest import ANA


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, demo.operations.add_to]


async def test_the_page_shows_what_the_log_took_to_this_machine_only(desk, put_route, account, client, tour):
    tour["stops"][0]["name"] = "<b>Ana</b> Restrepo"
    await desk.put("/v1/account/channels/log", {})
    text = {"log": {"es": {"body": "{{ first_name }}: {{ link }}"}}}
    await desk.only("booked", channels=["sms", "log"], texts=text)
    await put_route(client, account.key)
    await desk.go()
    told = await desk.messages()
    assert [(one["channel"], one["state"]) for one in told] == [("log", "sent")] * 4
    assert [one["to"] for one in told] == [ANA, *(one["stop_id"] for one in told[1:])]
    page = await client.get("/dev/messages")
    html = await page.text()
    assert (page.status, page.content_type) == (200, "text/html")
    assert ANA in html
    assert '&lt;b&gt;Ana&lt;/b&gt;: <a href="https://reparto.example/t/' in html
    assert "<b>Ana" not in html
    for headers in ({"X-Forwarded-For": "203.0.113.7"}, {"Host": "reparto.example"}, {"Via": "1.1 proxy"}):
        assert (await client.get("/dev/messages", headers=headers)).status == 404


def test_without_the_demo_there_is_no_such_page():
    settings = Settings()
    app = create_app(settings, settings.database)
    assert "/dev/messages" not in {route.resource.canonical for route in app.router.routes() if route.resource}
