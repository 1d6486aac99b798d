"""A passkey in software: answers what a browser would, so that registering and signing in run for real on our side."""

import hashlib
import json
import os
import re
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

_FLAG = AuthenticatorData.FLAG


def options_on(page: str) -> dict[str, Any]:
    """Answer the options that a page carries for the browser."""
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found.group(1))
    options: dict[str, Any] = data.get("request_options", data)["publicKey"]
    return options


class Passkey:
    """One credential, kept where a phone would keep it."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.id = os.urandom(32)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.rp_id = ""
        self.user_handle = ""
        self.counter = 0

    def _client_data(self, kind: str, challenge: str) -> CollectedClientData:
        return CollectedClientData.create(type=kind, challenge=websafe_decode(challenge), origin=self.origin)

    def _auth_data(self, credential: AttestedCredentialData | None = None) -> AuthenticatorData:
        self.counter += 1
        flags = _FLAG.UP | _FLAG.UV | (_FLAG.AT if credential else _FLAG(0))
        made: AuthenticatorData = AuthenticatorData.create(
            hashlib.sha256(self.rp_id.encode()).digest(), flags, self.counter, credential or b""
        )
        return made

    def create(self, options: dict[str, Any]) -> str:
        """Answer a registration, as JSON for the form."""
        self.rp_id, self.user_handle = options["rp"]["id"], options["user"]["id"]
        public = ES256.from_cryptography_key(self.key.public_key())
        data = self._auth_data(AttestedCredentialData.create(Aaguid.NONE, self.id, public))
        return self._answer(
            clientDataJSON=self._client_data("webauthn.create", options["challenge"]),
            attestationObject=AttestationObject.create("none", data, {}),
        )

    def get(self, options: dict[str, Any]) -> str:
        """Answer a challenge, as JSON for the form."""
        data = self._auth_data()
        client = self._client_data("webauthn.get", options["challenge"])
        signature = self.key.sign(bytes(data) + client.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=client,
            authenticatorData=data,
            signature=signature,
            userHandle=websafe_decode(self.user_handle),
        )

    def _answer(self, **response: bytes) -> str:
        return json.dumps(
            {
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "type": "public-key",
                "response": {name: websafe_encode(value) for name, value in response.items()},
                "clientExtensionResults": {"credProps": {"rk": True}},
                "authenticatorAttachment": "platform",
            }
        )
