"""The house: what is shipped, how it is started, and that the ways to start it agree."""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from ingest.config import IngestConfig
from reparto.cli import COMMANDS
from reparto.settings.settings import Settings
from reparto.version import __version__
from work.upkeep.config import RetentionConfig

HOUSE = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())
COMPOSE = yaml.safe_load((HOUSE / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
PACKAGES = ["reparto", "ingest", "api", "work", "geo", "sql"]


def targets() -> dict[str, str]:
    """The Makefile's targets and what is said of them."""
    return dict(re.findall(r"^([a-z-]+):[^#\n]*## (.+)$", (HOUSE / "Makefile").read_text(), re.MULTILINE))


def test_make_help_lists_every_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    said = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    assert {"run", "test", "lint", "fix", "bench", "docs", "help"} <= targets().keys()
    for name, words in targets().items():
        assert re.search(rf"make {name} +{re.escape(words)}", said.stdout)


@pytest.mark.parametrize("file", [".github/workflows/ci.yml", ".ci/run"])
def test_ci_runs_what_people_run(file: str) -> None:
    asked = re.findall(r"\bmake ((?:--[a-z=0-9-]+ )*[a-z -]+)$", (HOUSE / file).read_text(), re.MULTILINE)
    called = {word for line in asked for word in line.split() if not word.startswith("--")}
    assert {"lint", "test", "docs", "wheel-check"} <= called <= targets().keys()


def test_the_workflow_tests_every_python_that_is_promised() -> None:
    workflow = yaml.safe_load((HOUSE / ".github/workflows/ci.yml").read_text())
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    promised = re.findall(r"Python :: (3\.\d+)$", "\n".join(PYPROJECT["project"]["classifiers"]), re.MULTILINE)
    assert tested == promised
    assert PYPROJECT["project"]["requires-python"] == f">={tested[0]}"


def test_only_the_packages_are_in_the_wheel() -> None:
    assert PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"] == PACKAGES
    assert PYPROJECT["tool"]["mypy"]["packages"] == PACKAGES
    copied = re.findall(r"^!(\w+)/$", (HOUSE / ".dockerignore").read_text(), re.MULTILINE)
    assert copied == PACKAGES


def test_what_the_source_distribution_names_is_there() -> None:
    for name in PYPROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]:
        assert (HOUSE / name).exists(), name


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"\n## {__version__}" in (HOUSE / "CHANGELOG.md").read_text()


def test_packages_say_what_may_live_there() -> None:
    for package in PACKAGES:
        assert "may live here" in (HOUSE / package / "__init__.py").read_text(), package


# --- docker-compose.yml -----------------------------------------------------------------------------------------------


def test_every_service_runs_a_command_that_exists() -> None:
    commands = {name: service["command"][0] for name, service in SERVICES.items() if name != "postgres"}
    assert commands == {name: name for name in ("migrate", "ingest", "api", "track", "work")}
    assert commands.keys() <= COMMANDS.keys()


def test_roles_wait_for_the_migration_and_it_waits_for_postgres() -> None:
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for role in ("ingest", "api", "track", "work"):
        assert SERVICES[role]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert SERVICES[role]["restart"] == "unless-stopped"


PROBED = {"ingest": 8080, "api": 8080, "track": 9090, "work": 9090}


def test_every_service_that_stays_has_a_health_check_where_it_listens() -> None:
    environment = SERVICES["track"]["environment"]
    settings = Settings.read({name: value for name, value in environment.items() if "$" not in value})
    assert settings.server.health_listen == "0.0.0.0:9090"
    for role, port in PROBED.items():
        check = SERVICES[role]["healthcheck"]
        assert check["test"][:3] == ["CMD", "python", "-c"]
        assert f'"127.0.0.1", {port}' in check["test"][3]
        assert check["retries"] > 0
    assert "pg_isready" in SERVICES["postgres"]["healthcheck"]["test"]


@pytest.mark.parametrize("role", ["api", "work"])
def test_a_health_check_believes_the_role_and_no_proxy(role: str) -> None:
    class Role(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_ready = self.path == "/health/ready" and self.server.is_ready
            self.send_response(200 if is_ready else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    _, _, option, code = SERVICES[role]["healthcheck"]["test"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Role) as server:
        probe = [sys.executable, option, code.replace(str(PROBED[role]), str(server.server_port))]
        environment = {**os.environ, "http_proxy": "http://127.0.0.1:1"}  # as Docker sets it where it was told of one
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        exits = []
        for is_ready in (True, False):
            server.is_ready = is_ready
            exits.append(subprocess.run(probe, env=environment, check=False).returncode)
        server.shutdown()
        serving.join()
    assert exits == [0, 1]


def test_containers_write_only_where_they_must() -> None:
    image = (HOUSE / "Dockerfile").read_text()
    (home,) = re.findall(r"REPARTO_DATA_DIR=(\S+)", image)
    assert f"VOLUME {home}" in image
    assert re.search(r"^USER \d+:\d+$", image, re.MULTILINE)
    for role in ("migrate", *PROBED):
        assert SERVICES[role]["read_only"] is True
        assert SERVICES[role]["tmpfs"] == ["/tmp"]
        assert SERVICES[role]["cap_drop"] == ["ALL"]
    # the bytes of proofs: whoever takes them in and whoever looks after them share one folder
    assert SERVICES["api"]["volumes"] == SERVICES["work"]["volumes"] == [f"blobs:{home}"]
    assert "blobs" in COMPOSE["volumes"]


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_what_the_api_names_is_installed_where_nobody_chooses(file: str) -> None:
    (extras,) = re.findall(r"'\.\[([a-z,]+)\]'", (HOUSE / file).read_text())
    assert set(extras.split(",")) == {"plan", "parquet"}  # POST /v1/plans, GET /v1/exports/{what}.parquet


def test_compose_sets_only_settings_that_exist() -> None:
    known = Settings().shown().keys()
    for service in SERVICES.values():
        assert {name for name in service.get("environment", {}) if name.startswith("REPARTO_")} <= known
    image = re.findall(r"^\s*(?:ENV )?(REPARTO_\w+)=", (HOUSE / "Dockerfile").read_text(), re.MULTILINE)
    assert set(image) <= known
    assert image


def test_the_database_outlives_its_container() -> None:
    volume, place = SERVICES["postgres"]["volumes"][0].split(":")
    assert volume in COMPOSE["volumes"]
    assert place == "/var/lib/postgresql/data"
    assert re.fullmatch(r"postgres:1[5-8]", SERVICES["postgres"]["image"])


def test_containers_get_the_time_they_need_to_end_in_order() -> None:
    for role in ("ingest", "api", "track", "work"):
        assert int(SERVICES[role]["stop_grace_period"].removesuffix("s")) > 30


def test_retention_is_longer_than_what_is_accepted_by_default() -> None:
    assert RetentionConfig().ping_retention_days > IngestConfig().oldest_ping_days


def test_account_settings_are_read_in_one_place() -> None:
    for file in (HOUSE / "sql").rglob("*.sql"):
        if file.parent.name != "migrations":
            assert not re.search(r"settings\s*(?:\|\|[^)]*\)\s*)?->", file.read_text()), file
    readers = [
        file for package in PACKAGES for file in (HOUSE / package).rglob("*.py") if '["settings"]' in file.read_text()
    ]
    asked = [file.relative_to(HOUSE).as_posix() for file in readers if "msgspec.convert" in file.read_text()]
    assert asked == []
