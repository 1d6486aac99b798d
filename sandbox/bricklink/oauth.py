"""Who signed a request: OAuth 1.0a with HMAC-SHA1 (RFC 5849), as strictly as BrickLink checks it."""

import base64
import hmac
import ipaddress
import json
import re
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1
from urllib.parse import quote, unquote, urlsplit

from sandbox.bricklink.envelope import Refusal
from sandbox.http import Request
from sandbox.sellers import Seller, credential, find

SERVICE = "bricklink"
_ORIGIN = "https://api.bricklink.com"
_WINDOW_S = 300
_REMEMBERED_S = 600
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_NEEDED = (
    "oauth_consumer_key", "oauth_token", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce",
)  # fmt: skip
_PAIR = re.compile(r'\s*([A-Za-z_]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
Pairs = list[tuple[str, str]]


class Nonces:
    """Those that were used in the last ten minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def is_used(self, key: tuple[str, ...], now_s: int) -> bool:
        """Tell whether it was."""
        with self._lock:
            at = self._used.get(key)
            return at is not None and now_s - at <= _REMEMBERED_S

    def use(self, key: tuple[str, ...], now_s: int) -> bool:
        """Take it; tell whether it was free."""
        with self._lock:
            while self._used and now_s - next(iter(self._used.values())) > _REMEMBERED_S:
                self._used.popitem(last=False)
            if key in self._used:
                return False
            self._used[key] = now_s
            return True

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._used.clear()


class Guard:
    """Lets those in whose signature is right. `origins`: further addresses that callers may have signed."""

    def __init__(self, *, prefix: str, origins: Sequence[str] = ()) -> None:
        self._prefix = prefix
        self._origins = (_ORIGIN, *origins)
        self.nonces = Nonces()

    def checked(self, request: Request, connection: sqlite3.Connection, now_ms: int) -> Seller:
        """Answer who asks; raises Refusal."""
        given = _complete(read(request))
        consumer = credential(connection, SERVICE, "consumer", given["oauth_consumer_key"])
        if consumer is None:
            raise Refusal.oauth(f"CONSUMER_KEY_UNKNOWN: {given['oauth_consumer_key']}")
        token = credential(connection, SERVICE, "token", given["oauth_token"])
        if token is None or token["is_revoked"] or token["belongs_to"] != consumer["key"]:
            raise Refusal.oauth(f"TOKEN_REJECTED: {given['oauth_token']}")
        stamp, now_s = given["oauth_timestamp"], now_ms // 1000
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12 or abs(int(stamp) - now_s) > _WINDOW_S:  # noqa: PLR2004  # digits of a time
            raise Refusal.oauth(f"TIMESTAMP_REFUSED: {stamp}")
        nonce = (consumer["key"], token["key"], stamp, given["oauth_nonce"])
        if not request.is_repeat and self.nonces.is_used(nonce, now_s):
            raise Refusal.oauth(f"NONCE_USED: {given['oauth_nonce']}")
        self._check_signature(request, given, consumer["secret"], token["secret"])
        if not request.is_repeat and not self.nonces.use(nonce, now_s):
            raise Refusal.oauth(f"NONCE_USED: {given['oauth_nonce']}")
        seller = find(connection, consumer["seller_id"])
        if seller.settings["ip_check"]:
            _check_address(request, token, consumer["key"])
        return seller

    def _check_signature(self, request: Request, given: Mapping[str, str], *secrets: str) -> None:
        sent = given["oauth_signature"].encode()
        tried = []
        for url in self._urls(request):
            for pairs in _parameters(request, given):
                base = base_string(request.method, url, pairs)
                if hmac.compare_digest(sign(base, *secrets).encode(), sent):
                    return
                tried.append(base)
        raise Refusal.oauth("SIGNATURE_INVALID: Invalid Signature", note=tried[0] if tried else "")

    def _urls(self, request: Request) -> Iterator[str]:
        """Answer each address that the caller may have meant, without the query."""
        parts = urlsplit(request.target)
        host = request.headers.get("Host", parts.netloc)
        scheme = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip()
        forwarded = request.headers.get("X-Forwarded-Host", "").partition(",")[0].strip()
        own = [f"{each}://{name}" for name in (host, forwarded) if name for each in (scheme, "http", "https") if each]
        paths = dict.fromkeys((parts.path, parts.path.removeprefix(self._prefix)))
        for origin in dict.fromkeys((*own, *self._origins)):
            for path in paths:
                yield f"{_normalized(origin)}{path}"


def read(request: Request) -> dict[str, str]:
    """Answer the `oauth_…` parameters of the header, or of the query's `Authorization`; raises Refusal."""
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "oauth":
            raise Refusal.oauth("PARAMETER_ABSENT: oauth_consumer_key")
        return _of_header(rest)
    for name, value in query_pairs(request):
        if name == "Authorization":
            return _of_query(value)
    raise Refusal.oauth("PARAMETER_ABSENT: oauth_consumer_key")


def _complete(given: dict[str, str]) -> dict[str, str]:
    for name in _NEEDED:
        if not given.get(name):
            raise Refusal.oauth(f"PARAMETER_ABSENT: {name}")
    if given["oauth_signature_method"] != "HMAC-SHA1":
        raise Refusal.oauth(f"SIGNATURE_METHOD_REJECTED: {given['oauth_signature_method']}")
    if given.get("oauth_version", "1.0") != "1.0":
        raise Refusal.oauth(f"VERSION_REJECTED: {given['oauth_version']}")
    return given


def query_pairs(request: Request) -> Pairs:
    """Answer all parameters of the query, decoded; a plus is a plus."""
    pairs = []
    for part in urlsplit(request.target).query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote(name), unquote(value)))
    return pairs


def base_string(method: str, url: str, pairs: Pairs) -> str:
    """Answer what is signed."""
    encoded = sorted((escaped(name), escaped(value)) for name, value in pairs)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    return f"{method.upper()}&{escaped(url)}&{escaped(joined)}"


def sign(base: str, consumer_secret: str, token_secret: str) -> str:
    """Answer the signature."""
    key = f"{escaped(consumer_secret)}&{escaped(token_secret)}".encode()
    return base64.b64encode(hmac.new(key, base.encode(), sha1).digest()).decode()


def escaped(text: str) -> str:
    """Answer a text percent-encoded by RFC 3986."""
    return quote(text, safe="-._~")


def _parameters(request: Request, given: Mapping[str, str]) -> Iterator[Pairs]:
    """Answer what may have been signed: the query and the oauth parameters; with the fields of a form as well."""
    pairs = [(name, value) for name, value in query_pairs(request) if name != "Authorization"]
    pairs += [(name, value) for name, value in given.items() if name.startswith("oauth_") and name != "oauth_signature"]
    yield pairs
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded" and b"=" in request.body:
        fields = []
        for part in request.body.decode("utf-8", "replace").split("&"):
            name, _, value = part.partition("=")
            fields.append((unquote(name.replace("+", " ")), unquote(value.replace("+", " "))))
        yield pairs + fields


def _of_header(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    place = 0
    while place < len(text.rstrip()):
        match = _PAIR.match(text, place)
        if match is None:
            raise Refusal.oauth("PARAMETER_ABSENT: the Authorization header can't be read")
        name, value = unquote(match[1]), unquote(match[2])
        if name in found:
            raise Refusal.oauth(f"PARAMETER_REJECTED: {name} is there twice")
        if name != "realm":
            found[name] = value
        place = match.end()
    return found


def _of_query(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str | int) for value in found.values()):
        raise Refusal.oauth("PARAMETER_ABSENT: the Authorization parameter can't be read")
    read_ = {str(name): str(value) for name, value in found.items() if name != "realm"}
    signature = read_.get("oauth_signature", "")
    if "%" in signature:
        # Encoded in the manual's sample, plain in what some clients send.
        read_["oauth_signature"] = unquote(signature)
    return read_


def _normalized(origin: str) -> str:
    scheme, _, host = origin.lower().partition("://")
    name, colon, port = host.rpartition(":")
    if colon and port == _DEFAULT_PORTS.get(scheme):
        host = name
    return f"{scheme}://{host}"


def _check_address(request: Request, token: sqlite3.Row, consumer: str) -> None:
    address = request.headers.get("X-Sandbox-Client-Ip", request.client)
    try:
        network = ipaddress.IPv4Network((token["ip"], token["mask"]), strict=False)
        if ipaddress.IPv4Address(address) in network:
            return
    except ValueError:
        pass
    raise Refusal.oauth(f"TOKEN_IP_MISMATCHED: consumer: {consumer} IP: {address}")
