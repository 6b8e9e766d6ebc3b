"""An application with the desk."""

import pytest

from api.desk import audit, invitations, link_page, session, users
from api.desk.passwords import PASSWORDS, Passwords
from tests.api.desk.desk import CHEAP


@pytest.fixture
def app_parts(app_parts):
    def cheaply(app):
        app[PASSWORDS] = Passwords(CHEAP)

    return [
        *app_parts,
        cheaply,
        *(module.operations.add_to for module in (session, users, invitations, link_page, audit)),
    ]
