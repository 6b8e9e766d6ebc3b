"""An application with the desk."""

import pytest

from api.desk import audit, invitations, link_page, passkeys, session, totp, users
from api.desk.oidc import endpoints as oidc
from api.desk.oidc import setting as oidc_setting
from api.desk.oidc import trying as oidc_trying
from api.desk.passwords import PASSWORDS, Passwords
from tests.api.conftest import send_out
from tests.api.desk.desk import CHEAP


@pytest.fixture
def app_parts(app_parts, sealer):
    def cheaply(app):
        app[PASSWORDS] = Passwords(CHEAP)

    return [
        *app_parts,
        cheaply,
        send_out(sealer),
        *(
            module.operations.add_to
            for module in (
                session,
                totp,
                passkeys,
                oidc,
                oidc_setting,
                oidc_trying,
                users,
                invitations,
                link_page,
                audit,
            )
        ),
    ]
