"""Secrets are in nothing that is logged, stored or raised."""

import json

import pytest

from common.wire.redact import HIDDEN, Redactor

SECRET = "s3cr3t/with+signs"


@pytest.mark.parametrize("text", [
    f"the key {SECRET} is wrong",
    "https://api.example/x?a=1&key=s3cr3t%2Fwith%2Bsigns&b=2",
    f"Authorization: key {SECRET}",
    f'{{"token": "{SECRET[:9]}',
    'api_key=abc&client_secret="abc"',
    f"Cookie: session={SECRET[:9]}; csrf=1",
])  # fmt: skip
def test_hides_secrets_in_text(text: str) -> None:
    shown = Redactor([SECRET]).text(text)
    assert HIDDEN in shown
    assert "s3cr3t" not in shown
    assert "abc" not in shown


def test_hides_secrets_in_headers_and_json() -> None:
    value = {
        "Authorization": "Basic abc",
        "X-Api-Key": "abc",
        "Accept": "text/html",
        "a": [{"refresh_token": 1}, SECRET],
    }
    assert Redactor([SECRET]).data(value) == {
        "Authorization": HIDDEN, "X-Api-Key": HIDDEN, "Accept": "text/html", "a": [{"refresh_token": HIDDEN}, HIDDEN],
    }  # fmt: skip


def test_shortens_what_it_shows() -> None:
    body = json.dumps({"oauth_signature": SECRET, "text": "x" * 1000}).encode()
    shown = Redactor().excerpt(body, length=60)
    assert len(shown) == 60
    assert "s3cr3t" not in shown


def test_leaves_plain_text_alone() -> None:
    text = "Brick 2 x 4 isn't in set 75192-1; the keys are in the drawer"
    assert Redactor(["abc", ""]).text(text) == text
