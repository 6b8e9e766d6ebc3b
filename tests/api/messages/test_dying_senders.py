"""Senders that die at the worst moments: what had not left leaves, what may have left is never sent too often."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sql.messages.messages import begin_giving
from tests.providers.gateway import http_provider, mail_server
from work.messages.sending import give

ANAS = "ana.restrepo@correo.example"


@pytest.fixture
def tour(tour):
    tour["stops"][0]["email"] = ANAS
    return tour


@pytest.fixture
def dies_before_giving(monkeypatch):
    """`with …:` a sender stops where a message would be given away; how many came so far is counted."""

    @asynccontextmanager
    async def there(desk):
        came = asyncio.Event()

        async def stop(pool, leases):
            came.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as patch:
            patch.setattr(give, "begin_giving", stop)
            going = asyncio.create_task(desk.go())
            await came.wait()
            yield
            going.cancel()
            await asyncio.wait({going})

    return there


async def booked(desk, put_route, client, account, channel):
    await desk.only("booked", channels=[channel])
    await put_route(client, account.key)


async def state_of(desk):
    return [(one["state"], one["why"]) for one in await desk.messages() if one["state"] != "suppressed"]


@pytest.mark.parametrize("channel", ["sms", "email"])
async def test_what_no_provider_can_have_is_sent_however_often_senders_die(
    desk, put_route, client, account, sms, mail, pool, dies_before_giving, channel
):
    await desk.by_sms(sms)
    await desk.by_mail(mail)
    await booked(desk, put_route, client, account, channel)
    for _ in range(3):
        async with dies_before_giving(desk):
            pass
        await pool.execute("UPDATE message SET next_try_at = now() WHERE state = 'queued'")  # the lease is over
    assert (sms.taken, mail.taken) == ([], [])
    await desk.go()
    assert await state_of(desk) == [("sent", None)]
    assert len(sms.taken) + len(mail.taken) == 1


async def test_a_sender_that_died_while_it_sent_leaves_an_sms_unknown_and_a_mail_to_be_sent_once_more(
    desk, put_route, client, account, pool
):
    going: set[asyncio.Task[None]] = set()

    async def die(after):
        while not after():
            await asyncio.sleep(0.01)
        for task in going:
            task.cancel()
        await asyncio.wait(going)
        going.clear()

    async with http_provider(behave=lambda n, to: "hangs") as sms:
        await desk.by_sms(sms)
        await booked(desk, put_route, client, account, "sms")
        going.add(asyncio.create_task(desk.go()))
        await die(lambda: sms.taken)
        for minutes in (3, 60):
            await desk.go(after=timedelta(minutes=minutes))
        assert len(sms.asked) == 1
    assert await state_of(desk) == [("failed", "unknown")]
    await pool.execute("DELETE FROM message")
    await pool.execute(
        "INSERT INTO notice (account_id, route_id, stop_id, kind, happened_at)"
        " SELECT account_id, route_id, id, 'booked', now() FROM stop WHERE email IS NOT NULL"
    )
    async with mail_server(behave=lambda n, to: "hangs") as mail:
        await desk.by_mail(mail)
        await desk.only("booked", channels=["email"])
        for taken in (1, 2):
            going.add(asyncio.create_task(desk.go()))
            await die(lambda n=taken: len(mail.taken) == n)
            await pool.execute("UPDATE message SET next_try_at = now() WHERE state = 'queued'")
        await desk.go()
        assert len(mail.taken) == 2
    assert await state_of(desk) == [("failed", "unknown")]


async def test_whose_lease_is_over_sends_no_more(desk, put_route, client, account, sms, pool, monkeypatch):
    """A process that stood still: by the time it goes on another one has the message."""

    async def late(db, leases):
        await pool.execute("UPDATE message SET leased_until = leased_until + interval '1 s'")
        return await begin_giving(db, leases)

    await desk.by_sms(sms)
    await booked(desk, put_route, client, account, "sms")
    monkeypatch.setattr(give, "begin_giving", late)
    await desk.go()
    assert sms.asked == []
    assert await state_of(desk) == [("queued", None)]


async def test_a_mail_server_that_hangs_up_before_it_has_the_mail_is_asked_again(desk, put_route, client, account):
    asked = 0

    async def hang_up(reader, writer):
        nonlocal asked
        writer.write(b"220 here\r\n")
        while not (line := await reader.readline()).startswith(b"RCPT") and line:
            writer.write(b"250 yes\r\n")
        asked += 1
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        body = {"host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "tls": "none", "from": "a@b.example"}
        await desk.put("/v1/account/channels/email", body)
        await booked(desk, put_route, client, account, "email")
        for minutes in (0, 5, 20, 60):
            await desk.go(after=timedelta(minutes=minutes))
    assert asked == 4
    ((state, why),) = await state_of(desk)
    assert state == "queued"
    assert why.startswith("SMTPServerDisconnected")
