"""Whatever an API key of a role may ask, somebody of that role who signed in may ask; and nothing else."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.desk_page.settings.frame import TABS
from api.http.app_keys import POOL
from api.http.auth import Role
from api.http.operation import DECLARED, ROLE_OF, Operation, Who
from reparto.run.app import create_app
from reparto.settings.settings import Settings
from sql.config import DatabaseConfig
from tests.api.desk.desk import signed_in, somebody


@pytest.fixture
async def whole(database: DatabaseConfig, tmp_path: Path) -> AsyncIterator[Any]:
    settings = Settings(database=database)
    settings = replace(settings, server=replace(settings.server, data_dir=str(tmp_path)))
    async with TestClient(TestServer(create_app(settings, database))) as client:
        yield client


def by_role(client: Any) -> list[tuple[Operation, Role]]:
    """Every operation that a role is needed for; the one that signs out last."""
    found = [(one, ROLE_OF[one.who]) for _, one in client.app[DECLARED] if one.who in ROLE_OF]
    return sorted(found, key=lambda one: one[0].path == "/v1/session")


async def test_every_operation_asks_for_its_role_of_a_session_too(whole: Any, account: Any) -> None:
    pool, mine = whole.app[POOL], {}
    for role in Role:
        mine[role] = await signed_in(pool, account.id, await somebody(pool, account.id, role), "reparto")
    asked = by_role(whole)
    for one, least in asked:
        url = re.sub(r"{[^}]*}", "x", one.path)
        statuses = {}
        for role in Role:
            if role <= least:  # whoever may more may this as well: `Role` is ordered
                async with whole.request(one.method, url, headers=mine[role]) as response:
                    statuses[role] = response.status
        assert {role for role, status in statuses.items() if status == 403} == {*Role} - {
            role for role in Role if role >= least
        }, (one.method, one.path, statuses)
        assert statuses[least] not in (401, 500), (one.method, one.path)
        async with whole.request(one.method, url, headers={"Reparto-Csrf": "1"}) as response:
            assert response.status == 401, (one.method, one.path)
    assert len(asked) > 100


async def test_what_drivers_phones_ask_and_say_is_for_drivers_who_signed_in_too_and_for_nobody_else(
    whole: Any, account: Any
) -> None:
    pool = whole.app[POOL]
    mine = {role: await signed_in(pool, account.id, await somebody(pool, account.id, role), "reparto") for role in Role}
    theirs = [one for _, one in whole.app[DECLARED] if one.who is Who.DRIVER]
    assert {one.path for one in theirs} == {
        "/v1/driver/manifest", "/v1/driver/eta", "/v1/driver/reasons", "/v1/driver/events", "/v1/driver/proofs"
    }  # fmt: skip
    for one in theirs:
        for role in Role:
            async with whole.request(one.method, one.path, headers=mine[role]) as response:
                assert (response.status == 403) is (role is not Role.DRIVER), (one.path, role)
                assert response.status not in (401, 500), (one.path, role)
        for headers in ({}, account.headers):  # nobody, and a key of an admin
            async with whole.request(one.method, one.path, headers=headers) as response:
                assert response.status == 401, one.path
    for one in (one for _, one in whole.app[DECLARED] if one.who is Who.DEVICE):
        url = re.sub(r"{[^}]*}", "x", one.path)
        async with whole.request(one.method, url, headers=mine[Role.DRIVER]) as response:
            assert response.status == 401, one.path


async def test_a_driver_may_read_and_change_nothing_but_how_they_sign_in(whole: Any) -> None:
    mays = {one.path for one, least in by_role(whole) if least <= Role.DRIVER}
    assert {path for path in mays if not path.startswith("/v1/session")} == set()


OWN = ("/v1/session", "/v1/alerts/push")
"""What somebody changes for themselves alone."""


async def test_support_writes_nothing_but_answers_to_tickets(whole: Any) -> None:
    mays = {
        f"{one.method} {one.path}"
        for one, least in by_role(whole)
        if least <= Role.SUPPORT and one.method != "GET" and not one.path.startswith(OWN)
    }
    assert mays == {"POST /v1/tickets/{ticket}/answers"}


ONLY = {least: {role: 200 if role >= least else 403 for role in Role} for least in Role}
EVERYBODY = ONLY[Role.VIEWER]  # but drivers, who have a page of their own
NOT_SUPPORT = EVERYBODY | {Role.SUPPORT: 403}  # who answers the phone looks at one delivery at a time
NOTHING = dict.fromkeys(Role, 404) | {Role.DRIVER: 403}

SCREENS: dict[str, dict[Role, int]] = {
    "/desk": EVERYBODY | {Role.SUPPORT: 303, Role.DRIVER: 303},
    "/desk/driving": dict.fromkeys(Role, 403) | {Role.DRIVER: 200},
    "/desk/find": EVERYBODY,
    "/desk/alerts": NOT_SUPPORT,
    "/desk/board": NOT_SUPPORT,
    "/desk/reports": NOT_SUPPORT,
    "/desk/imports": NOT_SUPPORT,
    "/desk/imports/{import}": NOTHING | {Role.SUPPORT: 403},
    "/desk/replan": NOT_SUPPORT,
    "/desk/replan/{plan}": NOTHING | {Role.SUPPORT: 403},
    "/desk/stops/{stop}": NOTHING,
    "/desk/tours/{route}/replay": NOTHING | {Role.SUPPORT: 403},
    "/desk/tours/{route}": NOTHING | {Role.SUPPORT: 403},
    **{f"/desk/settings/{name}": ONLY[least] for name, least in TABS.items()},
    "/desk/settings/brand/preview": ONLY[Role.ADMIN],
}
"""What each role gets of each screen; of a delivery and a tour that there are none of."""

NONE = {"stop": "st_1", "route": "rt_1", "plan": "pl_1", "import": "im_1"}

DOORS = {"/desk/sign-in/provider", "/desk/link/{token}"}
"""For whoever comes with something else than a session."""


async def test_each_screen_is_for_its_roles(whole: Any, account: Any) -> None:
    pool = whole.app[POOL]
    screens = {
        one.path
        for _, one in whole.app[DECLARED]
        if one.method == "GET" and one.path.startswith("/desk") and one.who not in ROLE_OF  # tiles are no screen
    } - DOORS
    assert screens == SCREENS.keys()
    got: dict[str, dict[Role, int]] = {path: {} for path in screens}
    for role in Role:
        mine = await signed_in(pool, account.id, await somebody(pool, account.id, role), "reparto")
        for path in screens:
            async with whole.get(path.format(**NONE), headers=mine, allow_redirects=False) as response:
                got[path][role] = response.status
    assert got == SCREENS
    for path in screens - {"/desk"}:
        async with whole.get(path.format(**NONE), allow_redirects=False) as response:
            assert (response.status, response.headers["Location"][:6]) == (303, "/desk?"), path
