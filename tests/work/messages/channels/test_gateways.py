"""Gateways that are described here: what each is asked, and what its answer means."""

import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from tests.providers.gateway import http_provider
from tests.providers.watched import LOCAL
from work.messages.channels.gateways import READY, at_path, text_at
from work.messages.channels.protocol import Accepted, Later, Outgoing, Refused, Unknown
from work.messages.channels.settings import Sms
from work.messages.channels.sigv4 import AwsKey, signed_headers
from work.messages.channels.sms import open_sms, outcome_of
from work.outgoing.http import Answer

MESSAGE = Outgoing(
    id=7,
    kind="delivered",
    to="+573001112233",
    locale="es",
    body='Tu "pedido" & más: ñ',
    at=datetime(2026, 3, 2, 15, tzinfo=UTC),
)


@pytest.mark.parametrize("gateway", sorted(READY))
async def test_a_gateway_is_asked_in_its_own_words(gateway):
    async with http_provider() as server:
        settings = Sms(gateway=gateway, key="k3y", secret="s3cret", from_="Tienda", url=f"{server.url}/send")
        channel = open_sms(settings, LOCAL, hook_url="https://reparto.example/hooks/sms/1-x")
        await channel.send(MESSAGE)
        await channel.close()
        ((_, body),), (headers,) = server.asked, server.headers
    said = str(body)
    assert "3001112233" in said
    assert 'Tu "pedido" & más: ñ' in said or 'Tu \\"pedido\\" & más: ñ' in said
    secrets = " ".join(headers.values()) + said
    assert "k3y" in secrets or "azN5OnMzY3JldA==" in secrets


@pytest.mark.parametrize(
    ("gateway", "status", "body", "outcome"),
    [
        ("twilio", 201, '{"sid": "SM1", "status": "queued"}', Accepted("SM1")),
        ("twilio", 400, '{"code": 21211, "message": "Invalid To"}', Refused("Invalid To")),
        ("twilio", 401, "{}", Later(60.0, "HTTP 401", down=True)),
        ("vonage", 200, '{"messages": [{"status": "0", "message-id": "v1"}]}', Accepted("v1")),
        ("vonage", 200, '{"messages": [{"status": "6", "error-text": "Invalid"}]}', Refused("Invalid")),
        (
            "infobip",
            200,
            '{"messages": [{"messageId": "7", "status": {"groupName": "REJECTED", "description": "No"}}]}',
            Refused("No"),
        ),
        ("sns", 200, '{"PublishResponse": {"PublishResult": {"MessageId": "m1"}}}', Accepted("m1")),
        ("labsmobile", 200, '{"code": "0", "subid": "7"}', Accepted("7")),
        ("labsmobile", 200, '{"code": "35", "message": "No credit"}', Refused("No credit")),
        ("zenvia", 200, '{"id": "z1"}', Accepted("z1")),
        ("zenvia", 200, "not json", Accepted(None)),
        ("zenvia", 500, "[[[[", Unknown("HTTP 500")),
        ("zenvia", 302, "", Refused("HTTP 302")),
    ],
)
def test_an_answer_means_something(gateway, status, body, outcome):
    assert outcome_of(READY[gateway], Answer(status=status, body=body.encode())) == outcome


def test_a_gateway_says_when_to_come_back():
    for said, after_s in (("30", 30.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 5.0), ("-1", 5.0), ("9" * 40, 5.0)):
        got = outcome_of(READY["zenvia"], Answer(status=429, body=b"", headers={"Retry-After": said}))
        assert got == Later(after_s, "HTTP 429")


def test_a_request_to_aws_is_signed_as_aws_says():
    """Against the steps of the documentation, done here once more with other tools."""
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    aws = AwsKey(region="us-east-1", key="AKID", secret="SECRET")
    headers = signed_headers(form, b"Action=Publish", "https://sns.us-east-1.amazonaws.com/", aws, now)
    canonical = "\n".join([
        "POST", "/", "", "content-type:application/x-www-form-urlencoded", "host:sns.us-east-1.amazonaws.com",
        "x-amz-date:20260302T100000Z", "", "content-type;host;x-amz-date",
        hashlib.sha256(b"Action=Publish").hexdigest()
    ])  # fmt: skip
    scope = "20260302/us-east-1/sns/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", "20260302T100000Z", scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4SECRET"
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    assert headers["Authorization"].endswith(f"Signature={hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()}")
    assert headers["X-Amz-Date"] == "20260302T100000Z"


def test_paths_lead_into_anything_without_breaking():
    value = {"a": [{"b": 7}], "c": {"d": True}, "e": "x" * 999}
    assert text_at(value, "a.0.b") == "7"
    assert len(text_at(value, "e") or "") == 200
    for path in ("a.1.b", "a.x", "c.d", "c", "", "a.0.b.c", "zz"):
        assert text_at(value, path) is None
    assert at_path([1, 2], "1") == 2
    assert text_at({"a": "x\0y\ud800"}, "a") == "xy?"
