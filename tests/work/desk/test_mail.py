"""Mails that let somebody in leave by the mail server of their account, once."""

import asyncio
import re

from sql.account.accounts import ensure_account, read_instance
from sql.desk.links import INVITED_HOURS, InvitedAs, make_link
from sql.messages.setup import put_channel
from tests.providers.gateway import hanging_server, mail_server
from work.desk.mail import LinkMails
from work.links import desk_link_of_token
from work.outgoing.guard import Guard, networks_of
from work.outgoing.sealed import Sealer, keys_in, new_key

BETO = "beto@tienda.example"


async def test_an_invitation_goes_out_once_and_a_server_that_is_away_is_asked_again(pool, unused_tcp_port):
    account_id = await ensure_account(pool, "mensajeria", {"languages": ["pt"]})
    guard = Guard(networks_of("127.0.0.0/8"))
    mails = LinkMails(sealer=Sealer(keys_in(new_key())), guard=guard, public_url="https://reparto.example")

    async def by(port):
        settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "Envíos <envios@tienda.example>"}
        await put_channel(pool, account_id=account_id, channel="email", enabled=True, settings=settings, secrets=None)

    link = await make_link(
        pool,
        account_id=account_id,
        kind="invitation",
        email=BETO,
        makes=InvitedAs("viewer"),
        hours=INVITED_HOURS,
        is_mailed=True,
    )
    await by(unused_tcp_port)
    await mails.send_due(pool)
    async with mail_server() as server:
        await by(server.port)
        await mails.send_due(pool)
        assert server.taken == []  # not yet
        await pool.execute("UPDATE desk_link SET mail_at = now()")
        for _ in range(2):
            await mails.send_due(pool)
        [(_, to, mail)] = server.taken
    assert to == BETO
    assert mail["Subject"] == "Convite para mensajeria"
    [token] = re.findall(r"https://reparto.example/desk/link/(\S+)\?lang=pt", mail.get_body(("plain",)).get_content())
    assert desk_link_of_token((await read_instance(pool)).secret, token) == link.id


async def test_a_mail_server_that_hangs_holds_up_its_own_account_only(pool):
    guard = Guard(networks_of("127.0.0.0/8"))
    mails = LinkMails(sealer=Sealer(keys_in(new_key())), guard=guard, public_url="https://reparto.example")
    async with hanging_server() as hangs, mail_server() as server:
        for name, port in (("cuelga", hangs), ("mensajeria", server.port)):
            account_id = await ensure_account(pool, name)
            settings = {"host": "127.0.0.1", "port": port, "tls": "none", "from": "envios@tienda.example"}
            await put_channel(
                pool, account_id=account_id, channel="email", enabled=True, settings=settings, secrets=None
            )
            await make_link(
                pool,
                account_id=account_id,
                kind="invitation",
                email=f"{name}@tienda.example",
                makes=InvitedAs("viewer"),
                hours=INVITED_HOURS,
                is_mailed=True,
            )
        sending = asyncio.create_task(mails.send_due(pool))
        async with asyncio.timeout(10):
            while not server.taken:
                await asyncio.sleep(0.05)
        assert not sending.done()
        sending.cancel()
    assert server.taken[0][1] == "mensajeria@tienda.example"
