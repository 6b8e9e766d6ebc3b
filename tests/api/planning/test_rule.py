"""What an account's rule says of a proposal."""

from datetime import date

import pytest

from api.http.config import ApiConfig
from api.planning import by_rule
from api.planning.by_rule import objection
from sql.account.settings import ProposalRule
from sql.planning import plans
from sql.planning.plans import PlanEnd
from work.roads.choose import STRAIGHT

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


async def test_one_that_breaks_the_server_holds_up_no_other(pool, account, client, monkeypatch):
    change = {"accept_proposals": {"saves_minutes": 10}}
    assert (await client.patch("/v1/account", json=change, headers=account.headers)).status == 200
    for order in ("strange", "usual"):
        await plans.create_plan(pool, account_id=account.id, on=date(2026, 3, 2), depot="centro", asked={})
        row = await plans.take_plan(pool, hold_s=30.0)
        result = {"tours": [], "proposal": {**told(-60, **{order: "later"}), "because": order, "km": 0.0}}
        await plans.end_plan(pool, row, PlanEnd(state="done", result=result, for_rule=True))
    accepted = []

    async def accept(_tools, row, *, deed):
        if row.result["proposal"]["because"] == "strange":
            raise KeyError("strange")
        accepted.append(deed.after["because"])
        await plans.change_plan(pool, row.id, state="published", result=row.result)

    monkeypatch.setattr(by_rule, "accept_proposal", accept)
    rule = by_rule.rule_job(STRAIGHT, ApiConfig())
    while await rule.do(pool):
        pass
    assert accepted == ["usual"]
    left = await pool.fetchval("SELECT result FROM plan WHERE state = 'done'")
    assert "server's log" in left["proposal"]["rule"]["why"]
