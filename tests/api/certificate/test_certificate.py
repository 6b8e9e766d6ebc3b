"""What a shop sends to a customer who says that nothing came."""

import os
import re
from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from api.pages.catalog import LANGUAGES, certificate_texts
from api.pages.catalog.texts import CertificateTexts
from api.proofs.claims import Naming, claim_uploads
from geo.times import ms_of
from tests.api.proofs.pictures import STROKES, photo

PLACE = {"lat": 6.24795, "lon": -75.56770}


@pytest.fixture
async def delivered(pool, account, phone, upload):
    """The first stop: handed over, with two photos and a signature."""
    event_id, stop = uuid4(), phone.stops[0]
    uploads = [(str(uuid4()), kind) for kind in ("photo", "photo", "signature")]
    contents = (photo(1200, 900), photo(900, 1200), STROKES)
    for (upload_id, kind), content in zip(uploads, contents, strict=True):
        assert (await upload(phone, content, upload_id=upload_id, kind=kind, stop_id=stop)).status == 204
    at = datetime.fromisoformat("2026-03-02T08:21:30-05:00")
    numbers = {"driver_id": int(phone.driver_id[3:]), "device_id": int(phone.device_id[3:]), "stop_id": int(stop[3:])}
    data = {
        "recipient": {"name": "Ana <b>Restrepo</b>", "relation": "titular"},
        "note": "Dejado con el portero “Żółw” & Cía.",
        "pin": "4711",
        "cash": {"amount": 80000, "method": "cash"},
    }
    outcome = {
        "cash": {"amount": 80000.0, "method": "cash", "currency": "COP", "due": 85000.5, "difference": -5000.5},
        "parcels": [{"seq": 0, "barcode": "MDE0001", "outcome": "refused", "quantity": 1}],
    }
    async with pool.acquire() as db, db.transaction():
        await db.execute(
            "INSERT INTO driver_event (driver_id, id, account_id, lane, device_id, type, stop_id, occurred_at, lat,"
            " lon, data, outcome, effective) VALUES ($1, $2, $3, 0, $4, 'completed', $5, $6, $7, $8, $9, $10, true)",
            *(numbers["driver_id"], event_id, account.id, numbers["device_id"], numbers["stop_id"], at),
            *(PLACE["lat"], PLACE["lon"], data, outcome),
        )
        naming = Naming(
            event_id=event_id,
            stop_id=numbers["stop_id"],
            occurred_ms=ms_of(at),
            **PLACE,
            proofs=[{"upload_id": one, "kind": kind} for one, kind in uploads],
        )
        who = {"driver_id": numbers["driver_id"], "device_id": numbers["device_id"]}
        await claim_uploads(db, account_id=account.id, **who, namings=[naming])
        await db.execute(
            "UPDATE stop SET status = 'completed', arrived_at = $2, departed_at = $3 WHERE id = $1",
            *(numbers["stop_id"], datetime.fromisoformat("2026-03-02T08:18:02-05:00")),
            datetime.fromisoformat("2026-03-02T08:22:40-05:00"),
        )
        await db.execute(
            "UPDATE account SET settings = $2 WHERE id = $1",
            *(account.id, {"brand": "Envíos Laureles", "languages": ["es", "en"]}),
        )
    return stop


async def _certificate(client, account, stop, **query):
    return await client.get(f"/v1/stops/{stop}/certificate", params=query, headers=account.headers)


async def test_the_page_holds_everything_and_fetches_nothing(client, account, delivered):
    response = await _certificate(client, account, delivered)
    page = await response.text()
    assert response.content_type == "text/html"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "private, no-store"
    for said in ("Entregado", "02/03/2026, 08:21", "Ana &lt;b&gt;Restrepo&lt;/b&gt;, titular"):
        assert said in page
    assert "Dejado con el portero “Żółw” &amp; Cía." in page
    assert "80\u00a0000 de 85\u00a0000,50 COP, efectivo" in page
    assert "[MDE0001]: rechazado" in page
    assert "08:18:02" in page
    assert "MDE0001" in page
    assert "Envíos Laureles" in page
    assert len(re.findall(r'src="data:image/jpeg;base64,', page)) == 3
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "<script" not in page
    assert "4711" not in page
    proofs = (await (await client.get(f"/v1/stops/{delivered}/proofs", headers=account.headers)).json())["proofs"]
    assert all(proof["sha256"] in page for proof in proofs)
    assert _save("html", page.encode())


async def test_the_pdf_is_one_page_with_the_same(client, account, delivered):
    response = await _certificate(client, account, delivered, format="pdf", lang="en")
    content = await response.read()
    assert response.content_type == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert content.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", content)) == 1
    assert content.count(b"/Subtype /Image") == 3
    assert _save("pdf", content)


async def test_arabic_letters_are_joined_in_a_pdf(client, account, delivered, pool):
    await pool.execute("UPDATE stop SET name = 'ببب' WHERE id = $1", int(delivered[3:]))
    content = await (await _certificate(client, account, delivered, format="pdf")).read()
    assert content.count(b"> <0628>") == 3  # its shapes at the beginning, in the middle, at the end


async def test_a_stop_of_which_nothing_is_known_has_a_certificate_too(client, account, phone):
    for written in ("html", "pdf"):
        response = await _certificate(client, account, phone.stops[1], format=written, lang="pt")
        assert response.status == 200
    page = await (await _certificate(client, account, phone.stops[1], lang="pt")).text()
    assert "Ainda sem resultado" in page
    assert "Não há fotos nem assinatura." in page
    assert "Nenhum lugar registrado" in page


async def test_how_a_stop_ended_is_still_said_when_what_its_driver_said_is_forgotten(client, account, pool, delivered):
    await pool.execute("DELETE FROM driver_event")
    page = await (await _certificate(client, account, delivered, lang="en")).text()
    assert "Delivered" in page
    assert "No outcome yet" not in page


async def test_everything_of_a_delivery_in_one_answer(client, account, delivered):
    response = await client.get(f"/v1/stops/{delivered}/proof", headers=account.headers)
    whole = await response.json()
    assert whole["stop"]["external_id"] == "ped-1"
    assert (whole["outcome"]["type"], whole["outcome"]["recipient"]["relation"]) == ("completed", "titular")
    assert whole["outcome"]["distance_m"] == pytest.approx(19.9, abs=0.5)
    assert [one["kind"] for one in whole["photos"]] == ["photo", "photo"]
    assert whole["signature"]["type"] == "application/json"
    assert whole["signature"]["served"]["type"] == "image/png"
    assert {one["event_id"] for one in (*whole["photos"], whole["signature"])} == {whole["outcome"]["id"]}
    assert "4711" not in await response.text()


async def test_a_certificate_is_for_its_account_and_of_a_kind_that_there_is(
    client, account, other_account, phone, refused
):
    await refused(await _certificate(client, other_account, phone.stops[0]), 404)
    await refused(await client.get(f"/v1/stops/{phone.stops[0]}/proof", headers=other_account.headers), 404)
    await refused(await _certificate(client, account, "st_999999"), 404)
    await refused(await _certificate(client, account, phone.stops[0], format="docx"), 422, "format")
    await refused(await _certificate(client, account, phone.stops[0], lang="qu"), 422, "lang")


def test_certificates_say_the_same_in_every_language() -> None:
    first, *others = (_flat(msgspec.to_builtins(certificate_texts(language))) for language in LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()
        for name, text in first.items():
            assert set(re.findall(r"\{\w+\}", other[name])) == set(re.findall(r"\{\w+\}", text)), name


@pytest.mark.parametrize("change", [{"page": None}, {"pages": ""}, {"place": {"app": ""}}])
def test_a_text_that_is_missing_or_too_many_is_found_at_the_start(change) -> None:
    texts = {**msgspec.to_builtins(certificate_texts("en")), **change}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: text for name, text in texts.items() if text is not None}, CertificateTexts)


def _flat(texts: dict[str, Any]) -> dict[str, str]:
    """Put the texts of all groups side by side."""
    flat: dict[str, str] = {}
    for name, text in texts.items():
        flat |= {f"{name}.{inner}": one for inner, one in text.items()} if isinstance(text, dict) else {name: text}
    return flat


def _save(ending: str, content: bytes) -> bool:
    """Leave it where a person looks at it, if they said where."""
    folder = os.environ.get("CERTIFICATES")
    if folder:
        with open(f"{folder}/certificate.{ending}", "wb") as file:
            file.write(content)
    return True
