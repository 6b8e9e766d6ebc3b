"""A day of 200 recipients in three countries, through a mail server, an SMS gateway and Meta that all behave badly.

What each recipient heard is compared with what the rules say, reckoned here once more from what was put and what the
gateways were told to do.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.api.driver.driver_day import at
from tests.api.messages.conftest import fresh
from tests.providers.gateway import http_provider, mail_server, meta_says

COUNTRIES = {
    "CO": ("America/Bogota", 6.2442, -75.5690, "+57300{:07d}", "es"),
    "BR": ("America/Sao_Paulo", -23.55, -46.63, "+55119{:08d}", "pt"),
    "ES": ("Europe/Madrid", 40.4168, -3.7038, "+346{:08d}", "es"),
}
RECIPIENTS = 200
BY = ("whatsapp", "sms", "email")


@dataclass
class Recipient:
    """Somebody who waits, and what is wrong with their being reached."""

    number: int
    country: str
    phone: str | None
    email: str | None
    trouble: str
    ends: str

    @property
    def stop(self) -> dict[str, Any]:
        _, lat, lon, _, locale = COUNTRIES[self.country]
        return {
            "external_id": f"p{self.number}", "kind": "delivery", "name": f"Persona {self.number}", "locale": locale,
            "lat": lat + self.number * 1e-4, "lon": lon, "phone": self.phone, "email": self.email,
        }  # fmt: skip


def people(chance: random.Random) -> list[Recipient]:
    """Make 200: some without WhatsApp, some without a number, some who want nothing, some nobody can reach."""
    made = []
    troubles = ("none", "no-whatsapp", "late-131026", "opted-out", "mail-only", "nothing", "sms-lost", "busy")
    for number in range(RECIPIENTS):
        country = ("CO", "BR", "ES")[number % 3]
        trouble = chance.choices(troubles, (30, 20, 8, 8, 12, 6, 8, 8))[0]
        phone = COUNTRIES[country][3].format(1_000_000 + number if country == "CO" else 10_000_000 + number)
        if country == "BR":
            phone = f"+55119{80_000_000 + number}"
        if country == "ES":
            phone = f"+346{12_000_000 + number:08d}"
        email = f"r{number}@correo.example"
        made.append(
            Recipient(
                number=number,
                country=country,
                phone=None if trouble in ("mail-only", "nothing") else phone,
                email=None if trouble in ("nothing", "opted-out") else email,
                trouble=trouble,
                ends=chance.choices(("completed", "failed"), (85, 15))[0],
            )
        )
    return made


def expected(one: Recipient) -> list[tuple[str, str]]:
    """Reckon what somebody hears: (kind, channel), in order. Spain has SMS first, and no WhatsApp there."""
    last = "delivered" if one.ends == "completed" else "failed"
    kinds = ["booked", last]
    whatsapp = one.country != "ES"
    match one.trouble:
        case "none" | "busy":
            return [(kind, "whatsapp" if whatsapp else "sms") for kind in kinds]
        case "no-whatsapp":
            return [(kind, "sms") for kind in kinds]
        case "late-131026":  # told by WhatsApp, which says later that it could not: the SMS is what they hear
            return [(kind, "sms") for kind in kinds]
        case "sms-lost":  # the gateway took it and hung up: they hear it, we do not know
            return [(kind, "sms") for kind in kinds]
        case "mail-only":
            return [(kind, "email") for kind in kinds]
        case _:
            return []


async def test_a_day_of_two_hundred_recipients(desk, client, account, make_driver, make_device, bearer):
    chance = random.Random(11)
    everybody = people(chance)
    by_phone = {one.phone: one for one in everybody if one.phone}

    def meta_does(n: int, to: str) -> str:
        match by_phone[to].trouble:
            case "no-whatsapp" | "sms-lost":
                return "131026"
            case "busy":
                return "good" if n % 2 else "429"
        return "good"

    def gateway_does(n: int, to: str) -> str:
        one = by_phone[to]
        if one.trouble == "sms-lost":
            return "lost"
        return (
            "429" if one.trouble == "busy" and n % 2 == 0 else "503" if one.number % 17 == 0 and n % 2 == 0 else "good"
        )

    async with (
        http_provider(behave=meta_does, slow_s=0.03) as meta,
        http_provider(behave=gateway_does, slow_s=0.05) as sms,
        mail_server(
            behave=lambda n, to: "451 later" if int(to[1:].split("@")[0]) % 5 == 0 and n == 0 else "250 OK"
        ) as mail,
    ):
        hook = (await desk.by_whatsapp(meta))["hook_url"].removeprefix("https://reparto.example")
        sms_hook = (await desk.by_sms(sms))["hook_url"].removeprefix("https://reparto.example")
        await desk.by_mail(mail)
        await desk.only("booked", "delivered", "failed", channels=[*BY], channels_by_country={"ES": ["sms", "email"]})
        for one in everybody:
            if one.trouble == "opted-out":
                for text in ("STOP", "gracias"):
                    assert (await client.post(sms_hook, json={"from": one.phone, "text": text})).status == 200
                said = {"channel": "whatsapp", "state": "opted_out", "source": "phone call"}
                await desk.put(f"/v1/contacts/{one.phone}/consent", said)
        stops = await put_tours(client, account, make_driver, everybody, bearer)
        seen: set[str] = set()
        await settle(desk, client, hook, meta, by_phone, seen, timedelta(0))
        await finish(client, account, make_device, everybody, stops)
        await settle(desk, client, hook, meta, by_phone, seen, timedelta(minutes=45))
        rows = await everything(desk)

    table = Counter((row["kind"], row["channel"], row["state"], row["why"]) for row in rows)
    for (kind, channel, state, why), count in sorted(table.items(), key=str):
        print(f"{kind:10} {channel:9} {state:10} {why or '':28} {count}")

    heard: dict[int, list[tuple[str, str]]] = {one.number: [] for one in everybody}
    of_stop = {stop: number for number, stop in stops.items()}
    for row in reversed(rows):
        number = of_stop[row["stop_id"]]
        taken = row["state"] in ("sent", "delivered", "read") or (row["state"], row["why"]) == ("failed", "unknown")
        if taken:
            heard[number].append((row["kind"], row["channel"]))
    for one in everybody:
        assert heard[one.number] == expected(one), one
    assert max(Counter((to, body["text"]) for to, body in sms.taken).values()) == 1, "an SMS came twice"
    for one in everybody:
        if one.trouble in ("opted-out", "nothing"):
            why = {row["why"] for row in rows if of_stop[row["stop_id"]] == one.number}
            assert why == {"opted-out" if one.trouble == "opted-out" else "no-address"}
    assert {row["locale"] for row in rows if everybody[of_stop[row["stop_id"]]].country == "BR"} == {"pt"}


async def put_tours(client, account, make_driver, everybody, bearer) -> dict[int, str]:
    """Put a tour for each country and half of its people, so that no list is over its limit."""
    stops: dict[int, str] = {}
    for country, (zone, lat, lon, _, _) in COUNTRIES.items():
        mine = [one for one in everybody if one.country == country]
        for start in range(0, len(mine), 20):
            part = mine[start : start + 20]
            driver = f"{country}-{start}"
            await make_driver(client, account.key, driver)
            body = {
                "driver": driver, "date": at(0)[:10], "timezone": zone, "start_at": at(0), "end_at": at(700),
                "depot": {"name": "Bodega", "lat": lat, "lon": lon}, "path": None, "stops": [one.stop for one in part],
            }  # fmt: skip
            response = await client.put(f"/v1/routes/{driver}", json=body, headers=account.headers)
            assert response.status == 201, await response.text()
            put = (await response.json())["stops"]
            stops |= {one.number: stop["id"] for one, stop in zip(part, put, strict=True)}
    return stops


async def finish(client, account, make_device, everybody, stops) -> None:
    """Have every stop served: each driver says what became of theirs, half of it twice."""
    drivers = (await (await client.get("/v1/drivers?limit=100", headers=account.headers)).json())["drivers"]
    for driver in drivers:
        device = await make_device(client, account.key, driver["id"])
        country, _, start = driver["external_id"].partition("-")
        mine = [one for one in everybody if one.country == country][int(start) : int(start) + 20]
        events = [
            fresh(one.ends, stops[one.number], **({"reason": "nobody_home"} if one.ends == "failed" else {}))
            for one in mine
        ]
        for batch in (events, events[::2]):
            headers = {"Authorization": f"Bearer {device['token']}"}
            said = await client.post("/v1/driver/events", json={"events": batch}, headers=headers)
            assert {one["result"] for one in (await said.json())["results"]} <= {"applied", "duplicate"}


async def settle(desk, client, hook, meta, by_phone, seen, after: timedelta) -> None:
    """Go on until nothing waits: Meta's receipts come out of order, doubled, and for messages that are not ours."""
    url = str(client.make_url(hook))
    for minutes in (0, 12, 24, 36):
        await desk.go(after=after + timedelta(minutes=minutes))
        fresh = [one for one in meta.ids if one not in seen]
        random.Random(1).shuffle(fresh)
        for provider_id in fresh:
            seen.add(provider_id)
            says = [("read", {}), ("delivered", {}), ("delivered", {}), ("sent", {})]
            if by_phone[meta.ids[provider_id]].trouble == "late-131026":
                says = [("failed", {"errors": [{"code": 131026, "title": "Undeliverable"}]})] * 2 + [("sent", {})]
            for status, more in says:
                assert await meta_says(client.session, url, "meta-secret", provider_id, status, **more) == 200
        assert await meta_says(client.session, url, "meta-secret", "nobody's", "failed") == 200
    await asyncio.sleep(0)


async def everything(desk) -> list[dict[str, Any]]:
    """Every message, the newest first."""
    rows: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await desk.get(f"/v1/messages?limit=500{cursor}")
        rows += page["messages"]
        if page["next"] is None:
            return rows
        cursor = f"&cursor={page['next']}"
