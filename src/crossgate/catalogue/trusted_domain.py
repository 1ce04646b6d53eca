"""Domains that an API's owner trusts, names below them included."""

from __future__ import annotations

import re
from typing import Final

from crossgate.diagnostics import Diagnostic
from crossgate.policy.origin import HOST_PATTERN

_HOST: Final = re.compile(HOST_PATTERN)


def parse_trusted_domain(loose: object) -> str | Diagnostic:
    """A host as browsers write it, without a dot at its end; names below it are meant too."""
    if isinstance(loose, str) and _HOST.fullmatch(loose) and not loose.endswith("."):
        return loose
    return Diagnostic(
        code="trusted-domain-invalid",
        message="a trusted domain is a host in lower case, without scheme, port and wildcard",
        found=loose if isinstance(loose, str) else repr(loose),
        remedy="Write for example example.com; every name below it is trusted too",
    )
