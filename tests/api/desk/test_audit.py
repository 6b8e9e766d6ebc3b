"""Who did what is written down with it, is never changed, and is read by those who may."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from sql.desk.audit import blank_audit, drop_audit
from tests.api.desk.desk import PASSWORD, ask, make_user, signed_in


async def entries(client, account, **only):
    status, said = await ask(client, "GET", "/v1/audit", headers=account.headers, params=only)
    assert status == 200, said
    return said["entries"]


async def test_an_entry_says_who_did_what_to_which_thing_from_where(client, account, other_account, pool):
    ana = await make_user(pool, account.id, role="owner")
    mine = await signed_in(pool, account.id, ana)
    beto = await make_user(pool, account.id, "beto@tienda.example", "viewer")
    await ask(client, "PATCH", f"/v1/users/us_{beto}", {"role": "support"}, headers=mine)
    _, driver = await ask(client, "POST", "/v1/drivers", {"external_id": "ana", "name": "Ana"}, headers=account.headers)
    made, changed = await entries(client, account)
    assert datetime.now(UTC) - datetime.fromisoformat(changed.pop("at")) < timedelta(minutes=1)
    assert changed == {
        "id": "au_1",
        "user_id": f"us_{ana}",
        "user_email": "ana@tienda.example",
        "key_id": None,
        "key_label": None,
        "operation": "PATCH /v1/users/{user}",
        "thing": {"user": f"us_{beto}"},
        "address": "127.0.0.1",
        "before": {"role": "viewer"},
        "after": {"role": "support"},
    }
    assert (made["key_label"], made["user_id"], made["thing"]) == ("test", None, {"id": driver["id"]})
    for only in ({"user": f"us_{ana}"}, {"operation": "PATCH /v1/users/{user}"}, {"thing": f"us_{beto}"}):
        assert [one["id"] for one in await entries(client, account, **only)] == ["au_1"]
    assert [one["id"] for one in await entries(client, account, key=made["key_id"], limit="1")] == ["au_2"]
    assert await entries(client, account, to="2026-01-01T00:00:00Z") == []
    assert await entries(client, other_account) == []


async def test_what_was_refused_or_only_read_is_not_in_it(client, account):
    await ask(client, "GET", "/v1/keys", headers=account.headers)
    await ask(client, "POST", "/v1/keys", {"role": "king"}, headers=account.headers)
    await ask(client, "DELETE", "/v1/keys/ky_99", headers=account.headers)
    assert await entries(client, account) == []


async def test_signing_in_and_being_let_in_are_in_it_without_a_secret(client, account, pool):
    await make_user(pool, account.id)
    await ask(client, "POST", "/v1/session", {"email": "ana@tienda.example", "password": PASSWORD})
    invited = {"email": "beto@tienda.example", "role": "viewer"}
    _, made = await ask(client, "POST", "/v1/invitations", invited, headers=account.headers)
    page = made["link"].removeprefix("https://reparto.example")
    assert (await client.post(page, data={"password": PASSWORD})).status == 200
    found = await entries(client, account)
    assert [(one["operation"], one["user_email"]) for one in found] == [
        ("POST /desk/link/{token}", "beto@tienda.example"),
        ("POST /v1/invitations", None),
        ("POST /v1/session", "ana@tienda.example"),
    ]
    kept = str(await pool.fetch("SELECT * FROM audit_entry"))
    assert PASSWORD not in kept
    assert page.rpartition("/")[2] not in kept


async def test_a_change_without_its_entry_is_not_made(client, account, pool):
    mine = await signed_in(pool, account.id, await make_user(pool, account.id, role="owner"))
    beto = await make_user(pool, account.id, "beto@tienda.example", "viewer")
    await pool.execute("ALTER TABLE audit_entry ADD CHECK (operation NOT LIKE 'PATCH%')")
    assert (await ask(client, "PATCH", f"/v1/users/us_{beto}", {"role": "admin"}, headers=mine))[0] == 500
    assert await pool.fetchval("SELECT role FROM member WHERE person_id = $1", beto) == "viewer"


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET operation = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_nobody_changes_what_was_written(client, account, pool, statement):
    await ask(client, "POST", "/v1/keys", {"role": "viewer"}, headers=account.headers)
    with pytest.raises(asyncpg.RaiseError, match="only added to"):
        await pool.execute(statement)
    assert len(await entries(client, account)) == 1


async def test_what_is_too_old_goes_and_names_of_people_who_are_erased(client, account, pool, make_driver):
    await make_driver(client, account.key, "ana")
    await ask(client, "PATCH", "/v1/drivers/ana", {"name": "A."}, headers=account.headers)
    invited = {"email": "beto@tienda.example", "role": "viewer"}
    await ask(client, "POST", "/v1/invitations", invited, headers=account.headers)
    async with pool.acquire() as db, db.transaction():
        assert await blank_audit(db, account.id, driver_id=1) == 1
        assert await blank_audit(db, account.id, words=["beto@tienda.example"]) == 1
    invitation, changed, _ = await entries(client, account)
    assert (changed["thing"], invitation["after"]) == ({"driver": "dr_1"}, None)
    async with pool.acquire() as db, db.transaction():
        assert await drop_audit(db, datetime.now(UTC) - timedelta(days=1), at_most=9) == 0
        assert await drop_audit(db, datetime.now(UTC) + timedelta(days=1), at_most=2) == 2
    assert len(await entries(client, account)) == 1
