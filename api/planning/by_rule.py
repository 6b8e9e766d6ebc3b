"""Proposals that an account's rule accepts: a job of the role `work`, by the same way as a dispatcher's request."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from api.http import ids
from api.http.config import ApiConfig
from api.http.problem import Problem
from api.planning.accept import accept_proposal
from api.routes.roads import RouteTools
from sql.account.settings import ProposalRule, read_settings
from sql.desk.audit import AuditDeed
from sql.planning.plans import TourPlanRow, leave_to_person, proposal_for_rule
from sql.pool import Pool, is_away
from work.job import Job
from work.roads.protocol import Roads

log = logging.getLogger(__name__)

_PAUSE_S = 1.0

_NOBODY_COMES = frozenset({"stays", "unplanned"})

OPERATION = "rule accept_proposals"
"""As the audit log has it."""


def rule_job(roads: Roads, config: ApiConfig) -> Job:
    """Give the job that asks accounts' rules about proposals that are done."""

    async def look(pool: Pool) -> bool:
        row = await proposal_for_rule(pool)
        if row is not None:
            await _ask(RouteTools(pool=pool, roads=roads, config=config), row)
        return row is not None

    return Job(name="proposals by rule", do=look, pause_s=_PAUSE_S)


async def _ask(tools: RouteTools, row: TourPlanRow) -> None:
    """Let a proposal count if the rule accepts it and the day is as it was; else say why it is left to a person."""
    rule = (await read_settings(tools.pool, row.account_id)).accept_proposals
    told = (row.result or {})["proposal"]
    why = "The account has no such rule any more." if rule is None else objection(rule, told)
    if why is None:
        try:
            await accept_proposal(tools, _judged(row, None), deed=_deed(row, told))
        except Problem as problem:
            why = " ".join([problem.detail, *(f"{error.why}." for error in problem.errors[:1])])
            log.info("plan %d is left to a person: %s", row.id, problem.type)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("plan %d is left to a person", row.id)
            why = "It could not be accepted by itself; the server's log says why."
    if why is not None:
        await leave_to_person(tools.pool, _judged(row, why))


def _judged(row: TourPlanRow, why: str | None) -> TourPlanRow:
    result = row.result or {}
    rule = {"accepted": why is None, "why": why}
    return replace(row, result={**result, "proposal": {**result["proposal"], "rule": rule}})


def _deed(row: TourPlanRow, told: dict[str, Any]) -> AuditDeed:
    return AuditDeed(
        account_id=row.account_id,
        operation=OPERATION,
        thing={"plan": ids.shown(ids.PLAN, row.id)},
        after={"because": told["because"], "minutes": told["minutes"], "km": told["km"]},
    )


def objection(rule: ProposalRule, told: Mapping[str, Any]) -> str | None:
    """Tell why a rule does not accept a proposal.

    Args:
        told: what `work.planning.proposal` says of it.

    Returns:
        A sentence for whoever decides in its place; None: it is accepted.
    """
    recipients = told["recipients"]
    if told["windows_broken"]:
        return f"It breaks {told['windows_broken']} of the promised windows."
    if left := [one["order"] for one in recipients if one["what"] in _NOBODY_COMES]:
        return f"Nobody would come to {', '.join(left[:3])}{' and others' if len(left) > 3 else ''}."
    saved = -told["minutes"]
    if rule.saves_minutes is not None and saved >= rule.saves_minutes:
        return None
    if rule.new_orders:
        others = [one["order"] for one in recipients if one["what"] in ("moved", "cancelled")]
        if not others and any(one["what"] == "added" for one in recipients):
            return None
    return _why_not(rule, saved)


def _why_not(rule: ProposalRule, saved: float) -> str:
    reasons = []
    if rule.saves_minutes is not None:
        reasons.append(f"it saves {saved:.0f} minutes, not {rule.saves_minutes}" if saved > 0 else "it saves no time")
    if rule.new_orders:
        reasons.append("it does not only bring in new orders")
    return f"By the account's rule {' and '.join(reasons)}."
