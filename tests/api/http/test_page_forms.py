"""Forms of pages that are open to everybody, sent by what is no browser."""

from typing import Any

import pytest

from api.desk import link_page
from api.desk_page import endpoints as desk_page
from api.find import endpoints as find
from api.find import lookup
from sql.account.accounts import read_instance
from sql.desk.links import make_link
from work.links import desk_token

FORM, SAME_SITE = "application/x-www-form-urlencoded", {"Sec-Fetch-Site": "same-origin"}
NO_FORMS = {
    "no charset": (f"{FORM}; charset=none-such", b"order=1&proof=2222"),
    "no utf-8": (FORM, b"order=\xff&proof=\xff222&email=\xff&password=\xff"),
    "nul": (FORM, b"order=%00&proof=%002222&email=a%00@b.example&password=%00"),
    "many fields": (FORM, b"&".join(b"a%d=1" % place for place in range(1_000))),
    "long": (FORM, b"order=" + b"x" * 100_000),
    "no boundary": ("multipart/form-data", b"xx"),
    "half a part": ("multipart/form-data; boundary=a", b"--a\r\nname\r\n\r\n1\r\n"),
    "unknown packing": (
        "multipart/form-data; boundary=a",
        b"--a\r\nContent-Disposition: form-data; name=order\r\nContent-Transfer-Encoding: none\r\n\r\n1\r\n--a--\r\n",
    ),
}


@pytest.fixture
def app_parts(app_parts: list[Any]) -> list[Any]:
    return [*app_parts, *(one.operations.add_to for one in (find, desk_page, link_page))]


@pytest.mark.parametrize("sent", NO_FORMS)
async def test_what_is_no_form_is_refused_in_words(
    client: Any, pool: Any, account: Any, monkeypatch: pytest.MonkeyPatch, sent: str
) -> None:
    monkeypatch.setattr(lookup, "ANSWERED_AFTER_S", 0.0)
    made = await make_link(pool, account_id=account.id, kind="owner", email="", makes=None, hours=1, is_mailed=False)
    link = desk_token((await read_instance(pool)).secret, made.id)
    media, body = NO_FORMS[sent]
    for path in ("/find", "/desk/sign-in", f"/desk/link/{link}"):
        response = await client.post(path, data=body, headers={"Content-Type": media, **SAME_SITE})
        assert 400 <= response.status < 500, (path, response.status)
