"""What accounts have learned of ETAs, kept by a tracker between takes. No take waits for what was learned since."""

from collections.abc import Iterable
from dataclasses import dataclass

from geo.eta_model import Key, Model, Row
from sql.eta import EtaAccount, eta_accounts
from sql.eta_learning import read_bands, rows_since
from sql.eta_rules import EtaRules
from sql.pool import Db


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AccountEta:
    """What an account's ETAs are made with, and when somebody must hear of one."""

    model: Model
    rules: EtaRules


class ModelCache:
    """Models by account. A newer version is read between takes; until then the one before serves."""

    def __init__(self) -> None:
        self._models: dict[int, Model] = {}
        self._newer: dict[int, int] = {}

    async def of_accounts(self, db: Db, account_ids: Iterable[int]) -> dict[int, AccountEta]:
        """Give what ETAs of accounts are made with; a model that was never read is read now."""
        accounts = await eta_accounts(db, set(account_ids))
        found = {}
        for account_id, account in accounts.items():
            if account_id not in self._models:
                self._models[account_id] = await _read(db, account_id, account.eta_version, None)
            model = self._models[account_id]
            if model.version < account.eta_version:
                self._newer[account_id] = account.eta_version
            found[account_id] = AccountEta(model=model, rules=account.rules)
        return found

    async def read_newer(self, db: Db) -> None:
        """Read what was learned since. Between takes."""
        while self._newer:
            account_id, version = self._newer.popitem()
            self._models[account_id] = await _read(db, account_id, version, self._models.get(account_id))


async def read_model(db: Db, account_id: int) -> Model:
    """Read all that an account, which is known to exist, has learned."""
    account: EtaAccount = (await eta_accounts(db, [account_id]))[account_id]
    return await _read(db, account_id, account.eta_version, None)


async def _read(db: Db, account_id: int, version: int, before: Model | None) -> Model:
    """Read the rows that changed since a model was read. They may be newer than `version`, and are read again then."""
    rows: dict[Key, Row] = {} if before is None else dict(before.rows)
    if version:
        rows |= await rows_since(db, account_id, 0 if before is None else before.version)
    bands = await read_bands(db, account_id) if version else ()
    return Model(version=version, rows=rows, bands=bands) if bands else Model(version=version, rows=rows)
