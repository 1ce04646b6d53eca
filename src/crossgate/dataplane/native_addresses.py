"""The addresses that native services must not have: the gateway's own, and those in denied networks.

This finds mistakes, and keeps those who may change APIs from what they should not reach. It is not a
firewall: Envoy resolves names again and again, and the name server decides where the requests go.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from time import monotonic
from typing import Final

from crossgate.catalogue.model import Gateway, NativeService
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.net.address import HostPort, is_ip_address
from crossgate.net.public_address import IpAddress, with_embedded

Resolve = Callable[[Collection[str]], Mapping[str, Collection[IpAddress]]]
"""The addresses of names; without those that have none, or no answer in time."""

RESOLVE_SECONDS: Final = 2.0
"""For all names of one change together."""
_MOST_THREADS: Final = 32
"""For all changes together: a silent name server keeps a thread longer than a change waits for it."""
_LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_threads = BoundedSemaphore(_MOST_THREADS)


@dataclass(frozen=True, slots=True)
class OwnAddress:
    """An address at which the gateway itself listens, and what listens there."""

    what: str
    address: HostPort


@dataclass(frozen=True)
class NativeRules:
    """What native services must not be."""

    own: Sequence[OwnAddress]
    denied: Sequence[str] = ()
    """Networks, as :func:`crossgate.net.address.parse_network` writes them."""
    resolve: Resolve | None = None
    """None: names other than ``localhost`` are not judged."""

    @classmethod
    def of(
        cls, gateway: Gateway, own: Sequence[OwnAddress] = (), resolve: Resolve | None = None
    ) -> NativeRules:
        """The rules of a gateway, which listens at ``own`` besides its listener."""
        listener = OwnAddress("listener, so that requests would go round in a loop", gateway.listen)
        return cls((*own, listener), gateway.denied_native_networks, resolve)

    def find(self, natives: Iterable[tuple[Place, NativeService]], severity: Severity) -> list[Diagnostic]:
        """A diagnostic for each service that breaks a rule, at the place that names it."""
        listed = list(natives)
        names = {native.host for _, native in listed if self._needs_resolving(native)}
        resolved = self.resolve(names) if self.resolve is not None and names else {}
        return [one for place, native in listed for one in self._judge(place, native, resolved, severity)]

    def _needs_resolving(self, native: NativeService) -> bool:
        if _literal(native.host):
            return False
        return bool(self.denied) or any(native.port == one.address.port for one in self.own)

    def _judge(
        self,
        place: Place,
        native: NativeService,
        resolved: Mapping[str, Collection[IpAddress]],
        severity: Severity,
    ) -> Iterator[Diagnostic]:
        addresses = _literal(native.host) or resolved.get(native.host, ())
        for own in self.own:
            if native.port == own.address.port and any(
                self._reaches(inner, own.address) for one in addresses for inner in with_embedded(one)
            ):
                yield Diagnostic(
                    code="native-is-gateway",
                    message=f"the native service is the gateway's own {own.what}, at {own.address}",
                    remedy="Write the address of the service itself",
                    place=place,
                    found=str(native),
                    severity=severity,
                )
                return
        for network in self._networks:
            inside = [one for one in addresses if any(inner in network for inner in with_embedded(one))]
            if inside:
                # Name servers rotate their answers; equal ones give equal messages.
                first = min(inside, key=str)
                resolves = "" if is_ip_address(native.host) else f" ({native.host} resolves to {first})"
                yield Diagnostic(
                    code="native-denied",
                    message=f"the native service is in the denied network {network}{resolves}",
                    remedy="Choose another address, or let an admin change gateway.denied_native_networks",
                    place=place,
                    found=str(native),
                    severity=severity,
                )
                return
        if self.denied and self.resolve is not None and not addresses:
            yield Diagnostic(
                code="native-unresolved",
                message="the host has no address now, so that the denied networks could not be applied",
                remedy="Check the name and the name server",
                place=place,
                found=native.host,
                severity=Severity.WARNING,
            )

    @cached_property
    def _networks(self) -> Sequence[IPv4Network | IPv6Network]:
        return [ip_network(one) for one in self.denied]

    def _reaches(self, address: IpAddress, own: HostPort) -> bool:
        """Whether a connection to ``address`` arrives at the listener at ``own``, which has the same port."""
        target, listens = _unmapped(address), _unmapped(ip_address(own.host))
        # Linux connects to the loopback address if the address is 0.0.0.0 or [::].
        targets = _LOOPBACK if target.is_unspecified else (target,)
        if listens.is_unspecified:
            return any(one.is_loopback or one in self._machine for one in targets)
        return listens in targets

    @cached_property
    def _machine(self) -> frozenset[IpAddress]:
        """The addresses of this machine's interfaces."""
        # Only a service with the port of the gateway needs it, so the start does not wait until it is loaded.
        import psutil

        found = (one for addresses in psutil.net_if_addrs().values() for one in addresses)
        ip_families = (socket.AF_INET, socket.AF_INET6)
        return frozenset(
            ip_address(one.address.partition("%")[0]) for one in found if one.family in ip_families
        )


def _literal(host: str) -> tuple[IpAddress, ...]:
    """The addresses that the host has without a name server; none if it needs one."""
    if is_ip_address(host):
        return (ip_address(host),)
    # RFC 6761, section 6.3: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    name = host.removesuffix(".")
    return _LOOPBACK if name == "localhost" or name.endswith(".localhost") else ()


def _unmapped(address: IpAddress) -> IpAddress:
    """The address; of ``::ffff:127.0.0.1``, the IPv4 address in it."""
    return getattr(address, "ipv4_mapped", None) or address


def resolve_names(names: Collection[str], seconds: float = RESOLVE_SECONDS) -> dict[str, list[IpAddress]]:
    """The addresses of names, as far as this machine finds them in time."""
    deadline = monotonic() + seconds
    waiting, answers = SimpleQueue[str](), SimpleQueue[tuple[str, list[IpAddress]]]()
    for name in names:
        waiting.put(name)
    threads = 0
    while threads < len(names) and _threads.acquire(blocking=False):
        # Nothing cancels a look-up. A daemon thread does not keep the process from ending.
        Thread(target=_work, args=(waiting, answers, deadline), name="resolve", daemon=True).start()
        threads += 1
    found: dict[str, list[IpAddress]] = {}
    while threads and len(found) < len(names):
        try:
            name, addresses = answers.get(timeout=max(0.0, deadline - monotonic()))
        except Empty:
            break
        found[name] = addresses
    return {name: addresses for name, addresses in found.items() if addresses}


def _work(
    waiting: SimpleQueue[str], answers: SimpleQueue[tuple[str, list[IpAddress]]], deadline: float
) -> None:
    """Look names up until none is left, or it is too late."""
    try:
        while monotonic() < deadline:
            name = waiting.get_nowait()
            answers.put((name, _look_up(name)))
    except Empty:
        pass
    finally:
        _threads.release()


def _look_up(name: str) -> list[IpAddress]:
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ip_address(str(address[0]).partition("%")[0]) for *_, address in found]
