"""What accounts have learned of ETAs, kept by a tracker between takes. No take waits for what was learned since.

An account that delivers to other doors every day learns far more than one day needs: only rows that concern the plans
being driven are read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakSet

from geo.eta.model import Model, Row, RowKey
from geo.eta.places import places
from geo.eta.seen import DELAY_KEYS
from geo.plan.plans import Plan
from sql.account.settings import EtaRules
from sql.eta.eta import EtaAccount, eta_accounts
from sql.eta.learning import read_bands, rows_of_keys, rows_since
from sql.pool import Db

MOST_KEYS = 200_000
"""About 50 MB; with more the keys of plans that are not driven any more are forgotten."""


_ALWAYS = frozenset(key for of_leads in DELAY_KEYS for levels in of_leads for level in levels for key, _ in level)
"""What is learned of no plan in particular: how much of a delay stays."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AccountEta:
    """What an account's ETAs are made with, and when somebody must hear of one."""

    model: Model
    rules: EtaRules


@dataclass(slots=True, eq=False)
class _Known:
    """What was read of an account: `rows` are the model's, and hold whatever there is of `keys`."""

    eta: AccountEta
    rows: dict[RowKey, Row]
    keys: set[RowKey] = field(default_factory=lambda: set(_ALWAYS))
    plans: WeakSet[Plan] = field(default_factory=WeakSet)


class ModelCache:
    """Models by account. A newer version is read between takes; until then the one before serves."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._newer: dict[int, int] = {}

    async def of_accounts(self, db: Db, account_ids: Iterable[int]) -> dict[int, AccountEta]:
        """Give what ETAs of accounts are made with: the same object while nothing of it has changed."""
        found = {}
        for account_id, account in (await eta_accounts(db, account_ids)).items():
            known = self._known.get(account_id)
            if known is None:
                known = self._known[account_id] = await _first(db, account_id, account)
            if known.eta.model.version < account.eta_version:
                self._newer[account_id] = account.eta_version
            if known.eta.rules != account.rules:
                known.eta = AccountEta(model=known.eta.model, rules=account.rules)
            found[account_id] = known.eta
        return found

    async def know(self, db: Db, driven: Iterable[tuple[int, Plan | None]]) -> None:
        """Have the models of accounts know of plans: what `of_accounts` gave knows of them, too.

        Args:
            driven: accounts that were given, each with a plan; both may occur more than once.
        """
        unknown: dict[int, set[Plan]] = {}
        for account_id, plan in driven:
            if plan is not None and plan not in self._known[account_id].plans:
                unknown.setdefault(account_id, set()).add(plan)
        for account_id, plans in unknown.items():
            await _add_plans(db, account_id, self._known[account_id], plans)

    async def read_newer(self, db: Db) -> None:
        """Read what was learned since. Between takes."""
        while self._newer:
            account_id, version = self._newer.popitem()
            known = self._known[account_id]
            if len(known.keys) > MOST_KEYS:
                known.keys = {key for plan in known.plans for key in _keys_of(plan)} | _ALWAYS
            rows = {key: row for key, row in known.rows.items() if key in known.keys}
            since = await rows_since(db, account_id, known.eta.model.version)
            rows |= {key: row for key, row in since.items() if key in known.keys}
            model = Model(version=version, rows=rows, bands=await read_bands(db, account_id))
            known.eta, known.rows = AccountEta(model=model, rules=known.eta.rules), rows


async def _first(db: Db, account_id: int, account: EtaAccount) -> _Known:
    rows = await rows_of_keys(db, account_id, _ALWAYS) if account.eta_version else {}
    model = Model(version=account.eta_version, rows=rows, bands=await read_bands(db, account_id))
    return _Known(eta=AccountEta(model=model, rules=account.rules), rows=rows)


async def _add_plans(db: Db, account_id: int, known: _Known, plans: Iterable[Plan]) -> None:
    """Read the rows of plans that nobody asked for. No other plan has them: what was said of those stands."""
    keys = set()
    for plan in plans:
        keys.update(_keys_of(plan))
        known.plans.add(plan)
    keys -= known.keys
    known.keys |= keys
    if keys and known.eta.model.version:
        known.rows |= await rows_of_keys(db, account_id, keys)


def _keys_of(plan: Plan) -> set[RowKey]:
    seen = places(plan)
    return {
        key
        for levels in (*seen.drive_keys, *seen.service_keys, seen.start_keys)
        for level in levels
        for key, _ in level
    }
