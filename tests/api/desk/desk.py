"""What tests of the desk share: people with passwords, and browsers that are signed in."""

from typing import Any

from argon2 import PasswordHasher

from api.http.auth import SESSION_PREFIX, Role, hash_of, new_secret
from sql.account.drivers import create_driver
from sql.desk import people, sessions
from sql.pool import Pool

PASSWORD = "correct horse battery"
CSRF = {"Reparto-Csrf": "1", "Sec-Fetch-Site": "same-origin"}
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASHED = CHEAP.hash(PASSWORD)


async def make_user(pool: Pool, account_id: int, email: str = "ana@tienda.example", role: str = "admin") -> int:
    """Make a user with a password; give the person's id."""
    person = await people.ensure_person(pool, email)
    await people.set_password(pool, person.id, HASHED)
    await people.add_member(pool, account_id, person.id, role)
    return person.id


async def make_driver_user(
    pool: Pool, account_id: int, driver_id: int | None = None, email: str = "luis@tienda.example"
) -> int:
    """Make a user with a password who drives, as a driver of theirs or one made for it; give the person's id."""
    if driver_id is None:
        made = await create_driver(pool, account_id=account_id, external_id=email, name="Luis", phone=None, locale=None)
        assert made is not None
        driver_id = made.id
    person = await people.ensure_person(pool, email)
    await people.set_password(pool, person.id, HASHED)
    await people.add_member(pool, account_id, person.id, "driver", driver_id=driver_id)
    return person.id


async def somebody(pool: Pool, account_id: int, role: Role, email: str = "") -> int:
    """Make a user of a role, whichever it is; give the person's id."""
    email = email or f"{role.name}@tienda.example".lower()
    if role is Role.DRIVER:
        return await make_driver_user(pool, account_id, email=email)
    return await make_user(pool, account_id, email, role.name.lower())


async def signed_in(pool: Pool, account_id: int, person_id: int, cookie: str = "__Host-reparto") -> dict[str, str]:
    """Open a session; give the headers that a page of ours sends with it."""
    secret = new_secret(SESSION_PREFIX)
    await sessions.open_session(pool, account_id=account_id, person_id=person_id, secret_hash=hash_of(secret))
    return {"Cookie": f"{cookie}={secret}", **CSRF}


async def ask(client: Any, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    """Ask, give the status and the answer."""
    async with client.request(method, path, json=body, **more) as response:
        return response.status, await response.json(content_type=None) if await response.read() else None
