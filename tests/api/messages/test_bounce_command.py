"""`reparto bounce` takes mail that came back where no hook can be reached: from a pipe, and from a mailbox."""

import asyncio
import io
import mailbox
import os
import sys

import pytest

from reparto.cli import main
from tests.api.messages.test_hostile_providers import _BOUNCE, booked, of_ana


@pytest.fixture
def tour(tour):
    tour["stops"][0]["email"] = "Ana.Restrepo@Correo.example"
    return tour


@pytest.fixture
def at_hand(database, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("REPARTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REPARTO_DATABASE_URL", database.database_url)
    monkeypatch.setenv("REPARTO_DATA_DIR", str(tmp_path))


async def bounced(desk, put_route, client, account, mail) -> bytes:
    """Send a mail to Ana; give it back as it comes back."""
    await desk.by_mail(mail, return_path="rebotes@tienda.example")
    await booked(desk, put_route, client, account, "email")
    sender = next(sender for sender, to, _ in mail.taken if to.startswith("ana"))
    return _BOUNCE.format(to=sender, action="failed", status="5.1.1").encode()


def given(monkeypatch, body: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(body)))


async def test_a_mail_server_pipes_a_mail_that_came_back(desk, put_route, client, account, mail, at_hand, monkeypatch):
    back = await bounced(desk, put_route, client, account, mail)
    given(monkeypatch, b"From: somebody@example.com\n\nnothing of ours")
    assert await asyncio.to_thread(main, ["bounce"]) == 0
    assert (await of_ana(desk))[0][1] == "sent"
    given(monkeypatch, back)
    assert await asyncio.to_thread(main, ["bounce"]) == 0
    assert await of_ana(desk) == [("email", "failed", "bounced")]


async def test_a_mail_server_keeps_what_cannot_be_taken_now(at_hand, monkeypatch, unused_tcp_port):
    monkeypatch.setenv("REPARTO_DATABASE_URL", f"postgresql://a@127.0.0.1:{unused_tcp_port}/x")
    given(monkeypatch, b"From: somebody@example.com\n\nwhatever")
    assert await asyncio.to_thread(main, ["bounce"]) == 75


async def test_a_mailbox_is_read_once(desk, put_route, client, account, mail, at_hand, tmp_path, capsys):
    back = await bounced(desk, put_route, client, account, mail)
    box = mailbox.Maildir(tmp_path / "rebotes")
    box.add(back)
    box.add(b"From: somebody@example.com\n\nnothing of ours")
    command = ["bounce", "--maildir", str(tmp_path / "rebotes")]
    assert await asyncio.to_thread(main, command) == 0
    assert await of_ana(desk) == [("email", "failed", "bounced")]
    assert [len(list((tmp_path / "rebotes" / name).iterdir())) for name in ("new", "cur")] == [0, 2]
    assert await asyncio.to_thread(main, command) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in said] == ["2", "0"]
    assert await asyncio.to_thread(main, ["bounce", "--maildir", str(tmp_path)]) == 1
