"""The command: what it says when all is well, and one sentence, no traceback, when it is not."""

import asyncio
import json
import re
import shutil
import socket
import stat
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from api.http.auth import hash_of
from reparto.cli import COMMANDS, main
from reparto.command import CannotRun
from reparto.postgres import EmbeddedPostgres
from reparto.run.first import first_admin_key, first_link
from reparto.settings import database as at_hand
from sql.account.keys import find_key
from sql.config import DatabaseConfig
from sql.desk import people
from sql.pool import Pool

pytestmark = pytest.mark.usefixtures("settings")


@pytest.fixture
def empty_database(postgres: EmbeddedPostgres, settings: pytest.MonkeyPatch) -> str:
    """The address of a database without a schema, in REPARTO_DATABASE_URL."""

    async def make() -> None:
        admin = await asyncpg.connect(postgres.dsn)
        await admin.execute("DROP DATABASE IF EXISTS cli WITH (FORCE)")
        await admin.execute("CREATE DATABASE cli")
        await admin.close()

    asyncio.run(make())
    url = postgres.dsn.replace("/reparto?", "/cli?")
    settings.setenv("REPARTO_DATABASE_URL", url)
    return url


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--version"])
    assert done.value.code == 0
    assert re.fullmatch(r"reparto \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    said = capsys.readouterr().out
    assert set(re.findall(r"^    (\w+)", said, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("arguments", [[], ["fly"], ["key"], ["key", "create"], ["key", "create", "--role", "king"]])
def test_what_cannot_be_asked_ends_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_bad_settings_are_told_all_at_once(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings.setenv("REPARTO_LISTEN", "everywhere")
    settings.setenv("REPARTO_SPEED", "fast")
    assert main(["up"]) == 2
    said = capsys.readouterr().err
    assert "REPARTO_LISTEN: must be host:port" in said
    assert "REPARTO_SPEED: there is no such setting" in said
    assert "Traceback" not in said


def test_settings_are_printed_without_secrets(settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    settings.setenv("REPARTO_DATABASE_URL", "postgresql://reparto:geheim@db/reparto")
    settings.setenv("REPARTO_MAX_BATCH", "77")
    assert main(["settings"]) == 0
    said = capsys.readouterr().out
    assert "REPARTO_MAX_BATCH=77\n" in said
    assert "geheim" not in said
    assert main(["settings", "--check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("role", ["ingest", "track", "api", "work"])
def test_a_role_needs_a_database_that_is_named(role: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([role]) == 1
    assert "set REPARTO_DATABASE_URL" in capsys.readouterr().err


def test_status_without_anything_running_says_what_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "start `reparto up`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("postgresql://reparto:geheim@127.0.0.1:1/reparto", "Postgres cannot be reached"),
        ("postgresql://reparto:geheim@no-such-host.invalid/reparto", "Postgres cannot be reached"),
        ("postgresql://reparto:geheim@127.0.0.1/reparto?sslmode=maybe", "REPARTO_DATABASE_URL cannot be used"),
    ],
)
@pytest.mark.parametrize("command", ["status", "migrate", "track"])
def test_a_database_that_is_not_there_is_one_sentence(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, url: str, sentence: str
) -> None:
    settings.setenv("REPARTO_DATABASE_URL", url)
    assert main([command]) == 1
    said = capsys.readouterr().err
    assert said.startswith("reparto: ")
    assert sentence in said
    assert "geheim" not in said
    assert "Traceback" not in said


def test_a_database_of_another_name_is_one_sentence(
    postgres: EmbeddedPostgres, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_DATABASE_URL", postgres.dsn.replace("/reparto?", "/nothing_here?"))
    assert main(["status"]) == 1
    assert 'database "nothing_here" does not exist' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (asyncpg.InvalidPasswordError('password authentication failed for user "ana"'), "refuses the user"),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), "no connection left"),
        (asyncpg.CannotConnectNowError("the database system is starting up"), "not ready"),
        (asyncpg.DiskFullError("could not write init file: No space left on device"), "No space left on device"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), "quieter moment"),
        (asyncpg.InsufficientPrivilegeError("permission denied for schema public"), "may not do this"),
        (TimeoutError(), "does not answer"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
    ],
)
def test_what_postgres_makes_impossible_is_said_in_words(error: Exception, sentence: str) -> None:
    with pytest.raises(CannotRun, match=sentence), at_hand.in_words():
        raise error


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError), at_hand.in_words():
        raise asyncpg.PostgresSyntaxError("syntax error")


def test_the_doctor_says_that_the_disk_is_full_though_the_database_is_away(
    settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    settings.setenv("REPARTO_DATABASE_URL", "postgresql://reparto@127.0.0.1:1/reparto")
    settings.setenv("REPARTO_DATA_DIR", str(tmp_path))  # photos are there
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    settings.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    assert main(["doctor"]) == 1
    bad = re.findall(r"^bad   (.*)$", capsys.readouterr().out, re.MULTILINE)
    assert [one.split(" in ")[0] for one in bad] == ["0.0 GB are free", "the database cannot be used"]


@pytest.mark.parametrize("command", ["up", "ingest", "api"])
def test_an_address_in_use_is_one_sentence(
    empty_database: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.setenv("REPARTO_LISTEN", f"127.0.0.1:{other.getsockname()[1]}")
        assert main([command]) == 1
    said = capsys.readouterr().err
    assert "already listens on" in said
    assert "REPARTO_LISTEN" in said


@pytest.mark.parametrize("setting", ["REPARTO_OSMAND_LISTEN", "REPARTO_MQTT_LISTEN"])
def test_the_doctor_looks_at_the_other_ports_too(
    setting: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_DATABASE_URL", "postgresql://reparto@127.0.0.1:1/reparto")
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        settings.setenv(setting, taken)
        assert main(["doctor"]) == 1
    assert f"bad   {taken} cannot be listened on" in capsys.readouterr().out
    main(["doctor"])
    assert f"{taken} is free to listen on" in capsys.readouterr().out


def test_a_role_does_not_start_on_a_database_without_todays_schema(
    empty_database: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    for role in ("ingest", "track", "api", "work"):
        assert main([role]) == 1
        assert "run `reparto migrate` first" in capsys.readouterr().err
    assert main(["doctor"]) == 1
    assert "reparto migrate" in capsys.readouterr().out


def test_after_migrating_the_doctor_only_minds_a_server_that_is_not_durable(
    empty_database: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    assert main(["migrate"]) == 0
    assert "applied 0001_first" in capsys.readouterr().out
    assert main(["migrate"]) == 0
    assert "applied" not in capsys.readouterr().out
    assert main(["doctor", "--proofs"]) == 1
    said = capsys.readouterr().out
    assert re.findall(r"^bad   (.*)$", said, re.MULTILINE) == [
        "fsync is off, full_page_writes off"
    ]  # the suite's server
    assert "good  the partitions of today and tomorrow are there" in said
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "0 pings wait" in said
    assert "none yet" in said
    assert "nothing is too old" in said


def test_what_would_be_deleted_is_told_before_and_held_until_somebody_says_yes(
    empty_database: str, settings: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.setenv("REPARTO_LISTEN", "127.0.0.1:0")
    settings.setenv("REPARTO_RETENTION_MOST_DAYS", "20")
    assert main(["migrate"]) == 0

    async def receive(*days: float) -> None:
        db = await asyncpg.connect(empty_database)
        await db.execute("INSERT INTO account (name) VALUES ('mensajeria') ON CONFLICT DO NOTHING")
        for ago in days:
            await db.execute(
                "INSERT INTO quarantine (received_at, source, reason, body)"
                " VALUES (now() - $1::interval, 'x', 'x', '')",
                timedelta(days=ago),
            )
        await db.close()

    def said(*command: str) -> str:
        capsys.readouterr()
        main(list(command))
        return " ".join(capsys.readouterr().out.split())

    asyncio.run(receive(31, 29.5, 28))
    assert "because it is too old: about 2 of quarantine from before" in said("doctor")
    assert "about 2 of quarantine from before" in said("status")
    assert re.search(r"quarantine\W+[\d-]+ [\d:]+( UTC)?\W+2\b", said("retention"))
    asyncio.run(receive(60))
    assert "3 of quarantine from before" in said("doctor")
    for command in ("doctor", "status"):
        assert "30 days of history would go at once" in said(command)
    assert "history" in said("retention")
    assert main(["retention", "--confirm"]) == 0
    assert audited(empty_database) == [("reparto retention --confirm", {})]
    assert "about 3 of quarantine" in capsys.readouterr().err
    assert "history would go" not in said("doctor")


def test_a_key_is_made_shown_once_listed_and_revoked(empty_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    capsys.readouterr()
    assert main(["key", "create", "--role", "viewer", "--account", "mensajeria", "--label", "mapa"]) == 0
    secret = capsys.readouterr().out.strip()
    assert secret.startswith("rpk_")
    assert main(["key", "list"]) == 0
    listed = capsys.readouterr().out
    assert secret not in listed
    assert {"ky_1", "mensajeria", "viewer", "mapa"} <= set(re.findall(r"\w+", listed))
    assert main(["key", "revoke", "ky_1"]) == 0
    capsys.readouterr()
    assert main(["key", "revoke", "ky_1"]) == 1
    assert "No key ky_1 works" in capsys.readouterr().err
    assert main(["key", "revoke", "everything"]) == 1
    assert audited(empty_database) == [("reparto key create", {"id": "ky_1"}), ("reparto key revoke", {"key": "ky_1"})]


def asked(dsn: str, sql: str) -> list[asyncpg.Record]:
    """What a database answers."""

    async def read() -> list[asyncpg.Record]:
        db = await asyncpg.connect(dsn)
        try:
            return await db.fetch(sql)
        finally:
            await db.close()

    return asyncio.run(read())


def audited(dsn: str) -> list[tuple[str, dict[str, str]]]:
    """What the audit log says was done to which thing, from the command line."""
    rows = asked(dsn, "SELECT operation, thing FROM audit_entry WHERE address = '' ORDER BY id")
    return [(row["operation"], json.loads(row["thing"])) for row in rows]


def test_a_user_is_made_with_a_link_shown_once(empty_database: str, capsys: pytest.CaptureFixture[str]) -> None:
    ana = ["--email", "Ana@Tienda.example"]
    assert main(["migrate"]) == 0
    capsys.readouterr()
    links = []
    for command in (["create", *ana, "--role", "owner", "--name", "Ana"], ["reset", *ana]):
        assert main(["user", *command]) == 0
        links.append(capsys.readouterr().out.strip())
        assert re.fullmatch(r"http://127\.0\.0\.1:8080/desk/link/[1-9]\.[\w-]{24}", links[-1])
    assert links[0] != links[1]
    assert main(["user", "list"]) == 0
    assert {"ana@tienda", "Ana", "default", "owner"} <= set(re.findall(r"[\w@]+", capsys.readouterr().out))
    assert main(["user", "reset", *ana, "--codes"]) == 0
    assert audited(empty_database)[-1] == ("reparto user reset", {"user": "us_1"})
    luis = ["user", "create", "--email", "luis@tienda.example"]
    for wrong in (
        ["--role", "driver"],
        ["--role", "driver", "--driver", "luis"],
        ["--role", "viewer", "--driver", "x"],
    ):
        assert main([*luis, *wrong]) == 1
    asked(
        empty_database, "INSERT INTO driver (account_id, lane, external_id, name) SELECT id, 0, 'luis', '' FROM account"
    )
    assert main([*luis, "--role", "driver", "--driver", "luis"]) == 0
    assert audited(empty_database)[-1] == ("reparto user create", {"id": "us_2"})
    assert main(["user", "create", "--email", "ana", "--role", "owner"]) == 1
    assert main(["user", "reset", "--email", "nobody@tienda.example"]) == 1


async def test_the_first_admin_key_is_for_its_owner_only_and_made_once(
    database: DatabaseConfig, pool: Pool, tmp_path: Path
) -> None:
    file = tmp_path / "admin.key"
    assert await first_admin_key(database, file) is True
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    secret = file.read_text().strip()
    row = await find_key(pool, hash_of(secret))
    assert row is not None
    assert row.role == "admin"
    assert await first_admin_key(database, file) is False
    assert file.read_text().strip() == secret
    entry = await pool.fetchrow("SELECT operation, thing, after FROM audit_entry")
    assert entry == ("reparto up", {"id": "ky_1"}, {"role": "admin", "label": "first start"})


async def test_a_first_start_gives_one_link_until_somebody_may_sign_in(database: DatabaseConfig, pool: Pool) -> None:
    first = await first_link(database, "https://reparto.example")
    assert first is not None
    assert re.fullmatch(r"https://reparto\.example/desk/link/[1-9]\.[\w-]{24}", first.url)
    assert await first_link(database, "https://reparto.example") == first
    await pool.execute("UPDATE desk_link SET expires_at = now()")
    again = await first_link(database, "https://reparto.example")
    assert again is not None
    assert again.url != first.url
    await people.add_member(pool, 1, (await people.ensure_person(pool, "ana@tienda.example")).id, "viewer")
    assert await first_link(database, "https://reparto.example") is None


def test_connections_say_which_role_they_are_of() -> None:
    config = DatabaseConfig()
    url = at_hand.named(config, "postgresql://ana@db/reparto", "track").database_url
    assert url == "postgresql://ana@db/reparto?application_name=reparto%20track"
    url = at_hand.named(config, "postgresql:///reparto?host=/tmp", "up").database_url
    assert url == "postgresql:///reparto?host=/tmp&application_name=reparto%20up"
    url = at_hand.named(config, "postgresql://db/reparto?application_name=mine", "up").database_url
    assert url == "postgresql://db/reparto?application_name=mine"
