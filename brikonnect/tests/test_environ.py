"""Wrong settings are all named at once, and none of them is quoted: it may hold a password."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from brikonnect.environ import read_environ

_WRONG = {
    "DATABASE_URL": "mysql://shop:hidden-word@db/shop",
    "REDIS_URL": "http://:hidden-word@redis",
    "SECRET_KEY": "hidden-word",
    "ENCRYPTION_KEYS": "hidden-word",
    "BASE_DOMAIN": "https://hidden-word.example",
    "API_RATE": "hidden-word",
    "CATALOG_DUMPS": "/dumps, ftp://hidden-word/parts.csv",
}


def test_names_every_wrong_setting_and_quotes_none(monkeypatch: pytest.MonkeyPatch):
    for name, value in _WRONG.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environ()
    said = str(refused.value)
    assert [name for name in _WRONG if f"\n  {name}: " not in said] == []
    assert "hidden-word" not in said


def test_wants_all_of_bricklinks_values_or_none(monkeypatch: pytest.MonkeyPatch):
    assert read_environ().BRICKLINK_TOKEN == ""
    monkeypatch.setenv("BRICKLINK_TOKEN", "hidden-word")
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environ()
    assert "BRICKLINK_CONSUMER_KEY, BRICKLINK_CONSUMER_SECRET, BRICKLINK_TOKEN_SECRET is empty" in str(refused.value)
    assert "hidden-word" not in str(refused.value)
    for name in ("CONSUMER_KEY", "CONSUMER_SECRET", "TOKEN_SECRET"):
        monkeypatch.setenv(f"BRICKLINK_{name}", "x")
    assert read_environ().BRICKLINK_TOKEN == "hidden-word"
