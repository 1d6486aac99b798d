"""Keeps addresses that a user can set from leading into our own network (reliability.md, check 24)."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Carries IPv4 addresses inside (RFC 6052); Python calls it global whatever it carries.
_NAT64 = ip_network("64:ff9b::/96")
# Azure's metadata and DNS service, on an address that looks like anybody's.
_METADATA = frozenset({ip_address("168.63.129.16")})


class ForbiddenAddressError(OSError):
    """The name leads to an address inside, or to none."""


def is_public(address: str) -> bool:
    """Tell whether an address is one of the internet's: no private, loopback, link-local or metadata address.

    An IPv4 address that is wrapped in IPv6 (mapped, 6to4, Teredo, NAT64) is judged as what it leads to.
    """
    parsed = ip_address(address.partition("%")[0])
    return all(
        each.is_global and not each.is_multicast and each not in _METADATA for each in (parsed, *_inside(parsed))
    )


def resolve(host: str, port: int) -> str:
    """Answer the address to connect to, one that was judged: resolved again, the name could lead elsewhere.

    Raises ForbiddenAddressError where any of the name's addresses is not public: a name that leads inside by turns is
    no accident. Odd notations of addresses (`0x7f.1`, `2130706433`) resolve to what they mean.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ForbiddenAddressError(f"{host} has no address") from error
    addresses = [str(place[4][0]) for place in found]
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddressError(f"{host} leads to an address that may not be asked")
    return addresses[0]


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(address, IPv4Address):
        return []
    carried = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        carried.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [each for each in carried if each is not None]
