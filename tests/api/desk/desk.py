"""What tests of the desk share: people with passwords, and browsers that are signed in."""

from typing import Any

from argon2 import PasswordHasher

from api.http.auth import SESSION_PREFIX, hash_of, new_secret
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


async def signed_in(pool: Pool, account_id: int, person_id: int, cookie: str = "__Host-reparto") -> dict[str, str]:
    """Open a session; give the headers that a page of ours sends with it."""
    secret = new_secret(SESSION_PREFIX)
    await sessions.open_session(pool, account_id=account_id, person_id=person_id, secret_hash=hash_of(secret))
    return {"Cookie": f"{cookie}={secret}", **CSRF}


async def ask(client: Any, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    """Ask, give the status and the answer."""
    async with client.request(method, path, json=body, **more) as response:
        return response.status, await response.json(content_type=None) if await response.read() else None
