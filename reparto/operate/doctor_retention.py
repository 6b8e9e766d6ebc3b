"""What will be deleted by age, told before it is; and what is not deleted although it is old."""

from reparto.operate.finding import Finding, Severity
from reparto.settings.settings import Settings
from sql.pool import Db
from work.retention.guard import Forecast, RetentionGuard
from work.upkeep.retention import retention_guard

_ADVICE = (
    "Nothing of it is deleted until you say so. Look at the clocks and at the settings of retention; if both are as you"
    " want them, run `reparto retention --confirm`."
)


def guard_in(settings: Settings) -> RetentionGuard:
    """Make the guard that `work` has with these settings."""
    return retention_guard(
        settings.retention,
        proof_retention_days=settings.proofs.proof_retention_days,
        outgoing=settings.outgoing,
    )


async def look_ahead(settings: Settings, db: Db) -> list[Finding]:
    """Tell what goes within a day, and what is held."""
    forecasts = await guard_in(settings).forecast(db)
    goes = [in_words(one) for one in forecasts if one.things and one.why_held is None]
    held = [one for one in forecasts if one.why_held is not None]
    what = f"within a day is deleted, because it is too old: {', '.join(goes) or 'nothing'}"
    return [
        Finding(Severity.GOOD, what),
        *(Finding(Severity.LOOK, f"{in_words(one)} would be deleted, but {one.why_held}", _ADVICE) for one in held),
    ]


def in_words(one: Forecast) -> str:
    """Write how much of a class goes: about 1,200 of visits from before 2026-03-01."""
    return f"{'more than' if one.is_more else 'about'} {one.things:,} of {one.name} from before {one.horizon:%Y-%m-%d}"
