"""What people of the company read of a ticket that is due, and recipients of one that was answered."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from sql.messages.alerts import CompanyAlert
from work.alerts.words import words_of
from work.messages.rules.kinds import KINDS
from work.messages.words.catalog import FORMS, LANGUAGES, built_in
from work.messages.words.render import fill


@pytest.mark.parametrize(("kind", "when"), [("ticket.due_soon", "due today"), ("ticket.overdue", "overdue")])
def test_an_alert_names_the_ticket_and_what_to_do(kind: str, when: str) -> None:
    alert = CompanyAlert(
        fact_id=UUID(int=7),
        way="email",
        account_id=1,
        attempts=1,
        account_name="valle",
        settings={},
        type=kind,
        occurred_at=datetime(2026, 3, 2, 14, tzinfo=UTC),
        driver_id=None,
        stop_id=7,
        data={"ticket_id": "tk_7", "kind": "damaged", "due_at": "2026-03-02T23:00:00+00:00"},
    )
    title, text = words_of(alert)
    assert "tk_7" in title
    assert when in title
    assert "POST /v1/tickets/tk_7/answers" in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_an_answer_is_in_the_mail_and_not_in_the_short_message(language: str, form: str) -> None:
    values = {"brand": "B", "ticket": "tk_7", "order": "ped-1", "link": "https://x/t/1", "answer": "Lo encontramos"}
    _, short = built_in("ticket", "sms", language, form)
    subject, body = built_in("ticket", "email", language, form)
    assert "tk_7" in fill(short, values)
    assert "Lo encontramos" not in fill(short, values)
    assert "tk_7" in fill(subject or "", values)
    assert "Lo encontramos" in fill(body, {**values, "first_name": ""})
    assert KINDS["ticket"].most == 0, "each answer is told"
