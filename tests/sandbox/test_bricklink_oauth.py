"""BrickLink's signature: the reference's vectors, every refusal, and what may differ without being refused."""

import json
import time
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, Http, enc

KEYS = {
    "consumer_key": "CK0000000000000000000000000000AA", "consumer_secret": "CS0000000000000000000000000000BB",
    "token": "TK0000000000000000000000000000CC", "token_secret": "TS0000000000000000000000000000DD",
}  # fmt: skip
VECTORS = [
    ("GET", "/orders?direction=in", "aaTf5Pqp8IfmFSohcvTyLhUesw8=", ""),
    ("GET", "/inventories?item_type=part%2Cset&status=-R", "v+LhUp9eE8cr4pUbsoHmUruTeMw=", ""),
    ("GET", "/inventories?item_type=part,set&status=-R", "v+LhUp9eE8cr4pUbsoHmUruTeMw=", ""),
    ("GET", "/members/A%20B/ratings", "OdNYEy85gPTrXTBAxRnoYXCx/Mw=", ""),
    (
        "GET", "/items/PART/3001/price?color_id=5&guide_type=sold&new_or_used=U&currency_code=EUR",
        "CxGKPl2Jri1aKJT3TDwY/jdS/qg=", "",
    ),
    ("PUT", "/inventories/1234", "HDs+vAYNUkuvBZ9Uoe8OgI1YPaE=", ""),
    ("GET", "/orders?direction=in", "99cIIoq/zc7QiymriuURglrZLQg=", "sandbox.local:8010"),
]  # fmt: skip
INVALID = "SIGNATURE_INVALID: Invalid Signature"


@pytest.fixture
def vectors(sandbox: SandboxProcess) -> BrickLinkClient:
    """Answer a seller who has the vectors' keys, at the vectors' time."""
    sandbox.control("POST", "sellers", {"service": "bricklink", "name": "vectors", "credentials": KEYS})
    sandbox.control("POST", "clock", {"mode": "frozen", "at": 1_700_000_000})
    return BrickLinkClient(sandbox.bricklink_url, KEYS, clock=lambda: 1_700_000_000)


def given(signature: str) -> dict[str, str]:
    return {
        "oauth_consumer_key": KEYS["consumer_key"], "oauth_token": KEYS["token"],
        "oauth_signature_method": "HMAC-SHA1", "oauth_timestamp": "1700000000", "oauth_nonce": "n0nce",
        "oauth_version": "1.0", "oauth_signature": signature,
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path", "signature", "host"), VECTORS)
def test_takes_the_vectors_of_the_reference(
    method: str, path: str, signature: str, host: str, vectors: BrickLinkClient
) -> None:
    headers = {"Host": host} if host else {}
    reply = vectors.send(method, path, b"{}" if method == "PUT" else None, oauth=given(signature), headers=headers)
    assert reply.meta["message"] != "BAD_OAUTH_REQUEST"
    spoiled = "A" * 27 + "="
    reply = vectors.send(method, path, oauth={**given(spoiled), "oauth_nonce": "another"}, headers=headers)
    assert reply.meta == {"description": INVALID, "message": "BAD_OAUTH_REQUEST", "code": 401}
    assert reply.status == 200
    assert "data" not in reply.json


def test_tells_the_developer_what_was_signed(vectors: BrickLinkClient, sandbox: SandboxProcess) -> None:
    vectors.send("GET", "/inventories?item_type=part%2Cset&status=-R", oauth=given("x"))
    note = sandbox.asked()[-1]["note"]
    assert "item_type%3Dpart%252Cset%26oauth_consumer_key%3DCK0000000000000000000000000000AA%26" in note
    assert KEYS["token_secret"] not in json.dumps(sandbox.asked())


@pytest.mark.parametrize(("changed", "begins"), [
    ({"oauth_consumer_key": None}, "PARAMETER_ABSENT: oauth_consumer_key"),
    ({"oauth_token": None}, "PARAMETER_ABSENT: oauth_token"),
    ({"oauth_nonce": None}, "PARAMETER_ABSENT: oauth_nonce"),
    ({"oauth_timestamp": None}, "PARAMETER_ABSENT: oauth_timestamp"),
    ({"oauth_signature_method": None}, "PARAMETER_ABSENT: oauth_signature_method"),
    ({"oauth_signature": ""}, "PARAMETER_ABSENT: oauth_signature"),
    ({"oauth_signature_method": "PLAINTEXT"}, "SIGNATURE_METHOD_REJECTED"),
    ({"oauth_version": "2.0"}, "VERSION_REJECTED"),
    ({"oauth_consumer_key": "nobody"}, "CONSUMER_KEY_UNKNOWN"),
    ({"oauth_token": "nothing"}, "TOKEN_REJECTED"),
    ({"oauth_token": KEYS["token"]}, "TOKEN_REJECTED"),
    ({"oauth_timestamp": str(int(time.time()) - 10_000)}, "TIMESTAMP_REFUSED"),
    ({"oauth_timestamp": "soon"}, "TIMESTAMP_REFUSED"),
    ({"oauth_signature": "c29tZXRoaW5nIGVsc2U="}, INVALID),
])  # fmt: skip
def test_refuses(changed: dict[str, Any], begins: str, bricklink: BrickLinkClient, sandbox: SandboxProcess) -> None:
    sandbox.control("POST", "sellers", {"service": "bricklink", "name": "other", "credentials": KEYS})
    reply = bricklink.send("GET", "/colors", oauth=bricklink.oauth("GET", "/colors", **changed))
    assert reply.meta["code"] == 401
    assert reply.meta["message"] == "BAD_OAUTH_REQUEST"
    assert reply.meta["description"].startswith(begins)


@pytest.mark.parametrize("header", ["", "Basic abc", "OAuth", "OAuth nonsense", 'OAuth a="b", , c'])
def test_refuses_what_is_no_signature(header: str, bricklink: BrickLinkClient) -> None:
    reply = bricklink.http.send("GET", f"{bricklink.http.path}/colors", headers={"Authorization": header})
    assert reply.meta["description"].startswith("PARAMETER_ABSENT")


def test_takes_a_request_without_a_version_and_with_a_realm(bricklink: BrickLinkClient) -> None:
    signed = bricklink.oauth("GET", "/colors/5", oauth_version=None)
    assert bricklink.send("GET", "/colors/5", oauth={"realm": "", **signed}).data["color_name"] == "Red"


def test_refuses_a_nonce_that_was_used(bricklink: BrickLinkClient) -> None:
    signed = bricklink.oauth("GET", "/colors/5")
    assert bricklink.send("GET", "/colors/5", oauth=signed).meta["code"] == 200
    assert bricklink.send("GET", "/colors/5", oauth=signed).meta["description"].startswith("NONCE_USED")


def test_leaves_a_refused_request_its_nonce(bricklink: BrickLinkClient) -> None:
    signed = bricklink.oauth("GET", "/colors/5")
    assert bricklink.send("GET", "/colors/5", oauth={**signed, "oauth_signature": "x"}).meta["code"] == 401
    assert bricklink.send("GET", "/colors/5", oauth=signed).meta["code"] == 200


@pytest.mark.parametrize("encode", [str, enc])
def test_takes_the_parameters_in_the_query(encode: Any, bricklink: BrickLinkClient) -> None:
    signed = bricklink.oauth("GET", "/items/PART/3001/price?color_id=5")
    signed["oauth_signature"] = encode(signed["oauth_signature"])
    query = f"color_id=5&Authorization={quote(json.dumps(signed))}"
    reply = bricklink.http.send("GET", f"{bricklink.http.path}/items/PART/3001/price?{query}")
    assert reply.data["item"]["no"] == "3001"


def test_refuses_a_plus_for_a_blank_and_a_parameter_that_was_not_signed(bricklink: BrickLinkClient) -> None:
    signed = bricklink.oauth("GET", "/colors?a=x%20y")
    assert bricklink.send("GET", "/colors?a=x+y", oauth=signed).meta["description"] == INVALID
    signed = bricklink.oauth("GET", "/colors")
    assert bricklink.send("GET", "/colors?a=1", oauth=signed).meta["description"] == INVALID


def test_signs_blank_and_repeated_parameters(bricklink: BrickLinkClient) -> None:
    assert len(bricklink.get("/colors?b=&a=2&a=1")) > 200


def test_mixes_a_form_into_the_signature_if_the_caller_did(bricklink: BrickLinkClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for signed_path in ("/feedback", "/feedback?a=1&b=x%20y"):
        signed = bricklink.oauth("POST", signed_path)
        body = urlencode({"a": "1", "b": "x y"}).encode()
        reply = bricklink.send("POST", "/feedback", body, oauth=signed, headers=form)
        assert reply.meta["message"] != "BAD_OAUTH_REQUEST"


def test_takes_what_was_signed_for_a_proxy_in_front(sandbox: SandboxProcess, bricklink: BrickLinkClient) -> None:
    outside = BrickLinkClient("https://shop.example/api/store/v1", sandbox.bricklink_credentials)
    signed = outside.oauth("GET", "/colors/5")
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
    assert bricklink.send("GET", "/colors/5", oauth=signed, headers=forwarded).meta["code"] == 200
    signed = outside.oauth("GET", "/colors/5")
    assert bricklink.send("GET", "/colors/5", oauth=signed).meta["description"] == INVALID


def test_is_found_by_its_name_at_the_original_path(sandbox: SandboxProcess, bricklink: BrickLinkClient) -> None:
    real = BrickLinkClient("https://api.bricklink.com/api/store/v1", sandbox.bricklink_credentials)
    signed = real.oauth("GET", "/colors/5")
    line = ", ".join(f'{name}="{enc(value)}"' for name, value in signed.items())
    headers = {"Host": "api.bricklink.com", "Authorization": f"OAuth {line}"}
    assert Http(sandbox.url).send("GET", "/api/store/v1/colors/5", headers=headers).data["color_id"] == 5


def test_checks_the_address_where_it_shall(sandbox: SandboxProcess) -> None:
    command = {
        "service": "bricklink", "name": "fixed", "credentials": KEYS, "settings": {"ip_check": True},
        "ip": "203.0.113.0", "mask": "255.255.255.0",
    }  # fmt: skip
    sandbox.control("POST", "sellers", command)
    client = BrickLinkClient(sandbox.bricklink_url, KEYS)
    inside, outside = {"X-Sandbox-Client-IP": "203.0.113.9"}, {"X-Sandbox-Client-IP": "198.51.100.7"}
    assert client.send("GET", "/colors/5", headers=inside).meta["code"] == 200
    assert client.send("GET", "/colors/5", headers=outside).meta["description"] == (
        f"TOKEN_IP_MISMATCHED: consumer: {KEYS['consumer_key']} IP: 198.51.100.7"
    )


@pytest.mark.parametrize(("mode", "code", "says"), [
    ("soft", 200, "OK"), ("hard", 429, "API call limit exceeded"), ("block", 401, "blocked consumer_key"),
])  # fmt: skip
def test_counts_what_it_let_in(mode: str, code: int, says: str, sandbox: SandboxProcess) -> None:
    settings = {"quota": 2, "quota_mode": mode}
    sandbox.control(
        "POST", "sellers", {"service": "bricklink", "name": "few", "credentials": KEYS, "settings": settings}
    )
    client = BrickLinkClient(sandbox.bricklink_url, KEYS)
    client.send("GET", "/colors", oauth=client.oauth("GET", "/colors", oauth_signature="x"))
    assert [client.send("GET", "/colors/5").meta["code"] for _ in range(2)] == [200, 200]
    reply = client.send("GET", "/colors/5")
    assert reply.meta["code"] == code
    assert says in reply.meta["description"]
    sandbox.control("POST", "clock", {"mode": "offset", "advance_s": 86_460})
    client.clock = lambda: time.time() + 86_460
    assert client.send("GET", "/colors/5").meta["code"] == 200
