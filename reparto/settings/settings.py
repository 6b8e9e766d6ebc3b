"""Settings: environment variables `REPARTO_*` over a TOML file over the defaults; every mistake named at once."""

import os
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from api.http.config import ApiConfig
from ingest.config import InboxConfig, IngestConfig
from ingest.doors.config import DoorsConfig
from reparto.settings.config import ServerConfig
from sql.config import DatabaseConfig
from work.outgoing.config import OutgoingConfig
from work.proofs.config import ProofConfig
from work.roads.config import RoadsConfig
from work.upkeep.config import MOST_DAYS, RetentionConfig

PREFIX = "REPARTO_"
_PASSWORD_IN_ADDRESS = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")
_KEY_IN_QUERY = re.compile(r"(?i)([?&][^=&\s]*(?:key|token|secret|sig|password)[^=&\s]*=)[^&\s]+")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingsError(Exception):
    """Some settings cannot be used; the text names every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, in the parts that need them."""

    server: ServerConfig = field(default_factory=ServerConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    doors: DoorsConfig = field(default_factory=DoorsConfig)
    inbox: InboxConfig = field(default_factory=InboxConfig)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    proofs: ProofConfig = field(default_factory=ProofConfig)
    roads: RoadsConfig = field(default_factory=RoadsConfig)
    outgoing: OutgoingConfig = field(default_factory=OutgoingConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)

    @classmethod
    def read(cls, env: Mapping[str, str] = os.environ) -> Self:
        """Read the settings in force. REPARTO_CONFIG names the TOML file; its keys are the names without the prefix.

        Raises:
            SettingsError: names every missing, unknown or malformed setting.
        """
        mistakes: list[str] = []
        given: dict[str, Any] = _from_file(env.get(f"{PREFIX}CONFIG", ""), mistakes)
        given |= {
            name.removeprefix(PREFIX).lower(): value
            for name, value in env.items()
            if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG"
        }
        parts: dict[str, Any] = {
            part.name: _part(typing.cast(type, part.type), given, mistakes) for part in fields(cls)
        }
        mistakes += [f"{PREFIX}{name.upper()}: there is no such setting" for name in sorted(given)]
        settings = cls(**parts)
        mistakes += settings.contradictions()
        if mistakes:
            raise SettingsError("\n".join(mistakes))
        return settings

    def contradictions(self) -> list[str]:
        """Say which settings cannot be meant, or do not go together: what each room says of its own, then of two."""
        parts = [getattr(self, part.name) for part in fields(self)]
        found = [told for part in parts for told in getattr(part, "contradictions", tuple)()]
        if self.retention.ping_retention_days <= self.ingest.oldest_ping_days:
            found.append("REPARTO_PING_RETENTION_DAYS: must be more than REPARTO_OLDEST_PING_DAYS")
        found += _retention_mistakes(self)
        return found

    def shown(self) -> dict[str, Any]:
        """Give every setting in force by its name in the environment; secrets hidden."""
        return {
            f"{PREFIX}{one.name.upper()}": (
                _without_secrets(getattr(part, one.name)) if one.repr or not getattr(part, one.name) else "***"
            )
            for part in (getattr(self, kind.name) for kind in fields(self))
            for one in settings_in(part)
        }


def _without_secrets(value: Any) -> Any:
    """Hide passwords and keys that stand in an address."""
    if not isinstance(value, str):
        return value
    return _KEY_IN_QUERY.sub(r"\1***", _PASSWORD_IN_ADDRESS.sub(r"\1:***@", value))


def _retention_mistakes(settings: Settings) -> list[str]:
    days = [
        (one.name, getattr(settings.retention, one.name))
        for one in fields(settings.retention)
        if one.name.endswith("_days")
    ]
    days += [
        ("proof_retention_days", settings.proofs.proof_retention_days),
        ("oldest_ping_days", settings.ingest.oldest_ping_days),
        ("message_retention_days", settings.outgoing.message_retention_days),
        ("delivery_retention_days", settings.outgoing.delivery_retention_days),
    ]
    return [
        f"{PREFIX}{name.upper()}: must be from 1 to {MOST_DAYS} days, not {value:g}"
        for name, value in days
        if not 1 <= value <= MOST_DAYS
    ]


def settings_in(part: Any) -> list[Field[Any]]:
    """Give the fields of a config that can be set; the others are constants of its room."""
    return [one for one in fields(part) if one.metadata.get("is_setting", True)]


def _from_file(path: str, mistakes: list[str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return {name.lower(): value for name, value in tomllib.loads(Path(path).read_text(encoding="utf-8")).items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        mistakes.append(f"{PREFIX}CONFIG: {path} cannot be read: {error}")
        return {}


def _part(kind: type, given: dict[str, Any], mistakes: list[str]) -> Any:
    values = {}
    for one in settings_in(kind):
        if one.name not in given:
            continue
        try:
            values[one.name] = _value(given.pop(one.name), one.type)
        except ValueError as error:
            mistakes.append(f"{PREFIX}{one.name.upper()}: {error}")
    return kind(**values)


def _value(raw: Any, kind: Any) -> Any:
    """Read one value as the type of its field."""
    if kind is bool:
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() in _TRUE:
            return True
        if str(raw).lower() in _FALSE:
            return False
        raise ValueError(f"must be true or false, not {raw!r}")
    if kind in (int, float):
        try:
            number = kind(raw)
        except ValueError:
            raise ValueError(f"must be {'a whole number' if kind is int else 'a number'}, not {raw!r}") from None
        if kind is int and number < 1:
            raise ValueError("must be 1 or more")
        if not 0 <= number < float("inf"):
            raise ValueError("must not be negative or infinite")
        return number
    return str(raw)
