"""Whether this machine can serve a change: a :class:`~crossgate.service.ports.ChangeCheck`.

What depends on the settings is compiled before and after. Judged is what differs: a new listener reads its
certificate again and binds its address, so both are tried; at last Envoy validates the resources. A change of
an API costs nothing here. See docs/decisions/014-refused-before-it-is-stored.md.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from crossgate.catalogue.model import Catalogue, Gateway
from crossgate.compiler.names import CLIENT_LISTENER
from crossgate.compiler.resource import CLUSTER, Resource, ResourceKey
from crossgate.compiler.standalone import compile_settings, static_resources
from crossgate.dataplane.checks import check_listen
from crossgate.dataplane.process import Envoy
from crossgate.dataplane.tls_files import check_authorities, check_tls
from crossgate.dataplane.validation import validate
from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.service.objects import Difference, ObjectKind, with_objects

_GATEWAY: Final = Place(("gateway",))


@dataclass(frozen=True, slots=True)
class MachineCheck:
    """Finds what this machine could not serve. Without ``envoy``, no file and no port is looked at."""

    envoy: Envoy | None
    """The node that this process runs; others are on machines that it cannot see."""
    system_ca: str
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """One Envoy validates at a time."""

    def find(self, base: Catalogue, difference: Difference, /) -> Sequence[Diagnostic]:
        """What is wrong with what the change from ``base`` brings."""
        settings = [one for one in difference if one.kind in (ObjectKind.GATEWAY, ObjectKind.SETTINGS)]
        if self.envoy is None or not settings:
            return ()
        after = with_objects(base, {(one.kind, one.key): one.after for one in settings})
        place = Place((settings[0].kind.value,))
        with self._lock:
            return self._find_unservable(self.envoy, base, after, place)

    def _find_unservable(
        self, envoy: Envoy, base: Catalogue, after: Catalogue, place: Place
    ) -> list[Diagnostic]:
        old, new = base.gateway, after.gateway
        if old.native_ca == new.native_ca:
            # Every route leads to a cluster, and a cluster names the authorities. Without them, a file that
            # the change leaves alone is not judged.
            old, new = replace(old, native_ca=None), replace(new, native_ca=None)
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


def _find_on_machine(
    envoy: Envoy, before: Gateway, after: Gateway, changed: Mapping[ResourceKey, Resource]
) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    if before.listen != after.listen:
        listen = after.listen
        taken = check_listen(listen.host, listen.port, _GATEWAY.at("listen"), own_envoy=envoy.pid)
        found += [] if taken is None else [taken]
    if CLIENT_LISTENER in changed and after.tls is not None:
        found += check_tls(after.tls, _GATEWAY.at("tls"))
    if before.native_ca != after.native_ca and after.native_ca is not None:
        found += check_authorities(after.native_ca, _GATEWAY)
    return found


def _refused(reason: str, place: Place) -> Diagnostic:
    return Diagnostic(
        code="envoy-refused",
        message=f"Envoy refuses what these settings compile to: {reason}",
        remedy="Correct the setting that the reason names",
        place=place,
    )
