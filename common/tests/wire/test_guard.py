"""Addresses that a user sets lead to the internet or nowhere (reliability.md, check 24)."""

import io
import socket

import pytest

from common.testing.sandbox import SandboxProcess
from common.wire import guard, transport

INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_refuses_addresses_inside(address: str) -> None:
    assert not guard.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "151.101.1.69", "2606:4700::1111", "64:ff9b::101:101"])
def test_lets_the_internet_through(address: str) -> None:
    assert guard.is_public(address)


ODD = ["localhost", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "0", "[::1]", "[::ffff:7f00:1]"]


@pytest.mark.parametrize("host", ODD)
def test_refuses_odd_notations_at_the_connection(host: str) -> None:
    with pytest.raises(transport.NotSentError):
        transport.download(f"http://{host}:8000/", io.BytesIO(), total_s=2, limit_bytes=100)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "//x", "http://"])
def test_refuses_what_is_no_address_of_the_web(url: str) -> None:
    with pytest.raises(transport.NotSentError):
        transport.download(url, io.BytesIO(), total_s=2, limit_bytes=100)


def test_connects_to_the_very_address_that_was_judged(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxProcess) -> None:
    """A name that is public when it is judged and private when it is connected to gets nobody inside."""
    port = int(sandbox.url.rpartition(":")[2])
    asked: list[str] = []

    def resolve(host: str, *_args: object, **_kwargs: object) -> list[tuple[object, ...]]:
        asked.append(host)
        address = "192.0.2.1" if host == "192.0.2.1" else "1.1.1.1" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert guard.resolve("rebinding.example", port) == "1.1.1.1"
    with pytest.raises(guard.ForbiddenAddressError):
        guard.resolve("rebinding.example", port)


def test_writes_what_a_good_address_leads_to(monkeypatch: pytest.MonkeyPatch, sandbox: SandboxProcess) -> None:
    monkeypatch.setattr(guard, "is_public", lambda _address: True)
    into = io.BytesIO()
    got = transport.download(f"{sandbox.brickognize_url}health/", into, total_s=5, limit_bytes=1000)
    assert (got.status, into.getvalue()) == (200, b'{"server":true,"model":true}')
    with pytest.raises(transport.LostError, match="larger than 5 bytes"):
        transport.download(f"{sandbox.brickognize_url}health/", io.BytesIO(), total_s=5, limit_bytes=5)
    into = io.BytesIO()
    assert transport.download(f"{sandbox.brickognize_url}x/", into, total_s=5, limit_bytes=1000).status == 404
    assert into.getvalue() == b""


def test_refuses_a_name_that_leads_inside_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("1.1.1.1", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: places)
    with pytest.raises(guard.ForbiddenAddressError):
        guard.resolve("both.example", 80)
