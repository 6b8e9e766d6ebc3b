"""Where connections may go, what is sealed, and who is left alone."""

import asyncio
import base64
import socket
import stat

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.providers.gateway import http_provider
from work.outgoing.breaker import FAILURES, Breaker, Rate
from work.outgoing.guard import Guard, NotAllowedError, networks_of
from work.outgoing.http import NoAnswer, NotReached, ask, open_session
from work.outgoing.sealed import CannotOpen, Sealer, key_file, keys_in, new_key, open_sealer

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "192.0.0.192", "198.18.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
    "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2001:0:7f00:1::", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("host", PRIVATE)
def test_no_address_of_the_operators_is_let_through(host):
    assert not Guard().lets(host)


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_let_through(host):
    assert Guard().lets(host)


def test_what_is_allowed_is_let_through_and_nothing_beside_it():
    guard = Guard(networks_of("10.1.0.0/16, fd12::/16"))
    assert guard.lets("10.1.2.3")
    assert guard.lets("::ffff:10.1.2.3")
    assert guard.lets("fd12::1")
    assert not guard.lets("10.2.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/",
        "https://017700000001/", "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://localhost/",
        "https://a.localhost/", "https://localhost./", "https://192.168.1.1./", "ftp://example.com/", "https:///x", "https://user:pass@example.com/",
        "https://exa mple/",
        "https://example.com:99999/", "javascript:alert(1)", "", "https://[::1",
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere_good_is_refused_when_it_is_given(url):
    assert Guard().why_not(url) is not None


def test_plain_http_only_where_it_is_allowed():
    guard = Guard(networks_of("127.0.0.0/8"))
    assert guard.why_not("http://127.0.0.1:8080/x") is None
    assert guard.why_not("http://localhost:8080/x") is None
    assert guard.why_not("http://8.8.8.8/") is not None
    assert guard.why_not("https://example.com/hook?a=1") is None


async def test_a_name_that_leads_inside_is_not_connected_to(monkeypatch):
    async with http_provider() as server:
        port = int(server.url.rpartition(":")[2])

        async def resolve(self, host, port=0, type=0, **more):  # noqa: A002
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolve)
        async with open_session(Guard(), at_once=1) as session:
            for host in ("rebound.example", "127.0.0.1", "[::ffff:127.0.0.1]"):
                with pytest.raises(NotReached, match="may be reached"):
                    await ask(session, "POST", f"http://{host}:{port}/", headers={}, body=b"x")
        with pytest.raises(NotAllowedError):
            await Guard().connect("rebound.example", port, timeout_s=5)
        assert server.asked == []


async def test_redirects_are_not_followed_and_answers_are_cut():
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/away":
            raise web.HTTPFound("http://127.0.0.1:1/")
        return web.Response(body=b"x" * 1_000_000)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    guard = Guard(networks_of("127.0.0.0/8"))
    async with TestServer(app) as server, open_session(guard, at_once=1) as session:
        away = await ask(session, "POST", str(server.make_url("/away")), headers={}, body=None)
        assert away.status == 302
        long = await ask(session, "POST", str(server.make_url("/long")), headers={}, body=None, most_bytes=1_000)
        assert len(long.body) == 1_000


async def test_not_reached_and_no_answer_are_told_apart():
    guard = Guard(networks_of("127.0.0.0/8"))
    async with (
        http_provider(behave=lambda n, to: "lost") as server,
        open_session(guard, at_once=1) as session,
    ):
        with pytest.raises(NotReached):
            await ask(session, "POST", "http://127.0.0.1:1/", headers={}, body=b"{}")
        with pytest.raises(NoAnswer):
            await ask(session, "POST", server.url, headers={"Content-Type": "application/json"}, body=b"{}")


def test_what_is_sealed_opens_with_its_key_only(tmp_path):
    old, new = new_key(), new_key()
    sealed = Sealer(keys_in(old)).seal({"password": "secreto"})
    assert b"secreto" not in sealed
    assert Sealer(keys_in(f"{new},{old}")).open(sealed) == {"password": "secreto"}
    with pytest.raises(CannotOpen):
        Sealer(keys_in(new)).open(sealed)
    with pytest.raises(CannotOpen):
        Sealer(keys_in(old)).open(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert Sealer(keys_in(old)).open(None) == {}
    for text in ("x", base64.b64encode(b"short").decode(), "ñ" * 44):
        with pytest.raises(ValueError):
            keys_in(text)


def test_the_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path):
    first = open_sealer("", tmp_path / "data")
    second = open_sealer("", tmp_path / "data")
    assert second.open(first.seal({"a": 1})) == {"a": 1}
    assert stat.S_IMODE(key_file(tmp_path / "data").stat().st_mode) & 0o077 == 0
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_a_receiver_that_fails_is_left_alone_longer_each_time():
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed(0)
    assert breaker.may_send(0) > 1
    breaker.failed(0)
    pauses = []
    now_s = 0.0
    for _ in range(8):
        assert breaker.may_send(now_s) == 0
        pauses.append(breaker.closed_until_s - now_s)
        now_s = breaker.closed_until_s
        assert breaker.may_send(now_s) == 1
        breaker.began()
        assert breaker.may_send(now_s) == 0  # one try at a time
        breaker.failed(now_s)
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60]
    breaker.worked()
    assert breaker.may_send(now_s) > 1


def test_so_many_a_second_are_sent_and_no_more():
    rate, sent, now_s = Rate(5.0), 0, 0.0
    for _ in range(1_000):
        for _ in range(rate.may_send(now_s)):
            rate.began()
            sent += 1
        now_s += 0.01
    assert 50 <= sent <= 56
    assert Rate(None).may_send(0) > 1_000
