"""The desk in a real browser, over the whole application: an office with a tour under way, and who sits there."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from api.http.auth import SESSION_PREFIX, hash_of, new_secret
from reparto.run.app import create_app
from reparto.settings.config import ServerConfig
from reparto.settings.settings import Settings
from sql.account.accounts import ensure_account
from sql.config import DatabaseConfig
from sql.desk import sessions
from sql.pool import Pool
from tests.api.desk.desk import make_driver_user, make_user
from tests.api.tour_rows import Tour
from work.outgoing.config import OutgoingConfig

DESK = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 780}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


@dataclass(kw_only=True)
class Office:
    """A firm with a tour under way."""

    url: str
    pool: Pool
    account_id: int
    tour: Tour
    now: datetime
    contexts: list[Any] = field(default_factory=list)

    async def sit(self, browser: Any, role: str = "dispatcher", *, lang: str = "en", **looks: Any) -> Any:
        """Give a page of somebody who is signed in; what goes wrong in it is in `page.wrong`."""
        email = f"{role}{len(self.contexts)}@tienda.example"
        if role == "driver":
            person = await make_driver_user(self.pool, self.account_id, self.tour.driver_id, email)
        else:
            person = await make_user(self.pool, self.account_id, email, role)
        secret = new_secret(SESSION_PREFIX)
        await sessions.open_session(
            self.pool, account_id=self.account_id, person_id=person, secret_hash=hash_of(secret)
        )
        locale = {"es": "es-CO", "pt": "pt-BR", "en": "en-GB"}[lang]
        context = await browser.new_context(**{**DESK, "locale": locale, "reduced_motion": "reduce", **looks})
        await context.add_cookies([{"name": "reparto", "value": secret, "url": self.url}])
        self.contexts.append(context)
        page = await context.new_page()
        page.wrong = []
        page.on("console", lambda one: page.wrong.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: page.wrong.append(str(one)))
        return page


@pytest.fixture
async def office(database: DatabaseConfig, pool: Pool, tmp_path: Path) -> AsyncIterator[Office]:
    """Four stops; the van is 150 m on its way to the first; the first has all that a stop may have."""
    settings = Settings(
        database=database,
        server=ServerConfig(data_dir=str(tmp_path)),
        outgoing=OutgoingConfig(outgoing_allow="127.0.0.0/8"),
    )
    server = TestServer(create_app(settings, database))
    await server.start_server()
    now = datetime.now(UTC)
    account_id = await ensure_account(pool, "Mensajería Aburrá")
    tour = await Tour.put(pool, account_id, start_at=now - timedelta(minutes=30), external_id="norte-1")
    await tour.see_van(150, at=now, heading_deg=17.0)
    await tour.expect({n: now + timedelta(minutes=12 * (n + 1)) for n in range(4)}, as_of=now)
    await tour.change_stop(
        0, external_id="4711", address="Cra. 46 # 52-10, apto 301", phone="+57 300 111 22 33",
        email="ana@example.com", window_start=now, window_end=now + timedelta(hours=2),
        instructions="Timbre 3", proof=["pin", "photo"], cash_amount=85000, cash_currency="COP",
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO parcel (stop_id, seq, barcode, description, quantity) VALUES ($1, 0, 'MDE0001', 'Caja', 2)",
        tour.stop_ids[0],
    )
    yield Office(url=str(server.make_url("/")).rstrip("/"), pool=pool, account_id=account_id, tour=tour, now=now)
    await server.close()


async def tell(office: Office, place: int = 0) -> None:
    """What was said to the recipient of a stop and by them, and what the driver did there: it failed."""
    stop_id, at = office.tour.stop_ids[place], office.now
    for kind, channel, to, state, why in (
        ("booked", "email", "ana@example.com", "delivered", None),
        ("approaching", "sms", "+573001112233", "failed", "unknown"),
    ):
        await office.pool.execute(
            """INSERT INTO message (account_id, route_id, stop_id, attempt, kind, channel, address, locale, state, why,
                                    happened_at, body, next_try_at, expires_at, created_at, sent_at)
               VALUES ($1, $2, $3, 0, $4, $5, $6, 'es', $7, $8, $9, 'Tu pedido va en camino.', $9, $9, $9, $9)""",
            *(office.account_id, office.tour.route_id, stop_id, kind, channel, to, state, why),
            at - timedelta(minutes=20),
        )
    await office.pool.execute(
        """INSERT INTO recipient_change (account_id, stop_id, kind, state, was, is_now, made_at)
           VALUES ($1, $2, 'instructions', 'applied', '{}', '{"instructions": "Portón verde"}', $3)""",
        *(office.account_id, stop_id, at - timedelta(minutes=15)),
    )
    ticket = await office.pool.fetchval(
        """INSERT INTO ticket (account_id, stop_id, kind, state, opened_by, opened_at, updated_at, due_at)
           VALUES ($1, $2, 'not_received', 'open', 'recipient', $3, $3, $4) RETURNING id""",
        *(office.account_id, stop_id, at - timedelta(minutes=2), at + timedelta(days=2)),
    )
    await office.pool.execute(
        """INSERT INTO ticket_entry (ticket_id, said_by, state, words, internal, photo_ids, made_at)
           VALUES ($1, 'recipient', 'open', 'No llegó nada.', false, '{}', $2)""",
        *(ticket, at - timedelta(minutes=2)),
    )
    await office.tour.visit(place, at - timedelta(minutes=9), at - timedelta(minutes=5))
    await office.tour.say(
        "failed", place=place, at=at - timedelta(minutes=6), data={"reason": "not_home", "note": "Nadie abre."}
    )
    await office.tour.change_stop(place, status="failed", outcome_at=at - timedelta(minutes=6))
