"""Which values of the header Host are accepted: the defence against DNS rebinding.

A page of another site can make the site's name resolve to this machine. The browser then treats the page as
same-origin, but sends the site's name as Host. An IP address cannot be rebound.
"""

from __future__ import annotations

from collections.abc import Collection

from crossgate.net.address import is_ip_address


def names_this_server(authority: str, host_names: Collection[str]) -> bool:
    """Whether a Host, with or without port, is localhost, an IP address or one of the lower-case names."""
    host, separator, port = authority.rpartition(":")
    if not separator or not (port.isascii() and port.isdigit()):
        host = authority
    host = host.lower()
    if host.startswith("[") and host.endswith("]"):
        return is_ip_address(host[1:-1])
    return host == "localhost" or host in host_names or is_ip_address(host)
