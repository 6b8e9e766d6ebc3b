"""What an account's rule says of a proposal."""

import pytest

from api.planning.by_rule import objection
from sql.account.settings import ProposalRule

BOTH = ProposalRule(saves_minutes=10, new_orders=True)


def told(minutes=0.0, broken=0, **what):
    recipients = [{"order": order, "what": word} for order, word in what.items()]
    return {"minutes": minutes, "windows_broken": broken, "recipients": recipients}


@pytest.mark.parametrize(
    ("proposal", "rule"),
    [
        (told(-10), BOTH),
        (told(-12.5, ana="moved", luis="later"), ProposalRule(saves_minutes=10)),
        (told(9.5, nueva="added", ana="later"), BOTH),
        (told(-30, ana="cancelled"), BOTH),
    ],
)
def test_it_is_accepted(proposal, rule):
    assert objection(rule, proposal) is None


@pytest.mark.parametrize(
    ("proposal", "rule", "why"),
    [
        (told(-60, broken=1), BOTH, "It breaks 1 of the promised windows."),
        (told(-60, ana="stays"), BOTH, "Nobody would come to ana."),
        (told(-60, a="unplanned", b="stays", c="stays", d="stays"), BOTH, "Nobody would come to a, b, c and others."),
        (told(-9.4), ProposalRule(saves_minutes=10), "By the account's rule it saves 9 minutes, not 10."),
        (told(5, nueva="added"), ProposalRule(saves_minutes=10), "By the account's rule it saves no time."),
        (
            told(-60, ana="later"),
            ProposalRule(new_orders=True),
            "By the account's rule it does not only bring in new orders.",
        ),
        (
            told(5, nueva="added", ana="moved"),
            BOTH,
            "By the account's rule it saves no time and it does not only bring in new orders.",
        ),
    ],
)  # fmt: skip
def test_it_is_left_to_a_person(proposal, rule, why):
    assert objection(rule, proposal) == why
