"""The options of health checks, read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crossgate.app.health import HealthOptions
from crossgate.diagnostics import Diagnostic, InvalidInput
from crossgate.net.address import parse_health_address

_OFF: Final = "off"


def health_options(address: str, default: str, host_names: Sequence[str] | None) -> HealthOptions | None:
    """Where health checks are answered; None for ``off``. Only an address that was given is required.

    Raises:
        InvalidInput: the address is malformed.

    """
    if address == _OFF:
        return None
    parsed = parse_health_address(address or default)
    if isinstance(parsed, Diagnostic):
        raise InvalidInput([parsed])
    return HealthOptions(parsed, tuple(host_names or ()), required=bool(address))
