"""Devices: what a phone gets, and how it is shut out."""

import asyncio
import base64
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import get_args
from urllib.parse import parse_qsl

import asyncpg
import pytest

from api.fleet.enrolment import App, setup_of
from api.http.auth import hash_of
from api.http.known.devices import DEVICES
from sql.account.devices import REVOKED_CHANNEL

STORE_APPS = {
    "traccar": "/osmand",
    "osmand": "/osmand?lat={0}&lon={1}&timestamp={2}&hdop={3}&altitude={4}&speed={5}&bearing={6}",
    "owntracks": "/owntracks",
    "overland": "/overland",
    "gpslogger": "/gpslogger?lat=%LAT&lon=%LON&time=%TIME&acc=%ACC&alt=%ALT&spd=%SPD&dir=%DIR&batt=%BATT"
    "&ischarging=%ISCHARGING",
    "bggeo": "/bggeo",
}


async def test_a_native_device_gets_both_secrets(client, account, make_driver, make_device, pool):
    driver = await make_driver(client, account.key)
    made = await make_device(client, account.key, driver["id"], label="Moto G")
    assert made["token"].startswith("rpd_")
    assert made["ingest_token"].startswith("rpi_")
    assert made["setup"]["url"] == "https://reparto.example"
    row = await pool.fetchrow("SELECT token_hash, ingest_token_hash FROM device")
    assert tuple(row) == (hash_of(made["token"]), hash_of(made["ingest_token"]))


@pytest.mark.parametrize(("app", "ending"), STORE_APPS.items())
async def test_a_store_app_gets_only_the_secret_that_writes(client, account, make_driver, make_device, app, ending):
    driver = await make_driver(client, account.key)
    made = await make_device(client, account.key, driver["id"], app=app)
    assert made["token"] is None
    assert made["setup"]["url"] == f"https://reparto.example/ingest/{made['ingest_token']}{ending}"
    assert ET.fromstring(made["setup"]["qr_svg"]).tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize(
    ("locale", "first"),
    [
        (None, "Instala Traccar Client."),
        ("pt-BR", "Instale o Traccar Client."),
        ("en", "Install Traccar Client."),
        ("qu", "Instala Traccar Client."),
    ],
)
async def test_the_steps_are_in_the_drivers_language(client, account, make_driver, make_device, locale, first):
    driver = await make_driver(client, account.key, locale=locale)
    made = await make_device(client, account.key, driver["id"], app="traccar")
    assert made["setup"]["steps"][0] == first


def test_a_code_to_scan_gives_the_token_where_no_log_has_it() -> None:
    ours = {"public_url": "https://reparto.example", "device_id": "dv_12", "token": None, "locale": None}
    links = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.fleet.enrolment.qr_svg", lambda text: text)
        for app in get_args(App):
            links[app] = setup_of(app, ingest_token="rpi_x", **ours).qr_svg
    kind, _, said = links["owntracks"].partition("=")
    assert kind == "owntracks:///config?inline"
    configuration = json.loads(base64.b64decode(said))
    assert configuration["url"] == "https://reparto.example/pub"
    assert (configuration["password"], configuration["mode"], configuration["tid"]) == ("rpi_x", 3, "12")
    scheme, _, query = links["overland"].partition("?")
    assert scheme == "overland://setup"
    assert dict(parse_qsl(query)) == {
        "url": "https://reparto.example/ingest/overland", "token": "rpi_x", "device_id": "dv_12",
    }  # fmt: skip


async def test_secrets_are_never_listed(client, account, make_driver, make_device):
    await make_driver(client, account.key, "ana")
    made = await make_device(client, account.key, "ana", app="traccar", label="iPhone")
    response = await client.get("/v1/drivers/ana/devices", headers=account.headers)
    assert made["ingest_token"] not in await response.text()
    (device,) = (await response.json())["devices"]
    assert (device["id"], device["app"], device["label"]) == (made["id"], "traccar", "iPhone")


async def test_a_deleted_device_is_shut_out_at_once_and_everywhere(
    client, account, make_driver, make_device, pool, refused
):
    driver = await make_driver(client, account.key)
    made = await make_device(client, account.key, driver["id"])
    cache = client.server.app[DEVICES]
    assert (await cache.find(hash_of(made["token"]), can_read=True)).driver_id == int(driver["id"].removeprefix("dr_"))
    told: asyncio.Queue[str] = asyncio.Queue()
    async with pool.acquire() as listener:

        def hear(connection: asyncpg.Connection, pid: int, channel: str, payload: str) -> None:
            told.put_nowait(payload)

        await listener.add_listener(REVOKED_CHANNEL, hear)
        assert (await client.delete(f"/v1/devices/{made['id']}", headers=account.headers)).status == 204
        assert await asyncio.wait_for(told.get(), 60) == made["id"].removeprefix("dv_")
        await listener.remove_listener(REVOKED_CHANNEL, hear)
    assert await cache.find(hash_of(made["token"]), can_read=True) is None
    await refused(await client.delete(f"/v1/devices/{made['id']}", headers=account.headers), 404)
    listed = await (await client.get(f"/v1/drivers/{driver['id']}/devices", headers=account.headers)).json()
    assert listed["devices"] == []


async def test_another_accounts_devices_are_not_there(
    client, account, other_account, make_driver, make_device, refused
):
    driver = await make_driver(client, account.key)
    made = await make_device(client, account.key, driver["id"])
    theirs = other_account.headers
    await refused(await client.delete(f"/v1/devices/{made['id']}", headers=theirs), 404)
    await refused(await client.get(f"/v1/drivers/{driver['id']}/devices", headers=theirs), 404)
    await refused(await client.post(f"/v1/drivers/{driver['id']}/devices", json={}, headers=theirs), 404)


async def test_a_viewer_lets_nobody_in(client, account, make_driver, bearer, refused):
    await make_driver(client, account.key, "ana")
    response = await client.post("/v1/drivers/ana/devices", json={}, headers=bearer(account.viewer_key))
    await refused(response, 403)


BAD_BODIES = [({"app": "pigeon"}, "/app"), ({"label": ""}, "/label"), ({"lable": "x"}, "/lable"), ([], "")]


async def test_a_bad_device_is_refused_by_field(client, account, make_driver, refused):
    await make_driver(client, account.key, "ana")
    for body, at in BAD_BODIES:
        await refused(await client.post("/v1/drivers/ana/devices", json=body, headers=account.headers), 422, at)


async def test_a_phone_that_is_shut_out_ends_with_the_last_it_recorded(client, account, make_driver, make_device, pool):
    """From then on the driver's other phone is heard at once, also what it recorded before somebody looked."""
    driver = await make_driver(client, account.key)
    old, unheard = [await make_device(client, account.key, driver["id"]) for _ in range(2)]
    last = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=7)
    await pool.execute("SELECT make_ping_partition(day) FROM unnest($1::date[]) AS day", [last.date()])
    await pool.execute(
        "INSERT INTO packed_ping (device_id, recorded_at, lat_e6, lon_e6, received_after_ms)"
        " SELECT $1, $2, k, 0, 0 FROM generate_series(0, 1) AS k",
        *(int(old["id"][3:]), last),
    )
    before = datetime.now(UTC)
    for device in (old, unheard):
        assert (await client.delete(f"/v1/devices/{device['id']}", headers=account.headers)).status == 204
    ended = [row["ended_at"] for row in await pool.fetch("SELECT ended_at FROM device ORDER BY id")]
    assert ended[0] == last
    assert before - timedelta(seconds=1) <= ended[1] <= datetime.now(UTC)
    assert await pool.fetchval("SELECT plan_version FROM track") == 2  # trackers read it anew
    [told] = await pool.fetch(
        "SELECT type, occurred_at, data FROM event"
    )  # nobody misses the one that never said a word
    assert (told["type"], told["occurred_at"]) == ("phone.ended", last)
    assert told["data"] == {"device_id": old["id"], "how": "revoked"}
