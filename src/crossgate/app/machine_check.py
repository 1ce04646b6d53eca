"""Whether this machine can serve a change: a :class:`~crossgate.service.ports.ChangeCheck`.

What depends on the settings is compiled before and after. Judged is what differs: a new listener reads its
certificate again and binds its address, so both are tried; at last Envoy validates the resources. An API
costs nothing here unless its native service changes. See docs/decisions/014-refused-before-it-is-stored.md.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.catalogue.model import Api, Catalogue, Gateway, NativeService
from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.compiler.resource import CLUSTER, Resource, ResourceKey
from crossgate.compiler.standalone import compile_settings, static_resources
from crossgate.dataplane.access_log_file import check_access_log
from crossgate.dataplane.checks import check_listen
from crossgate.dataplane.native_addresses import NativeRules, OwnAddress, Resolve, resolve_names
from crossgate.dataplane.process import Envoy
from crossgate.dataplane.validation import validate
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.net.address import Address, HostPort
from crossgate.service.objects import Difference, ObjectKind, with_objects

_GATEWAY: Final = Place(("gateway",))


@dataclass(frozen=True, slots=True)
class MachineCheck:
    """Finds what this machine could not serve. Without ``envoy``, no file and no port is looked at."""

    envoy: Envoy | None
    """The node that this process runs; others are on machines that it cannot see."""
    system_ca: str
    own: Sequence[OwnAddress] = ()
    """Where this process listens itself."""
    resolve: Resolve = resolve_names
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """One Envoy validates at a time."""

    @classmethod
    def of(
        cls, envoy: Envoy | None, system_ca: str, admin: socket.socket | None, control_plane: Address
    ) -> MachineCheck:
        """The check of a gateway whose admin API and control plane listen there."""
        own = [] if admin is None else [OwnAddress("admin API", HostPort(*admin.getsockname()[:2]))]
        if isinstance(control_plane, HostPort):
            own.append(OwnAddress("control plane", control_plane))
        return cls(envoy, system_ca, own)

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        """What is wrong with what the change from ``base`` brings."""
        settings = [one for one in difference if one.kind in (ObjectKind.GATEWAY, ObjectKind.SETTINGS)]
        after = with_objects(base, {(one.kind, one.key): one.after for one in settings})
        found = self._find_forbidden(base, after.gateway, difference)
        if self.envoy is not None and settings:
            with self._lock:
                found += self._find_unservable(self.envoy, base, after, Place((settings[0].kind.value,)))
        return found

    def rules(self, gateway: Gateway) -> NativeRules:
        """What native services must not be, behind a gateway with these settings."""
        return NativeRules.of(gateway, self.own, self.resolve)

    def _find_forbidden(self, base: Catalogue, after: Gateway, difference: Difference) -> list[Diagnostic]:
        """Native services that break a rule: errors for changed ones, warnings for those under new rules."""
        rules = self.rules(after)
        found = rules.find(_changed_natives(difference), Severity.ERROR)
        if rules != self.rules(base.gateway):
            changed = {one.key for one in difference if one.kind is ObjectKind.API}
            others = (
                (Place(("apis", key, "native")), api.native)
                for key, api in base.apis.items()
                if key not in changed
            )
            found += rules.find(others, Severity.WARNING)
        return found

    def _find_unservable(
        self, envoy: Envoy, base: Catalogue, after: Catalogue, place: Place
    ) -> list[Diagnostic]:
        old, new = base.gateway, after.gateway
        if old.native_ca == new.native_ca:
            # Every route leads to a cluster, and a cluster names the authorities. Without them, a file that
            # the change leaves alone is not judged.
            old, new = replace(old, native_ca=None), replace(new, native_ca=None)
        # None is for the host of the probe; changed ones are read below.
        old, new = replace(old, native_client_certificates=()), replace(new, native_client_certificates=())
        before = compile_settings(old, base.settings, self.system_ca)
        compiled = compile_settings(new, after.settings, self.system_ca)
        changed = {key: one for key, one in compiled.items() if before.get(key) != one}
        found = _find_on_machine(envoy, base.gateway, after.gateway, changed)
        if changed and not any(one.severity is Severity.ERROR for one in found):
            clusters = {key: one for key, one in compiled.items() if one.type_url == CLUSTER}
            static = static_resources((changed | clusters).values())
            reason = validate(envoy.settings.binary, static, envoy.settings.directory.path)
            if reason is not None:
                found.append(_refused(reason, place))
        return found


def _changed_natives(difference: Difference) -> Iterator[tuple[Place, NativeService]]:
    for one in difference:
        if isinstance(one.after, Api):
            before = one.before.native if isinstance(one.before, Api) else None
            native = one.after.native
            if before is None or (before.host, before.port) != (native.host, native.port):
                yield Place(("apis", one.key, "native")), native


def _find_on_machine(
    envoy: Envoy, before: Gateway, after: Gateway, changed: Mapping[ResourceKey, Resource]
) -> list[Diagnostic]:
    # Imported here: cryptography would delay the admin API by a tenth of its start.
    from crossgate.dataplane.gateway_files import (
        check_authorities,
        check_client_certificates,
        check_listener_certificates,
    )

    found: list[Diagnostic] = []
    if before.listen != after.listen:
        listen = after.listen
        taken = check_listen(listen.host, listen.port, _GATEWAY.at("listen"), own_envoys=_pids(envoy))
        found += [] if taken is None else [taken]
    if CLIENT_LISTENER in changed:
        found += check_listener_certificates(after, _GATEWAY)
    if CLIENT_LISTENER in changed and after.access_log is not None:
        found += check_access_log(after.access_log, _GATEWAY.at("access_log"))
    if before.native_ca != after.native_ca and after.native_ca is not None:
        found += check_authorities(after.native_ca, _GATEWAY)
    if before.native_client_certificates != after.native_client_certificates:
        found += check_client_certificates(after, _GATEWAY)
    return found


def _pids(envoy: Envoy) -> list[int]:
    return [] if envoy.pid is None else [envoy.pid]


def _refused(reason: str, place: Place) -> Diagnostic:
    return Diagnostic(
        code="envoy-refused",
        message=f"Envoy refuses what these settings compile to: {reason}",
        remedy="Correct the setting that the reason names",
        place=place,
    )
