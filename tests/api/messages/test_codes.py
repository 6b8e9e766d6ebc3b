"""A recipient's code goes to the contact on file at once, and nobody of the company reads it."""

import logging
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.history import events
from api.offers import slots
from api.portal import by_code, by_link, company, reschedule, step_up
from tests.api.messages.conftest import ANA
from work.messages.rules.kinds import KINDS
from work.messages.words.catalog import FORMS, LANGUAGES, words

NEIGHBOUR = {"name": "Rosa Vélez", "address": "Apto 302"}
_DIGITS = re.compile(r"\b[0-9]{6}\b")


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [
        *app_parts,
        *(module.operations.add_to for module in (by_link, by_code, step_up, reschedule, slots, company, events)),
    ]


@pytest.fixture
async def link(desk: Any, phone: Any, account: Any, client: Any) -> str:
    """Of the first stop, whose recipient has been told something a moment ago."""
    put = await (await client.get("/v1/routes/tour-1", headers=account.headers)).json()
    return f"/v1/track/{put['stops'][0]['tracking_url'].rpartition('/')[2]}"


async def asked(client: Any, link: str) -> None:
    response = await client.post(f"{link}/code")
    assert response.status == 200, await response.text()


async def test_a_code_leaves_at_once_and_is_written_down_nowhere(
    desk: Any, client: Any, link: str, sms: Any, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await desk.by_sms(sms, most_a_day_each=1)
    await desk.only("booked", "code", "changed", channels=["sms"], quiet_hours={"start": "00:00", "end": "23:59"})
    now = {"channels": ["sms"], "quiet_hours": None, "wait_for_workday": False}
    await desk.put("/v1/account/messages/booked", now)
    await desk.go()
    await asked(client, link)
    await desk.go()
    (text,) = [text for text in sms.heard(ANA) if _DIGITS.search(text)]
    (code,) = _DIGITS.findall(text)
    assert "http" not in text, "what asks for a code by a link is what frauds send"
    response = await client.post(f"{link}/neighbour", json=NEIGHBOUR, headers={"Reparto-Code": code})
    assert response.status == 200
    await desk.go()
    assert len(sms.heard(ANA)) == 3, "booked, the code, and that something changed: none waits"
    told = {one["kind"]: one for one in await desk.messages() if one["to"] == ANA}
    assert told["code"]["state"] == told["changed"]["state"] == "sent"
    assert told["code"]["body"] is None
    for path in ("/v1/messages", "/v1/events", "/v1/routes/tour-1", f"/v1/stops/{told['code']['stop_id']}"):
        assert code not in str(await desk.get(path)), path
    assert code not in caplog.text
    tables = [f"SELECT to_jsonb({name})::text AS row FROM {name}" for name in ("message", "event", "step_up", "notice")]
    rows = await pool.fetch(" UNION ALL ".join(tables))
    assert not any(code in row["row"] for row in rows)


async def test_what_a_provider_says_of_a_code_does_not_hold_it(
    desk: Any, client: Any, link: str, sms: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from work.messages.channels import sms as channel
    from work.messages.channels.protocol import Refused

    async def refuse(self: Any, message: Any, give: Any) -> Refused:
        return Refused(f"spam: {message.body}", elsewhere=False)

    (kind,) = [one for one in vars(channel).values() if isinstance(one, type) and hasattr(one, "again_when_unknown")]
    monkeypatch.setattr(kind, "send", refuse)
    await desk.by_sms(sms)
    await desk.only("code", channels=["sms"])
    await asked(client, link)
    await desk.go()
    (told,) = await desk.messages()
    assert told["state"] == "failed"
    assert told["why"].startswith("spam:")
    assert not _DIGITS.search(told["why"])


async def test_of_two_codes_only_the_last_one_leaves_and_none_leaves_late(
    desk: Any, client: Any, link: str, sms: Any
) -> None:
    await desk.by_sms(sms)
    await desk.only("code", channels=["sms"])
    await asked(client, link)
    await asked(client, link)
    await desk.go()
    assert [(kind, state, why) for kind, _, _, state, why in await desk.table()] == [
        ("code", "suppressed", "overtaken"),
        ("code", "sent", None),
    ]
    await asked(client, link)
    await desk.go(after=timedelta(minutes=11))
    assert (await desk.table())[-1][3:] == ("expired", "too-late")
    assert len(sms.heard(ANA)) == 1


async def test_whoever_waits_hears_that_codes_were_guessed(desk: Any, client: Any, link: str, sms: Any) -> None:
    await desk.by_sms(sms)
    await desk.only("code", "locked", channels=["sms"])
    await asked(client, link)
    for code in ("a", "b", "c", "d", "e", "f"):
        await client.post(f"{link}/neighbour", json=NEIGHBOUR, headers={"Reparto-Code": code})
    await desk.go()
    assert [kind for kind, _, _, state, _ in await desk.table() if state == "sent"] == ["code", "locked"]
    assert "probo codigos" in sms.heard(ANA)[-1]


def test_the_words_of_codes_are_in_every_language() -> None:
    assert KINDS["code"].asked_for
    for language in LANGUAGES:
        for form in FORMS:
            said = words(language, form)
            assert "{{ code }}" in said["code"]["short"] + said["code"]["subject"]
            assert "[" not in said["code"]["short"] + said["locked"]["body"]
    assert "Si no lo pediste" in words("es", "vos")["code"]["body"]
    assert "avisanos" in words("es", "vos")["locked"]["short"]


async def test_the_old_contact_and_the_new_one_hear_of_a_change_at_once(
    desk: Any, client: Any, link: str, sms: Any, mail: Any
) -> None:
    await desk.by_sms(sms)
    await desk.by_mail(mail)
    await desk.only("code", "changed", channels=["sms", "email"], quiet_hours={"start": "00:00", "end": "23:59"})
    for contact in ({"email": "ana@example.com"}, {"phone": "+573009998877", "email": "otra@example.com"}):
        await asked(client, link)
        await desk.go()
        (code,) = _DIGITS.findall(sms.heard(ANA)[-1])
        response = await client.post(f"{link}/contact", json=contact, headers={"Reparto-Code": code})
        assert response.status == 200, await response.text()
        await desk.go()
    told = [(to, state) for kind, _, to, state, _ in await desk.table() if kind == "changed"]
    assert sorted(told) == [
        (ANA, "sent"),
        (ANA, "sent"),
        ("+573009998877", "sent"),
        ("ana@example.com", "sent"),
    ]
    assert "http" not in sms.heard(ANA)[-1], "whoever had it before has no link any more"


async def test_who_chose_another_day_hears_of_it_although_the_stop_is_off_its_tour(
    desk: Any, client: Any, link: str, sms: Any, account: Any
) -> None:
    await desk.by_sms(sms)
    await desk.only("code", "changed", channels=["sms"])
    start = (datetime.now(UTC) + timedelta(days=3)).replace(hour=15, minute=0, second=0, microsecond=0)
    body = {"zone": "x", "start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}
    body |= {"capacity": {"stops": 1}}
    made = await (await client.post("/v1/slots", json=body, headers=account.headers)).json()
    await asked(client, link)
    await desk.go()
    (code,) = _DIGITS.findall(sms.heard(ANA)[-1])
    response = await client.post(f"{link}/slot", json={"slot_id": made["id"]}, headers={"Reparto-Code": code})
    assert response.status == 200, await response.text()
    await desk.go()
    assert [(kind, state) for kind, _, to, state, _ in await desk.table() if to == ANA][-1] == ("changed", "sent")
    assert f" {start.day} de " in sms.heard(ANA)[-1], "the new day, at 10 in the morning there"
