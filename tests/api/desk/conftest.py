"""An application with the desk."""

import pytest

from api.desk.passwords import PASSWORDS, Passwords
from reparto.run.asked import DESK
from tests.api.conftest import send_out
from tests.api.desk.desk import CHEAP


@pytest.fixture
def app_parts(app_parts, sealer):
    def cheaply(app):
        app[PASSWORDS] = Passwords(CHEAP)

    return [*app_parts, cheaply, send_out(sealer), *(module.operations.add_to for module in DESK)]
