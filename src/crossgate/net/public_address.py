"""Which addresses are those of the public Internet, and which lead into this machine or its networks.

The tables are those of IANA, https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry, and not those of :mod:`ipaddress`: they differ
between versions of Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

IpAddress = IPv4Address | IPv6Address

_IPV4_AT_THE_END: Final = (
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
    IPv6Network("64:ff9b:1::/48"),  # local NAT64, RFC 8215; with a prefix of 96 bits below it
    IPv6Network("::ffff:0:0:0/96"),  # SIIT, RFC 2765
    IPv6Network("::/96"),  # IPv4-compatible, RFC 4291, section 2.5.5.1
)
_SPECIAL_IPV4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network: Linux connects to itself
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared by carriers, RFC 6598; in some clouds with a metadata service
            "127.0.0.0/8",
            "168.63.129.16/32",  # the host of a machine in Azure, which is in no registry
            "169.254.0.0/16",  # link-local; in most clouds with a metadata service
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",  # relays of 6to4, RFC 7526
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_PUBLIC_IPV6: Final = (
    IPv6Network("2000::/3"),  # global unicast: all that IANA has given out
    IPv6Network("64:ff9b::/96"),  # of NAT64 the IPv4 address counts
)
_SPECIAL_IPV6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols, Teredo among them
            "2001:db8::/32",
            "3fff::/20",
        ),
    )
)


def is_public(address: IpAddress) -> bool:
    """Whether the address, and each IPv4 address in it, is one of the public Internet."""
    return all(_is_public(one) for one in with_embedded(address))


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    # An IPv6 address with a zone is an address of a link.
    return (
        address.scope_id is None
        and any(address in network for network in _PUBLIC_IPV6)
        and not any(address in network for network in _SPECIAL_IPV6)
    )


def with_embedded(address: IpAddress) -> Iterator[IpAddress]:
    """The address, and the IPv4 addresses that it reaches through translation or a tunnel."""
    yield address
    if isinstance(address, IPv6Address):
        yield from (one for one in (address.ipv4_mapped, address.sixtofour) if one is not None)
        yield from address.teredo or ()
        # [::] and [::1] are addresses of their own.
        if int(address) > 1 and any(address in network for network in _IPV4_AT_THE_END):
            yield IPv4Address(int(address) & 0xFFFFFFFF)
