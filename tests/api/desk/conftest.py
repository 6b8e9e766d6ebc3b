"""An application with the desk."""

import pytest

from api.desk import audit, invitations, link_page, session, users


@pytest.fixture
def app_parts(app_parts):
    return [*app_parts, *(module.operations.add_to for module in (session, users, invitations, link_page, audit))]
