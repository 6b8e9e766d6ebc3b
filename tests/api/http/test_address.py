"""Whose address counts: what a proxy of ours says, and nobody else."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from api.http.app_keys import CONFIG
from api.http.config import ApiConfig
from api.http.who import address_of, parties_of

PROXIES = "10.0.0.0/8, 2001:db8:1::/48"


def address(remote: str, *said: str, proxies: str = PROXIES) -> str:
    app = web.Application()
    app[CONFIG] = ApiConfig(trusted_proxies=proxies)
    request = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", one) for one in said], app=app)  # type: ignore[arg-type]
    asked = request.clone(remote=remote)
    assert parties_of(asked) == (("address", address_of(asked)),)
    return address_of(asked)


@pytest.mark.parametrize(
    ("remote", "said", "is_at"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.9",), "203.0.113.7"),  # no proxy of ours
        ("192.168.0.7", ("198.51.100.9",), "192.168.0.7"),  # private, and no proxy of ours
        ("10.0.0.1", ("198.51.100.9",), "198.51.100.9"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.9",), "198.51.100.9"),  # its beginning is made up
        ("10.0.0.1", ("198.51.100.9, 10.1.2.3",), "198.51.100.9"),  # two proxies
        ("10.0.0.1", ("198.51.100.9", "10.1.2.3"), "198.51.100.9"),
        ("10.0.0.1", ("10.1.2.3",), "10.1.2.3"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("nobody",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.9, unknown",), "10.0.0.1"),
        ("::ffff:10.0.0.1", ("::ffff:198.51.100.9",), "198.51.100.9"),
        ("2001:db8:1::5", ("2001:db8:7:8:9::1",), "2001:db8:7:8::/64"),
        ("2001:db8:7:8:9::2", (), "2001:db8:7:8::/64"),
        ("fe80::1%eth0", (), "fe80::/64"),
        ("", ("198.51.100.9",), ""),
    ],
)
def test_only_proxies_of_ours_are_believed(remote: str, said: tuple[str, ...], is_at: str) -> None:
    assert address(remote, *said) == is_at


def test_without_a_setting_nobody_is_believed() -> None:
    assert address("127.0.0.1", "198.51.100.9", proxies="") == "127.0.0.1"


def test_what_is_no_network_is_refused() -> None:
    assert "REPARTO_TRUSTED_PROXIES" in " ".join(ApiConfig(trusted_proxies="proxy").contradictions())
    assert not list(ApiConfig(trusted_proxies=PROXIES).contradictions())
