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
}


def test_names_every_wrong_setting_and_quotes_none(monkeypatch: pytest.MonkeyPatch):
    for name, value in _WRONG.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as refused:
        read_environ()
    said = str(refused.value)
    assert [name for name in _WRONG if f"\n  {name}: " not in said] == []
    assert "hidden-word" not in said
