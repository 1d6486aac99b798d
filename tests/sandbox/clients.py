"""Callers of the imitated marketplaces, over real HTTP, written from the public documents alone."""

import base64
import hmac
import http.client
import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_nonces = itertools.count(time.time_ns())


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        """Answer the data of BrickLink's envelope, after a look at whether it is there."""
        assert self.json["meta"]["code"] in (200, 201, 204), self.json
        return self.json["data"]

    @property
    def meta(self) -> Any:
        return self.json["meta"]


class Http:
    """One connection that is kept."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.root, self.path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=20)

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        try:
            self._connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = self._connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise


def enc(text: str) -> str:
    return quote(str(text), safe="-._~")


def signature(method: str, url: str, parameters: list[tuple[str, str]], secrets: tuple[str, str]) -> str:
    pairs = sorted((enc(name), enc(value)) for name, value in parameters)
    base = "&".join((method, enc(url), enc("&".join(f"{name}={value}" for name, value in pairs))))
    key = "&".join(enc(secret) for secret in secrets)
    return base64.b64encode(hmac.new(key.encode(), base.encode(), sha1).digest()).decode()


@dataclass
class BrickLinkClient:
    """A seller's own program."""

    url: str
    credentials: Mapping[str, str]
    clock: Any = time.time
    http: Http = field(init=False)

    def __post_init__(self) -> None:
        self.http = Http(self.url)

    def oauth(self, method: str, path: str, **changed: str | None) -> dict[str, str]:
        """Answer the parameters of a signed request; `changed` are set before it is signed, None leaves one out."""
        secrets = (self.credentials["consumer_secret"], self.credentials["token_secret"])
        values: dict[str, str | None] = {
            "oauth_consumer_key": self.credentials["consumer_key"],
            "oauth_token": self.credentials["token"],
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_timestamp": str(int(self.clock())),
            "oauth_nonce": f"n{next(_nonces)}",
            "oauth_version": "1.0",
            **changed,
        }
        kept = {name: value for name, value in values.items() if value is not None}
        if "oauth_signature" not in changed:
            parts = urlsplit(f"{self.http.root}{self.http.path}{path}")
            signed = parse_qsl(parts.query, keep_blank_values=True) + list(kept.items())
            kept["oauth_signature"] = signature(method, f"{parts.scheme}://{parts.netloc}{parts.path}", signed, secrets)
        return kept

    def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None,
        oauth: Mapping[str, str] | None = None,
    ) -> Reply:  # fmt: skip
        given = self.oauth(method, path) if oauth is None else oauth
        sent = {"Authorization": "OAuth " + ", ".join(f'{name}="{enc(value)}"' for name, value in given.items())}
        if body is not None:
            sent["Content-Type"] = "application/json"
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.http.send(method, f"{self.http.path}{path}", raw, {**sent, **(headers or {})})

    def get(self, path: str) -> Any:
        return self.send("GET", path).data

    def post(self, path: str, body: Any) -> Reply:
        return self.send("POST", path, body)

    def put(self, path: str, body: Any) -> Reply:
        return self.send("PUT", path, body)


@dataclass
class BrickOwlClient:
    """A seller's own program."""

    url: str
    key: str
    http: Http = field(init=False)

    def __post_init__(self) -> None:
        self.http = Http(self.url)

    def get(self, endpoint: str, **arguments: Any) -> Reply:
        query = urlencode({"key": self.key, **arguments})
        return self.http.send("GET", f"{self.http.path}/{endpoint}?{query}")

    def post(self, endpoint: str, **arguments: Any) -> Reply:
        body = urlencode({"key": self.key, **arguments})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.send("POST", f"{self.http.path}/{endpoint}", body, kind)


@dataclass
class BrikickClient:
    """A seller's own program."""

    url: str
    key: str
    http: Http = field(init=False)

    def __post_init__(self) -> None:
        self.http = Http(self.url)

    def send(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Reply:
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {"X-Api-Key": self.key, "Content-Type": "application/json", **(headers or {})}
        return self.http.send(method, f"{self.http.path}{path}", raw, sent)

    def get(self, path: str) -> Any:
        reply = self.send("GET", path)
        assert reply.status == 200, reply.body
        return reply.json

    def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, {} if body is None else body, headers=named)

    def patch(self, path: str, body: Any, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("PATCH", path, body, headers=named)
