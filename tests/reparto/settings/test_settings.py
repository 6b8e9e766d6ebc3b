"""Settings: read from the environment and a file, all mistakes at once, secrets never shown."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from reparto.settings.config import ServerConfig, address_of
from reparto.settings.settings import Settings, SettingsError


def test_the_environment_goes_before_the_file_and_the_file_before_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "reparto.toml"
    file.write_text('listen = "127.0.0.1:1000"\nmax_batch = 7\n')
    settings = Settings.read({"REPARTO_CONFIG": str(file), "REPARTO_LISTEN": "127.0.0.1:2000"})
    assert settings.server.listen == "127.0.0.1:2000"
    assert settings.doors.max_batch == 7
    assert settings.server.data_dir == ".reparto"


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as said:
        Settings.read({"REPARTO_MAX_BATCH": "many", "REPARTO_LISTN": "127.0.0.1:80", "REPARTO_HOLD_HOURS": "-1"})
    named = set(re.findall(r"REPARTO_\w+", str(said.value)))
    assert named == {"REPARTO_MAX_BATCH", "REPARTO_LISTN", "REPARTO_HOLD_HOURS"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPARTO_LISTEN", "8080"),
        ("REPARTO_LISTEN", "localhost:http"),
        ("REPARTO_LISTEN", "localhost:70000"),
        ("REPARTO_HEALTH_LISTEN", "nowhere"),
        ("REPARTO_OSMAND_LISTEN", "5055"),
        ("REPARTO_MQTT_LISTEN", "1883"),
        ("REPARTO_OSMAND_LISTEN", "127.0.0.1:8080"),
        ("REPARTO_LANES", "0"),
        ("REPARTO_LANES", "1025"),
        ("REPARTO_MAX_BATCH", "1e3"),
        ("REPARTO_POOL_CONNECTIONS", "0"),
        ("REPARTO_LOG_LEVEL", "LOUD"),
        ("REPARTO_DATABASE_URL", "mysql://reparto@db/reparto"),
        ("REPARTO_DATABASE_URL", "postgresql://reparto@db:port/reparto"),
        ("REPARTO_DATABASE_URL", "db/reparto"),
        ("REPARTO_HOLD_HOURS", "nan"),
        ("REPARTO_STATEMENT_TIMEOUT_S", "0"),  # to Postgres: none
        ("REPARTO_STATEMENT_TIMEOUT_S", "30"),
        ("REPARTO_LOCK_TIMEOUT_S", "0"),
        ("REPARTO_PROOF_LINK_S", "0"),
        ("REPARTO_PUBLIC_URL", "track.example.com"),
        ("REPARTO_TILE_URL", "https://tiles.example.com/{z}/{x}"),
        ("REPARTO_TILE_URL", "/tiles/{z}/{x}/{y}"),
        ("REPARTO_OLDEST_PING_DAYS", "90"),  # not less than the retention
        ("REPARTO_HISTORY_RETENTION_DAYS", "92"),
        *(
            (f"REPARTO_{name}_RETENTION_DAYS", days)
            for name in (
                "PING",
                "DRIVER_EVENT",
                "QUARANTINE",
                "ETA",
                "PEOPLE",
                "HISTORY",
                "PROOF",
                "MESSAGE",
                "DELIVERY",
            )
            for days in ("0", "0.5", "1000000")
        ),
        ("REPARTO_RETENTION_MOST_DAYS", "0"),
        ("REPARTO_RETENTION_MOST_DAYS", "1000000"),
        ("REPARTO_OLDEST_PING_DAYS", "0"),
        ("REPARTO_DRIVER_EVENT_RETENTION_DAYS", "92"),  # a history may be folded again for 90
        ("REPARTO_CONFIG", "/nowhere/reparto.toml"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=r"REPARTO_\w+: ") as said:
        Settings.read({name: value})
    assert name in str(said.value)


def test_other_variables_are_not_ours() -> None:
    assert Settings.read({"PATH": "/bin", "XREPARTO_LISTEN": "x"}) == Settings()


def test_passwords_are_hidden_where_settings_are_shown() -> None:
    settings = Settings.read({"REPARTO_DATABASE_URL": "postgresql://reparto:geheim@db/reparto"})
    assert "geheim" not in str(settings.shown()) + repr(settings)
    assert settings.shown()["REPARTO_DATABASE_URL"] == "***"
    assert Settings().shown()["REPARTO_DATABASE_URL"] == ""


def test_shown_settings_are_all_settings() -> None:
    shown = Settings().shown()
    for part in fields(Settings):
        for one in fields(getattr(Settings(), part.name)):
            assert (f"REPARTO_{one.name.upper()}" in shown) == one.metadata.get("is_setting", True)


@pytest.mark.parametrize("name", ["REPARTO_RERUN_EVERY_S", "REPARTO_LANES_AT_ONCE", "REPARTO_GATHER_MS"])
def test_what_nobody_can_choose_well_is_no_setting(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}: there is no such setting"):
        Settings.read({name: "1"})


def test_no_name_is_given_twice() -> None:
    names = [one.name for part in fields(Settings) for one in fields(getattr(Settings(), part.name))]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://reparto:s%40crt@db.example.com:5432/reparto?sslmode=require",
        "postgres://db",
        "postgresql://reparto@[::1]:5432/reparto",
        "postgresql://reparto@a:5432,b:5433/reparto",
        "postgresql://reparto@/reparto?host=%2Ftmp%2Fx&port=5432",
    ],
)
def test_every_way_to_name_a_postgres_is_taken(url: str) -> None:
    assert Settings.read({"REPARTO_DATABASE_URL": url}).database.database_url == url


@pytest.mark.parametrize(
    ("listen", "address"),
    [("127.0.0.1:8080", ("127.0.0.1", 8080)), ("[::1]:80", ("::1", 80)), ("localhost:0", ("localhost", 0))],
)
def test_an_address_is_host_and_port(listen: str, address: tuple[str, int]) -> None:
    assert address_of(listen) == address
    assert Settings.read({"REPARTO_LISTEN": listen}).server == ServerConfig(listen=listen)


def test_secrets_inside_addresses_are_hidden() -> None:
    shown = Settings.read(
        {
            "REPARTO_ROADS": "osrm-http",
            "REPARTO_OSRM_URL": "http://ana:s3cret@osrm:5000",
            "REPARTO_TILE_URL": "https://tiles.example/{z}/{x}/{y}.png?api_key=s3cret&scale=2",
        }
    ).shown()
    assert shown["REPARTO_OSRM_URL"] == "http://ana:***@osrm:5000"
    assert shown["REPARTO_TILE_URL"] == "https://tiles.example/{z}/{x}/{y}.png?api_key=***&scale=2"
