"""The command that writes secrets anew under the current key, so that the old one can go."""

import io
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.second_factor import MFAAdapter
from common import crypto
from common.testing.people import make_user
from stores import services
from stores.models import StoreCredential

pytestmark = pytest.mark.django_db

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = {"key": "owl-key-0123456789"}


def _said() -> str:
    out = io.StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def _store() -> None:
    services.create_store(channel="brickowl", name="Owl", credentials=SECRET, now=timezone.now())


def test_lets_the_old_key_go(client: Any) -> None:
    user = make_user(role="owner")
    with override_settings(ENCRYPTION_KEYS=[OLD]):
        _store()
        client.force_login(user)
        data = {"secret": MFAAdapter().encrypt("TOTPSECRET")}
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)
    with override_settings(ENCRYPTION_KEYS=[NEW, OLD]):
        assert StoreCredential.objects.get().encrypted_data == SECRET
        assert "can be taken out" in _said()
    with override_settings(ENCRYPTION_KEYS=[NEW]):
        credential = StoreCredential.objects.get()
        assert (credential.encrypted_data, credential.encryption_key_id) == (SECRET, crypto.key_id())
        assert MFAAdapter().decrypt(Authenticator.objects.get().data["secret"]) == "TOTPSECRET"
        assert client.get("/stores/").status_code == 200


def test_says_what_no_key_opens_and_rotates_the_rest() -> None:
    with override_settings(ENCRYPTION_KEYS=[OLD]):
        _store()
    with override_settings(ENCRYPTION_KEYS=[NEW]):
        out = io.StringIO()
        with pytest.raises(CommandError, match="Put the key back"):
            call_command("rotate_keys", stdout=out)
        assert "stores_storecredential: 1 values" in out.getvalue()


def test_goes_through_more_than_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.rotation._BATCH", 2)
    for number in range(5):
        services.create_store(
            channel="brickowl", name=f"Owl {number}", credentials={"key": f"key-number-{number}"}, now=timezone.now()
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT encrypted_data FROM stores_storecredential")
        before = {text for (text,) in cursor.fetchall()}
        _said()
        cursor.execute("SELECT encrypted_data FROM stores_storecredential")
        assert not before & {text for (text,) in cursor.fetchall()}
    assert sorted(row.encrypted_data["key"] for row in StoreCredential.objects.all())[4] == "key-number-4"
