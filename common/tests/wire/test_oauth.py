"""Signatures of OAuth 1.0a: the vectors of channels-bricklink.md, and a fresh one for each attempt."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import pytest

from common.testing.sandbox import SandboxProcess
from common.wire import Wire
from common.wire.oauth import signer

BASE = "https://api.bricklink.com/api/store/v1"
SECRETS = {
    "consumer_key": "CK0000000000000000000000000000AA",
    "consumer_secret": "CS0000000000000000000000000000BB",
    "token": "TK0000000000000000000000000000CC",
    "token_secret": "TS0000000000000000000000000000DD",
}


@pytest.mark.parametrize(("method", "url", "signature"), [
    ("GET", f"{BASE}/orders?direction=in", "aaTf5Pqp8IfmFSohcvTyLhUesw8="),
    ("GET", f"{BASE}/inventories?item_type=part%2Cset&status=-R", "v+LhUp9eE8cr4pUbsoHmUruTeMw="),
    ("GET", f"{BASE}/members/A%20B/ratings", "OdNYEy85gPTrXTBAxRnoYXCx/Mw="),
    ("GET", f"{BASE}/items/PART/3001/price?color_id=5&guide_type=sold&new_or_used=U&currency_code=EUR",
     "CxGKPl2Jri1aKJT3TDwY/jdS/qg="),
    ("PUT", f"{BASE}/inventories/1234", "HDs+vAYNUkuvBZ9Uoe8OgI1YPaE="),
    ("GET", "http://sandbox.local:8010/api/store/v1/orders?direction=in", "99cIIoq/zc7QiymriuURglrZLQg="),
])  # fmt: skip
def test_signs_as_bricklink_does(method: str, url: str, signature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_nonce", lambda: "n0nce")
    monkeypatch.setattr("oauthlib.oauth1.rfc5849.generate_timestamp", lambda: "1700000000")
    header = signer(**SECRETS)(method, url)["Authorization"]
    assert header.startswith("OAuth ")
    assert _signature(header) == signature
    # Blanks come with copying from a page.
    assert signer(**{name: f" {value}\n" for name, value in SECRETS.items()})(method, url)["Authorization"] == header


def test_signs_each_attempt_anew_and_what_is_really_sent(wire_to: Callable[..., Wire], sandbox: SandboxProcess) -> None:
    signed: list[tuple[str, str, str]] = []
    sign = signer(**SECRETS)

    def noted(method: str, url: str) -> Mapping[str, str]:
        headers = sign(method, url)
        signed.append((method, url, headers["Authorization"]))
        return {"X-Signed": headers["Authorization"]}

    sandbox.fault("status", times=2)
    params = {"a": "part,set", "b": "x y+z"}
    assert wire_to(sign=noted).call("look_up", path="lego/colors/4/", params=params).data["name"] == "Red"
    assert [(method, url) for method, url, _header in signed] == [
        ("GET", f"{sandbox.rebrickable_url}lego/colors/4/?a=part%2Cset&b=x%20y%2Bz")
    ] * 3
    assert len({_nonce(header) for _method, _url, header in signed}) == 3


def _signature(header: str) -> str:
    found: Any = re.search(r'oauth_signature="([^"]+)"', header)
    return unquote(found[1])


def _nonce(header: str) -> str:
    found: Any = re.search(r'oauth_nonce="([^"]+)"', header)
    return str(found[1])
