"""Both sides of a delivery, and a company that plans."""

from typing import Any

import pytest

from api.planning import orders, plans, publish, resources
from api.returns import by_link, company
from tests.api.tickets import conftest as of_tickets

proof_store = of_tickets.proof_store
case = of_tickets.case


@pytest.fixture
def app_parts(app_parts: list[Any], proof_store: Any) -> list[Any]:
    modules = (by_link, company, orders, resources, plans, publish)
    with_tickets: list[Any] = of_tickets.parts(app_parts, proof_store)
    return [*with_tickets, *(one.operations.add_to for one in modules)]
