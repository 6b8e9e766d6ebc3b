"""Whatever is sent to any operation: an answer as its description says, or a problem in words. Never a failure of ours.

What is sent follows from the description: every field of every body, every query parameter and every id in a path is
replaced by values that nobody expects: every time the same, in the same order.
"""

import asyncio
import copy
import itertools
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.desk import addresses, invitations, passkeys, second_factor
from api.desk.oidc import endpoints as oidc
from api.desk.oidc import setting as oidc_setting
from api.desk.oidc import trying as oidc_trying
from api.desk.oidc.beginning import SentThere
from api.desk.passwords import PASSWORDS, Passwords
from api.find import lookup
from api.http.app_keys import POOL
from api.http.itself import openapi
from api.http.operation import DECLARED
from api.http.paging import cursor_of
from api.portal import limits, step_up
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.account.accounts import read_instance
from sql.config import DatabaseConfig
from sql.desk.passkeys import add_passkey
from sql.desk.steps import HalfSignIn
from sql.pool import Pool
from tests.api.desk.desk import CHEAP, PASSWORD, make_user, signed_in
from tests.api.driver.driver_day import at, event, hours
from work.links import code_of
from work.planning.make import PlanMaker
from work.roads.choose import STRAIGHT

METHODS = ("get", "put", "post", "patch", "delete")
ANY_TEXT = ["", "a\0b", "\u202e🚚" * 80, "x" * 5_000, "st_" + "9" * 18]
ANY_VALUE = [None, True, -1, 2**64 - 1, 1e308, [], {"": 1}]
ANY_TIME = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30T00:00:00Z"]
OF_JSON = [
    *(json.dumps(value).encode() for value in [*ANY_VALUE, *ANY_TEXT, *ANY_TIME]),
    *(b"NaN", b"-1e999", b"1" + b"0" * 400, b'"\\ud800"', b'"\xff"', b"[" * 60 + b"]" * 60, b"]"),
]
OF_MSGPACK = [
    *(b"\xc1", b"\xc4\x02ab", b"\xd4\x05x", b"\xd6\xff\x00\x00\x00\x00", b"\xa2\xff\xfe"),
    *(b"\x81\x01\x02", b"\xcb\x7f\xf8" + bytes(6), b"\xdd\xff\xff\xff\xff", b"\x91" * 60 + b"\xc0"),
]
IN_TURN = 4
"""Each field is sent one of so many of them: what they spoil is read by the same reader in all fields."""
IN_A_QUERY = [*ANY_TEXT, *ANY_TIME, "nan,0,0,0", "1e3", "\u0663"]
CURSORS = [
    *([], [-1], ["x"], [2**64 - 1], [None], [1.5], *([time, 1] for time in ANY_TIME)),
    *([2**55, 1], [2**55, 2**31 - 1, -(2**31), 2**63 - 1], [2**60, 1], [2**60, 1, 1, 1]),
]
IN_A_PATH = ["x" * 400, "%00", "%FF", "%ED%A0%80", "%F0%9F%9A%9A", "%20", "rt_0", "st_%0A", "-"]
IN_A_PATH += [f"{kind}_{'9' * 18}" for kind in ("rt", "st", "dr", "dv", "ky", "gf", "pf")] + ["rt_" + "9" * 19]

PEOPLE_AND_PROGRAMS = ("key", "session")
"""What they ask by, whose changes are in the audit log; a phone's are in the history of its driver."""

A_SHEET: dict[str, Any] = {
    "data": b"pedido;nombre;direccion;fecha\nped-3;A;Calle 3;2/3/2026\nped-4;;;\n",
    "params": {"kind": "orders"},
}

MARK = "what stands here is replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The whole application, with a route that a driver drives."""

    client: Any
    description: dict[str, Any]
    ids: dict[str, str]
    headers: dict[str, dict[str, str]]
    bodies: dict[tuple[str, str], Any]

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for path, operations in self.description["paths"].items():
            for method, operation in operations.items():
                if method in METHODS and not path.endswith(("/stream", "/ws")):
                    yield method, path, operation

    def url(self, path: str, **others: str) -> str:
        return re.sub(r"{(\w+)}", lambda name: {**self.ids, **others}[name[1]], path)

    async def is_noted(self, method: str, path: str) -> bool:
        """Tell whether what was asked last is in the audit log, if it was asked as a person or a program."""
        if scheme_of(self.description["paths"][path][method]) not in PEOPLE_AND_PROGRAMS:
            return True
        noted = await self.client.app[POOL].fetchval("SELECT operation FROM audit_entry ORDER BY id DESC LIMIT 1")
        return noted == f"{method.upper()} {path}"

    async def ask(self, method: str, path: str, url: str, **more: Any) -> int:
        """Ask, and hold the answer against what the description says of this operation; give the status."""
        operation = self.description["paths"][path][method]
        headers = {**self.headers[scheme_of(operation)], "Tus-Resumable": "1.0.0", **more.pop("headers", {})}
        response = await self.client.request(method, url, headers=headers, **more)
        content, sent = await response.read(), (method, url[:200], str(more)[:500])
        assert response.status < 500, (sent, content[:300])
        described = operation["responses"].get(str(response.status))
        if described is None:
            assert response.content_type == "application/problem+json", (sent, response.status)
            problem = msgspec.json.decode(content, type=openapi.ProblemDocument)
            assert problem.status == response.status >= 400, sent
            assert problem.detail, sent
            assert all(error.why for error in problem.errors), sent
            assert problem.errors or problem.type != "invalid-fields", sent
        elif "content" in described:
            schema = described["content"][response.content_type].get("schema")
            if schema is not None:
                self._validator(schema).validate(json.loads(content))
        return int(response.status)

    def _validator(self, schema: dict[str, Any]) -> Any:
        return jsonschema.Draft202012Validator({**schema, "components": self.description["components"]})


BROWSER = "BI5TO2-gv3tGJbswZnwB-2B--fi4qA_vWzAGKHAxh7Kjc-sdveAzGDZtBp-DpvWQAFPHNjPLBBshxV4ahsH0ALQ"
"""The public key of one, any."""

ANA = "ana@example.com"

DEPOT = {"name": "Bodega", "lat": 6.2442, "lon": -75.5690, "timezone": "America/Bogota"}
OPEN = {"days": ["mon"], "open": "08:00", "close": "18:00"}
CARD = {"timezone": "America/Bogota", "phone": "+5716012345", "whatsapp": "+573001112233", "email": "a@example.com"}
CARD |= {"hours": [OPEN], "closed_on_holidays": True}
VEHICLE = {
    "name": "Van",
    "capacity": {"kg": 100},
    "skills": ["frio"],
    "pace_percent": 110,
    "fixed_cost": 1.0,
    "cost_per_km": 0.4,
    "cost_per_hour": 9.0,
    "range_km": 300.0,
}


async def planning(make: Any, maker: PlanMaker, pool: Pool) -> tuple[dict[str, Any], dict[str, Any], str]:
    """A day that is planned: a shift, an order on its tour, the plan."""
    hours_of = {"start_at": "2026-03-02T08:00:00-05:00", "end_at": "2026-03-02T16:00:00-05:00"}
    rest = {"earliest": "2026-03-02T11:00:00-05:00", "latest": "2026-03-02T14:00:00-05:00", "duration_s": 600.0}
    shift = {"date": "2026-03-02", "vehicle": "van", "depot": "bodega", "driver": "ana", "longest_h": 8.0, **hours_of}
    shift |= {"breaks": [rest], "return_to_depot": False}
    window = {"start": "2026-03-02T08:00:00-05:00", "end": "2026-03-02T16:00:00-05:00"}
    order = {"name": "A", "address": "Calle 1", "lat": 6.25, "lon": -75.57, "windows": [window], "service_s": 60.0}
    order |= {"kind": "delivery", "quality": "given", "phone": "1", "email": "a@b.co", "locale": "es", "priority": 1}
    order |= {"load": {"kg": 1.0}, "skills": ["frio"], "depot": "bodega", "instructions": "x", "source": "tienda"}
    order |= {"earliest": "2026-03-02", "latest": "2026-03-02", "after": None, "proof": ["photo"]}
    order |= {"parcels": [{"barcode": "b", "description": "d", "quantity": 1}]}
    order |= {"cash_on_delivery": {"amount": 1.0, "currency": "COP"}}
    await make("PUT", "/v1/depots/bodega", DEPOT)
    await make("PUT", "/v1/vehicles/van", VEHICLE)
    await make("PUT", "/v1/shifts/turno", shift)
    await make("PUT", "/v1/orders/ped-1", order)
    plan = (await make("POST", "/v1/plans", {"date": "2026-03-02", "depot": "bodega", "limit_s": 0.5}))["id"]
    while (await make("GET", f"/v1/plans/{plan}", None))["state"] in ("queued", "running"):
        await maker.look(pool)
        await asyncio.sleep(0.05)
    await maker.drop()
    await pool.execute(
        "INSERT INTO plan (account_id, state, date, depot, asked, result)"
        " SELECT account_id, 'published', date, depot, asked, '{\"tours\": []}' FROM plan"
    )
    return shift, order, plan


def whose_passkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any challenge be open, and what whichever passkey made or signed be right, so that the rest is tried."""

    async def half(request: Any, kind: str) -> HalfSignIn:
        return HalfSignIn(person_id=1, said={"challenge": ""})

    async def proven(*_: Any) -> int:
        return 1

    def registered(*_: Any) -> Any:
        return SimpleNamespace(credential_id=os.urandom(8), credential_public_key=b"", sign_count=0)

    monkeypatch.setattr(passkeys, "take_half", half)
    monkeypatch.setattr(passkeys, "_proven", proven)
    monkeypatch.setattr(passkeys, "_registered", registered)
    monkeypatch.setattr(passkeys, "MOST", 1_000_000)


def whose_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let any identity provider be one that answers, so that the rest is tried."""

    async def asked(request: Any, issuer: str) -> str:
        return issuer

    async def sent(*_: Any, **__: Any) -> SentThere:
        return SentThere(url="https://login.invalid", secret="x")

    monkeypatch.setattr(oidc_setting, "_asked", asked)
    monkeypatch.setattr(oidc, "send_there", sent)


@pytest.fixture
async def product(
    database: DatabaseConfig, account: Any, tour: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Product]:
    monkeypatch.setattr(lookup, "ANSWERED_AFTER_S", 0.0)
    for name in ("POSTS_OF_A_LINK", "POSTS_OF_AN_ADDRESS", "LOOKUPS_OF_AN_ADDRESS", "LOOKUPS_OF_AN_ORDER"):
        monkeypatch.setattr(limits, name, 1_000_000)
    for name in ("SIGN_INS_OF_A_PERSON", "SIGN_INS_OF_AN_ADDRESS", "RESETS_OF_A_PERSON", "RESETS_OF_AN_ADDRESS"):
        monkeypatch.setattr(addresses, name, 1_000_000)
    monkeypatch.setattr(invitations, "A_DAY", 1_000_000)
    monkeypatch.setattr(oidc_trying, "AN_HOUR", 1_000_000)
    monkeypatch.setattr(second_factor, "CODES_OF_A_PERSON", 1_000_000)
    whose_passkey(monkeypatch)
    whose_provider(monkeypatch)
    steps = itertools.count(1)
    monkeypatch.setattr(second_factor, "step_of", lambda *_: next(steps))  # whatever the phone shows
    monkeypatch.setattr(step_up, "LIVES_S", 1e6)
    settings = Settings(database=database)
    settings = replace(settings, server=replace(settings.server, data_dir=str(tmp_path)))
    outgoing = replace(settings.outgoing, outgoing_allow="127.0.0.0/8")  # nobody listens on its port 1
    app = create_app(replace(settings, outgoing=outgoing), database)
    app[PASSWORDS] = Passwords(CHEAP)
    async with TestClient(TestServer(app)) as client:

        async def make(method: str, path: str, body: Any) -> Any:
            response = await client.request(method, path, json=body, headers=account.headers)
            assert response.status in (200, 201, 202), await response.text()
            return await response.json()

        tour |= hours() | {"driver": "ana"}
        fence = {"type": "Point", "coordinates": [-75.5678, 6.2480]}
        body_of_fence = {"type": "Feature", "geometry": fence, "properties": {"radius_m": 150, "dwell_s": 60}}
        driver = {"external_id": "ana", "name": "Ana", "phone": "300", "locale": "es"}
        driver_id = (await make("POST", "/v1/drivers", driver))["id"]
        device = await make("POST", "/v1/drivers/ana/devices", {})
        put = await make("PUT", "/v1/routes/tour", tour)
        more = {"driver": None, "stops": [{**tour["stops"][0], "external_id": "ped-9"}]}
        await make("PUT", "/v1/routes/otra", {**tour, **more})
        await make("PUT", "/v1/geofences/centro", body_of_fence)
        await make("PUT", "/v1/account/channels/push", {"contact": "mailto:a@b.co"})
        read = await make("GET", "/v1/account", None)
        receipts = {"id_path": "id", "state_path": "state", "states": {"DLVRD": "delivered"}}
        gateway = {"gateway": "custom", "url": "http://127.0.0.1:1/", "headers": {"A": "b"}, "body": "{{ to }}"}
        gateway |= {"receipts": receipts, "countries": ["CO"], "from": "x", "price_per_part": 0.1, "secret": "s"}
        hook = (await make("PUT", "/v1/account/channels/sms", gateway))["hook_url"].rpartition("/")[2]
        endpoint = {"url": "http://127.0.0.1:1/", "types": ["stop.failed"], "format": "json"}
        webhook = (await make("POST", "/v1/webhooks", endpoint))["id"]
        texts = {"sms": {"es": {"body": "{{ link }}", "subject": "s"}}}
        hours_of = {"start": "21:00", "end": "08:00"}
        shift, order, plan = await planning(make, PlanMaker(STRAIGHT), app[POOL])
        assert (await client.post("/v1/imports", headers=account.headers, **A_SHEET)).status == 202
        stop = put["stops"][0]
        done = {"recipient": {"name": "A", "relation": "b"}, "pin": "1", "barcodes": ["x"], "note": "n"}
        done |= {"parcels": [{"seq": 0, "outcome": "delivered"}], "cash": {"amount": 1, "method": "cash"}}
        done |= {"proofs": [{"upload_id": "0b0f8f6e-4a55-4f4f-8a53-2f6c6f8f2c11", "kind": "photo", "sha256": "a" * 64}]}
        said = event("completed", 5, stop["id"], more={"lat": 6.2, "lon": -75.5, "manifest_version": 1}, **done)
        ping = {"time": hours()["start_at"], "lat": 6.2, "lon": -75.5, "accuracy_m": 5, "speed_mps": 1, "id": "1"}
        nowhere = {"pings": [{**ping, "lat": 95}]}
        offered = {"zone": "x", "start": hours()["start_at"], "end": hours()["end_at"], "cut_off": hours()["end_at"]}
        offered |= {"capacity": {"stops": 9, "load": 9.0}, "express": True}
        soon = {name: (datetime.now(UTC) + timedelta(hours=1)).isoformat() for name in ("start", "cut_off")}
        soon |= {"end": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
        fetched = {"name": "Kiosco", "address": "Calle 1", "lat": 6.25, "lon": -75.57, "external_id": "k-1"}
        fetched |= {"opening_hours": "Mo-Fr 08:00-20:00", "enabled": True}
        point = (await make("POST", "/v1/pickup-points", fetched))["id"]
        slot = (await make("POST", "/v1/slots", {**offered, **soon}))["id"]
        assert (await client.post(f"/v1/track/{stop['tracking_url'].rsplit('/', 1)[1]}/code")).status == 200
        code = code_of((await read_instance(app[POOL])).secret, int(stop["id"].removeprefix("st_")), 1)
        door = {"lat": tour["stops"][0]["lat"], "lon": tour["stops"][0]["lon"]}
        asked = await client.post(f"/v1/track/{stop['tracking_url'].rsplit('/', 1)[1]}/pin-drop", json=door)
        assert (await asked.json())["id"] == "rc_1"
        bearer = {"Authorization": f"Bearer {device['token']}"}
        assert (await client.post("/v1/pings", json=nowhere, headers=bearer)).status == 200
        ana = await make_user(app[POOL], account.id, ANA, "owner")
        await make_user(app[POOL], account.id, "beto@example.com")
        await add_passkey(app[POOL], ana, credential_id=b"x", public_key=b"", sign_count=0, name="x")
        await app[POOL].execute(
            "INSERT INTO desk_alert (account_id, fact_id, type, severity, occurred_at)"
            " VALUES ($1, gen_random_uuid(), 'driver.sos', 3, now())",
            account.id,
        )
        kept = (await make("GET", "/v1/quarantine", None))["quarantined"][0]["id"]
        yield Product(
            client=client,
            description=openapi.document(app[DECLARED]),
            ids={
                "driver": driver_id,
                "passkey": "pk_1",
                "device": device["id"],
                "route": put["id"],
                "stop": stop["id"],
                "geofence": "centro",
                "z": "14",
                "x": "1",
                "y": "1",
                "token": stop["tracking_url"].rsplit("/", 1)[1],
                "key": "ky_999",
                "proof": "pf_1",
                "channel": "sms",
                "kind": "delivered",
                "address": "+573001112233",
                "webhook": webhook,
                "hook": hook,
                "what": "shown",
                "export": "stops",
                "format": "csv",
                "upload": "0b0f8f6e-4a55-4f4f-8a53-2f6c6f8f2c11",
                "order": "ped-1",
                "vehicle": "van",
                "depot": "bodega",
                "shift": "turno",
                "plan": plan,
                "entry": kept,
                "ticket": "tk_1",
                "return": "re_1",
                "photo": "ph_1",
                "change": "instructions",
                "proposal": "rc_1",
                "slot": slot,
                "point": point,
                "user": "us_2",
                "invitation": "in_1",
                "alert": "al_1",
                "import": "im_1",
            },
            headers={
                "key": account.headers,
                "session": await signed_in(app[POOL], account.id, ana, "reparto"),
                "device": bearer,
                "phone": {"Authorization": f"Bearer {device['ingest_token']}"},
                "nobody": {"Reparto-Code": code},
            },
            bodies={
                ("post", "/v1/stops/{stop}/changes/{proposal}/reject"): {"text": "x"},
                ("post", "/v1/stops/{stop}/changes/{proposal}/approve"): door,
                ("post", "/v1/track/{token}/instructions"): {"text": "x"},
                ("post", "/v1/track/{token}/safe-place"): {"text": "x"},
                ("post", "/v1/track/{token}/away"): {"away": True},
                ("post", "/v1/track/{token}/pin-drop"): door,
                ("post", "/v1/track/{token}/push"): {
                    "endpoint": "https://push.example/x",
                    "expirationTime": None,
                    "keys": {"p256dh": BROWSER, "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
                },
                ("post", "/v1/track/{token}/slot"): {"slot_id": slot},
                ("post", "/v1/track/{token}/pickup-point"): {"pickup_point_id": point},
                ("post", "/v1/track/{token}/address"): {"address": "x", "lat": 6.2482, "lon": -75.5677},
                ("post", "/v1/pickup-points"): fetched,
                ("put", "/v1/pickup-points"): {"points": [fetched]},
                ("patch", "/v1/pickup-points/{point}"): {
                    "name": "x",
                    "address": "x",
                    "opening_hours": "x",
                    "enabled": True,
                },
                ("post", "/v1/slots"): offered,
                ("patch", "/v1/slots/{slot}"): {"capacity": {"stops": 9, "load": 1.0}, "cut_off": soon["cut_off"]},
                ("post", "/v1/track/{token}/neighbour"): {"name": "x", "address": "x"},
                ("post", "/v1/track/{token}/contact"): {
                    "phone": "+573001112233",
                    "email": "ana@example.com",
                    "channel": "sms",
                    "opt_out": False,
                },
                ("post", "/v1/driver/events"): {"events": [said]},
                ("post", "/v1/track/{token}/rating"): {"stars": 5, "reasons": ["x"], "text": "x"},
                ("post", "/v1/find"): {"order": "ped-1", "proof": "2233", "company": ""},
                ("post", "/v1/tickets"): {"stop_id": stop["id"], "kind": "charge", "text": "x", "photos": []},
                ("patch", "/v1/tickets/{ticket}"): {"state": "in_review", "text": "x"},
                ("post", "/v1/tickets/{ticket}/answers"): {"text": "x", "state": "in_review", "internal": False},
                ("post", "/v1/track/{token}/problem"): {"kind": "courier", "text": "x", "photos": []},
                ("post", "/v1/track/{token}/tickets/{ticket}/answers"): {"text": "x", "photos": []},
                ("post", "/v1/returns"): {"stop_id": stop["id"], "reason": "x", "text": "x", "photos": []},
                ("patch", "/v1/returns/{return}"): {"state": "approved", "text": "x"},
                ("post", "/v1/returns/{return}/approve"): {"text": "x"},
                ("post", "/v1/returns/{return}/reject"): {"text": "x"},
                ("post", "/v1/track/{token}/return"): {"reason": "x", "text": "x", "photos": []},
                ("post", "/v1/quarantine/{entry}/apply"): nowhere,
                ("post", "/v1/keys"): {"role": "viewer", "label": "x"},
                ("post", "/v1/session"): {
                    "email": ANA,
                    "password": PASSWORD,
                    "account": "mensajeria",
                    "code": "123456",
                },
                ("post", "/v1/session/passkey"): {"credential": {}, "account": "mensajeria"},
                ("post", "/v1/session/oidc"): {"email": ANA, "account": "mensajeria"},
                ("put", "/v1/account/oidc"): {
                    "issuer": "https://login.invalid",
                    "client_id": "x",
                    "secret": "x",
                    "domains": ["example.com"],
                },
                ("post", "/v1/account/oidc/try"): {
                    "issuer": "http://127.0.0.1:1",
                    "client_id": "x",
                    "secret": "x",
                    "domains": ["example.com"],
                },
                ("post", "/v1/session/passkeys/begin"): {"password": PASSWORD},
                ("post", "/v1/session/passkeys"): {"name": "x", "credential": {}},
                ("post", "/v1/session/totp"): {"password": PASSWORD},
                ("put", "/v1/session/totp"): {"code": "123456"},
                ("post", "/v1/session/totp/recovery-codes"): {"password": PASSWORD},
                ("post", "/v1/session/totp/remove"): {"password": PASSWORD},
                ("patch", "/v1/session"): {"account": "mensajeria", "name": "Ana"},
                ("put", "/v1/session/password"): {"old": PASSWORD, "new": PASSWORD},
                ("post", "/v1/session/reset"): {"email": ANA},
                ("patch", "/v1/users/{user}"): {"role": "viewer"},
                ("post", "/v1/alerts/{alert}/snooze"): {"until": soon["end"]},
                ("post", "/v1/alerts/push"): {
                    "browser": {
                        "endpoint": "https://push.example/x",
                        "expirationTime": None,
                        "keys": {"p256dh": BROWSER, "auth": "AAAAAAAAAAAAAAAAAAAAAA"},
                    },
                    "severity": "low",
                },
                ("post", "/v1/invitations"): {"email": "carla@example.com", "role": "viewer"},
                ("post", "/v1/erasures"): {"contact": "nadie@example.com"},
                ("patch", "/v1/account"): {name: read[name] for name in read.keys() - {"name", "created_at", "logo"}}
                | {"contact": CARD, "ticket_days": {"damaged": 1}},
                ("post", "/v1/drivers"): {**driver, "external_id": "beto"},
                ("patch", "/v1/drivers/{driver}"): {"name": "Ana", "phone": None, "locale": "pt"},
                ("post", "/v1/drivers/{driver}/devices"): {"label": "x", "app": "native"},
                ("put", "/v1/routes/{route}/sequence"): {"stops": [one["id"] for one in put["stops"][1:]]},
                ("post", "/v1/routes/{route}/notes"): {"text": "x"},
                ("post", "/v1/routes/{route}/moves"): {"stops": [put["stops"][1]["id"]], "to": "otra", "to_version": 1},
                ("put", "/v1/routes/{route}"): {**tour, "stops": [{**tour["stops"][0], **tour["stops"][1]}]},
                ("post", "/v1/routes/{route}/assign"): {"driver": "ana"},
                ("post", "/v1/routes/{route}/end"): {"note": "n", "occurred_at": at(6)},
                ("put", "/v1/geofences/{geofence}"): body_of_fence,
                ("post", "/v1/stops/{stop}/reopen"): {"note": "n", "occurred_at": at(6)},
                ("post", "/v1/pings"): {"pings": [ping]},
                ("put", "/v1/account/channels/{channel}"): gateway,
                ("post", "/v1/account/channels/{channel}/test"): {"to": "+573001112233"},
                ("put", "/v1/account/geocoder"): {"provider": "photon", "url": "https://photon.invalid", "per_s": 1},
                ("post", "/v1/account/geocoder/test"): {"address": "Calle 10 # 43-12"},
                ("post", "/v1/addresses"): {"address": "Calle 10 # 43-12", "lat": 6.25, "lon": -75.56, "name": "Ana"},
                ("put", "/v1/account/messages/{kind}"): {
                    "channels": ["sms"],
                    "channels_by_country": {"CO": ["sms"]},
                    "texts": texts,
                    "quiet_hours": hours_of,
                    "after_s": 9,
                },
                ("post", "/v1/messages/preview"): {
                    "kind": "booked",
                    "channel": "sms",
                    "locale": "es",
                    "stop_id": stop["id"],
                    "body": "{{ link }}",
                },
                ("put", "/v1/contacts/{address}/consent"): {"channel": "sms", "state": "opted_in", "source": "x"},
                ("post", "/hooks/{channel}/{hook}"): {
                    "id": "x",
                    "state": "DLVRD",
                    "from": "+573001112233",
                    "text": "BAJA",
                },
                ("put", "/v1/vehicles/{vehicle}"): VEHICLE,
                ("put", "/v1/depots/{depot}"): DEPOT,
                ("put", "/v1/shifts/{shift}"): shift,
                ("put", "/v1/orders/{order}"): order,
                ("post", "/v1/orders"): {"orders": [{**order, "external_id": "ped-2"}]},
                ("patch", "/v1/plans/{plan}"): {"moves": [{"order": "ped-1", "shift": "turno", "at": 0}]},
                ("post", "/v1/plans"): {
                    "date": "2026-03-02",
                    "depot": "bodega",
                    "orders": ["ped-1"],
                    "shifts": ["turno"],
                    "objective": "habit",
                    "seed": 2,
                    "limit_s": 5.0,
                },
                ("post", "/v1/plans/replan"): {
                    "because": "x",
                    "date": "2026-03-02",
                    "depot": "bodega",
                    "orders": ["ped-1"],
                    "cancel": ["ped-1"],
                    "freeze_minutes": 20.0,
                    "seed": 2,
                    "limit_s": 5.0,
                },
                ("post", "/v1/webhooks"): endpoint,
                ("patch", "/v1/webhooks/{webhook}"): {**endpoint, "enabled": True},
                ("post", "/v1/webhooks/{webhook}/replay"): {"since_seq": 1, "until_seq": 2, "failed_only": False},
            },
        )


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Find every place in a body, itself first."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*at, name))


def with_mark(body: Any, at: tuple[Any, ...]) -> Any:
    if not at:
        return MARK
    marked = inner = copy.deepcopy(body)
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = MARK
    return marked


async def test_every_field_of_every_body(product: Product) -> None:
    described = {(method, path) for method, path, operation in product.operations() if takes_json(operation)}
    assert product.bodies.keys() == described, "each operation with a body needs one that is good, here"
    for (method, path), body in product.bodies.items():
        url = product.url(path)
        assert await product.ask(method, path, url, json=body) < 300
        assert await product.is_noted(method, path), (method, path)
        for number, place in enumerate(places(body)):
            marked = with_mark(body, place)
            for encode, others, media in (
                (lambda value: json.dumps(value).encode(), OF_JSON, "application/json"),
                (msgspec.msgpack.encode, OF_MSGPACK[number % IN_TURN :: IN_TURN], "application/msgpack"),
            ):
                for other in others:
                    sent = encode(marked).replace(encode(MARK), other)
                    await product.ask(method, path, url, data=sent, headers={"Content-Type": media})


def scheme_of(operation: dict[str, Any]) -> str:
    """Give the first of those by which it may be asked; "nobody" where everybody may."""
    return next((name for one in operation["security"] for name in one), "nobody")


def takes_json(operation: dict[str, Any]) -> bool:
    return "application/json" in operation.get("requestBody", {}).get("content", {})


async def test_every_parameter_of_every_query(product: Product) -> None:
    asked = 0
    for method, path, operation in product.operations():
        for parameter in operation["parameters"]:
            if parameter["in"] == "query" and method == "get":
                cursors = [cursor_of(*key) for key in CURSORS] if parameter["name"] == "cursor" else []
                for text in [*IN_A_QUERY, *cursors]:
                    await product.ask(method, path, product.url(path), params={parameter["name"]: text})
                    asked += 1
    assert asked > 500


async def test_every_id_of_every_path(product: Product) -> None:
    asked = 0
    for method, path, operation in product.operations():
        body = product.bodies.get((method, path), {}) if takes_json(operation) else None
        for name in re.findall(r"{(\w+)}", path):
            for text in IN_A_PATH:
                await product.ask(method, path, product.url(path, **{name: text}), json=body)
                asked += 1
    assert asked > 500
    await changes_without_a_body(product)


async def changes_without_a_body(product: Product) -> None:
    """Each of them is in the audit log too; those that end something come last."""
    asked, noted = 0, set()
    for method, path, operation in sorted(product.operations(), key=lambda one: one[0] == "delete"):
        if method != "get" and not takes_json(operation) and scheme_of(operation) in PEOPLE_AND_PROGRAMS:
            asked += 1
            url = product.url(path, key="ky_2")
            sheet = A_SHEET if "text/csv" in operation.get("requestBody", {}).get("content", {}) else {}
            if await product.ask(method, path, url, **sheet) < 400:
                assert await product.is_noted(method, path), (method, path)
                noted.add(f"{method} {path}")
    assert len(noted) >= 0.6 * asked, noted
