"""Settings: environment variables `REPARTO_*` over a TOML file over the defaults; every mistake named at once."""

import os
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from api.http.config import ApiConfig
from ingest.config import IngestConfig
from sql.config import DatabaseConfig
from work.proofs.blobs import SCHEMES
from work.proofs.config import ProofConfig
from work.roads.config import KINDS, RoadsConfig
from work.upkeep.config import MOST_DAYS, RetentionConfig

PREFIX = "REPARTO_"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_HOST = r"(?:\[[^\]]*\]|[^/?:,\[\]]*)(?::\d+)?"
_POSTGRES = re.compile(rf"postgres(?:ql)?://(?:[^/?]*@)?{_HOST}(?:,{_HOST})*(?:[/?].*)?")
_HTTP = re.compile(r"https?://[^\s?#]+")
_LONGEST_STATEMENT_S = 30  # a tracker that ends is waited for as long
_CLAIMS_LONGER_DAYS = 3  # what drivers said is folded from a day before the oldest ping on; pings go a day at a time
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


class SettingsError(Exception):
    """Some settings cannot be used; the text names every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """Settings of a process. Field `listen` is REPARTO_LISTEN in the environment."""

    listen: str = "127.0.0.1:8080"  # host:port of everything HTTP
    health_listen: str = ""  # host:port where `track` and `work` serve /health and /metrics; empty: nowhere
    data_dir: str = ".reparto"  # the embedded Postgres, the first admin key, and proofs without a blob_url
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, in the parts that need them."""

    server: ServerConfig = field(default_factory=ServerConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    proofs: ProofConfig = field(default_factory=ProofConfig)
    roads: RoadsConfig = field(default_factory=RoadsConfig)
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
        """Say which settings cannot be meant, or do not go together."""
        found = []
        if self.database.database_url and not _POSTGRES.fullmatch(self.database.database_url):
            found.append("REPARTO_DATABASE_URL: must look like postgresql://user:password@host:5432/database")
        if self.retention.ping_retention_days <= self.ingest.oldest_ping_days:
            found.append("REPARTO_PING_RETENTION_DAYS: must be more than REPARTO_OLDEST_PING_DAYS")
        if self.retention.driver_event_retention_days < self.retention.ping_retention_days + _CLAIMS_LONGER_DAYS:
            found.append(
                "REPARTO_DRIVER_EVENT_RETENTION_DAYS: must be at least"
                f" {_CLAIMS_LONGER_DAYS} more than REPARTO_PING_RETENTION_DAYS"
            )
        if self.retention.history_retention_days < self.retention.ping_retention_days + _CLAIMS_LONGER_DAYS:
            found.append(
                "REPARTO_HISTORY_RETENTION_DAYS: must be at least"
                f" {_CLAIMS_LONGER_DAYS} more than REPARTO_PING_RETENTION_DAYS"
            )
        found += _retention_mistakes(self)
        for name in ("listen", "health_listen"):
            text = getattr(self.server, name)
            if text and not _is_address(text):
                found.append(f"{PREFIX}{name.upper()}: must be host:port, not {text!r}")
        if self.server.log_level not in LOG_LEVELS:
            found.append(f"REPARTO_LOG_LEVEL: must be one of {', '.join(LOG_LEVELS)}")
        found += [*_url_mistakes(self.api), *_road_mistakes(self.roads)]
        database = self.database
        if not 0 < database.statement_timeout_s < _LONGEST_STATEMENT_S:
            found.append(f"REPARTO_STATEMENT_TIMEOUT_S: must be more than 0 and less than {_LONGEST_STATEMENT_S}")
        if not 0 < database.lock_timeout_s <= database.statement_timeout_s:
            found.append("REPARTO_LOCK_TIMEOUT_S: must be more than 0 and not more than REPARTO_STATEMENT_TIMEOUT_S")
        for name, value in (
            ("TRACKER_POLL_MS", self.ingest.tracker_poll_ms),
            ("PROOF_LINK_S", self.proofs.proof_link_s),
        ):
            if value < 1:
                found.append(f"{PREFIX}{name}: must be 1 or more")
        if self.proofs.blob_url and not re.match(rf"({'|'.join(SCHEMES)})://", self.proofs.blob_url):
            found.append("REPARTO_BLOB_URL: must begin with s3://, gs://, az:// or file:///, or be empty")
        if self.database.lanes > 1024:
            found.append("REPARTO_LANES: must be from 1 to 1024")
        return found

    def shown(self) -> dict[str, Any]:
        """Give every setting in force by its name in the environment; secrets hidden."""
        return {
            f"{PREFIX}{one.name.upper()}": getattr(part, one.name) if one.repr or not getattr(part, one.name) else "***"
            for part in (getattr(self, kind.name) for kind in fields(self))
            for one in fields(part)
        }


def _retention_mistakes(settings: Settings) -> list[str]:
    days = [(one.name, getattr(settings.retention, one.name)) for one in fields(settings.retention)]
    days += [
        ("proof_retention_days", settings.proofs.proof_retention_days),
        ("oldest_ping_days", settings.ingest.oldest_ping_days),
    ]
    return [
        f"{PREFIX}{name.upper()}: must be from 1 to {MOST_DAYS} days, not {value:g}"
        for name, value in days
        if not 1 <= value <= MOST_DAYS
    ]


def _url_mistakes(api: ApiConfig) -> list[str]:
    found = []
    if api.public_url and not _HTTP.fullmatch(api.public_url):
        found.append(f"REPARTO_PUBLIC_URL: must look like https://track.example.com, not {api.public_url!r}")
    is_template = all(place in api.tile_url for place in ("{z}", "{x}", "{y}"))
    if api.tile_url and not (is_template and api.tile_url.startswith(("http://", "https://"))):
        found.append("REPARTO_TILE_URL: must look like https://tiles.example.com/{z}/{x}/{y}.png")
    return found


def _road_mistakes(config: RoadsConfig) -> list[str]:
    if config.roads not in KINDS:
        return [f"REPARTO_ROADS: must be one of {', '.join(KINDS)}, not {config.roads!r}"]
    if config.roads != "osrm-http":
        return ["REPARTO_OSRM_URL: is asked only with REPARTO_ROADS=osrm-http"] if config.osrm_url else []
    if not _HTTP.fullmatch(config.osrm_url):
        return [
            f"REPARTO_OSRM_URL: must look like http://osrm:5000 for REPARTO_ROADS=osrm-http, not {config.osrm_url!r}"
        ]
    return []


def address_of(listen: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(host) and port.isdecimal() and 0 <= int(port) <= 65535


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
    for one in fields(kind):
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
