"""The base URLs of the service that a description names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from crossgate.diagnostics import Diagnostic, Place, Severity
from crossgate.importers.found import Found
from crossgate.importers.openapi.operations import Operation, SpecificationVersion
from crossgate.importers.openapi.references import Identity, Located, References

_VARIABLE: Final = re.compile(r"\{([^{}]*)\}")
_MAX_URL: Final = 2000
"""Characters of a URL with the values of its variables, which repeat."""
_SCHEMES: Final = ("https", "http")
"""Of native services, the better one first."""


@dataclass(slots=True)
class _Others:
    """A list of servers, or the URL of one, that operations have."""

    servers: Located
    """The list."""
    label: str
    """The first operation."""
    count: int = 0


class Servers:
    """Finds the base URLs of the whole API, and those of parts of it."""

    def __init__(self, references: References, root: Located, version: SpecificationVersion) -> None:
        self._references = references
        self._root = root
        self._version = version
        self._lists: dict[Identity, _Others] = {}
        """By the list of servers: several operations may refer to one."""

    def add(self, operation: Operation) -> None:
        """Note the servers of the operation, else of its path item."""
        if self._version is SpecificationVersion.SWAGGER_2:
            return
        own = self._references.own(operation.value, "servers")
        servers = self._references.own(operation.item, "servers") if own is None else own
        if servers is not None:
            use = self._lists.setdefault(servers.identity, _Others(servers, operation.label))
            use.count += 1

    def natives(self) -> tuple[Found[str], ...]:
        """The base URLs in the order of preference."""
        if self._version is SpecificationVersion.SWAGGER_2:
            return tuple(self._swagger_2())
        own = tuple(self._urls(self._references.child(self._root, "servers")))
        others = self._others()
        if not own and others:
            own = tuple(
                Found(url, one.servers.place(), f"server of {one.label}") for url, one in others.items()
            )
        if not own and not self._has_servers():
            own = self._default()
        if own:
            self._report_others(own[0].value, others)
        return own

    def _has_servers(self) -> bool:
        return any(True for _ in self._references.items(self._root, "servers"))

    def _default(self) -> tuple[Found[str], ...]:
        """Without servers, ``/`` is one: https://spec.openapis.org/oas/v3.1.1.html#openapi-object."""
        base = self._base()
        if base is not None:
            return (Found(urljoin(base, "/"), self._root.place(), "origin of the description's own URL"),)
        self._references.report(
            Diagnostic(
                "openapi-server",
                "the description names no server, and does not come from a URL",
                "Nothing to do if --native is given; else give the base URL with it",
                self._root.place(),
                severity=Severity.INFO,
            )
        )
        return ()

    def _others(self) -> dict[str, _Others]:
        """The base URLs of path items and operations."""
        found: dict[str, _Others] = {}
        for one in self._lists.values():
            for url in self._urls(one.servers):
                found.setdefault(url.value, _Others(one.servers, one.label)).count += one.count
        return found

    def _report_others(self, chosen: str, others: dict[str, _Others]) -> None:
        for url, use in others.items():
            if url != chosen:
                self._references.report(
                    Diagnostic(
                        "openapi-other-server",
                        f"{_operations(use.count)} at another server: the API has one native service",
                        "Make a second API of these operations if they are needed",
                        use.servers.place(),
                        found=f"{url} for {use.label}",
                        severity=Severity.INFO,
                    )
                )

    def _urls(self, servers: Located | None) -> Iterator[Found[str]]:
        for server in self._references.items(servers):
            url = self._references.string(server, "url")
            if url is None or not isinstance(url.value, str):
                continue
            text = self._substitute(url.value, server, url)
            resolved = None if text is None else self._resolve(text, url.place())
            if resolved is not None:
                yield Found(resolved, url.place(), f"server {url.value}")

    def _substitute(self, text: str, server: Located, url: Located) -> str | None:
        """The URL with the defaults of its variables; None, and reported, if one has none."""
        parts: list[str] = []
        end = length = 0
        for match in _VARIABLE.finditer(text):
            name = match[1]
            variable = self._references.child(server, "variables", name)
            default = self._references.child(variable, "default")
            if default is None or isinstance(default.value, dict | list | bool):
                self._references.report(
                    Diagnostic(
                        "openapi-server-variable",
                        "a variable of the server's URL has no default value",
                        "Give the URL with --native",
                        url.place(),
                        found=f"{{{name}}}",
                        severity=Severity.WARNING,
                    )
                )
                return None
            self._references.report(
                Diagnostic(
                    "openapi-server-variable",
                    "the default value of the variable in the server's URL is used",
                    "Give another URL with --native",
                    default.place(),
                    found=f"{name}: {default.value}",
                    severity=Severity.INFO,
                )
            )
            parts += text[end : match.start()], str(default.value)
            end = match.end()
            length += len(parts[-2]) + len(parts[-1])
            if length > _MAX_URL:
                self._references.report(
                    Diagnostic(
                        "openapi-server-variable",
                        f"the server's URL has more than {_MAX_URL} characters",
                        "Give the URL with --native",
                        url.place(),
                        severity=Severity.WARNING,
                    )
                )
                return None
        return "".join((*parts, text[end:]))

    def _resolve(self, url: str, place: Place) -> str | None:
        """The absolute URL; None, and reported, if it is not one of HTTP."""
        base = self._base()
        try:
            absolute = urljoin(base, url) if base else url
            scheme = urlsplit(absolute).scheme
        except ValueError:
            absolute, scheme = url, "http"  # invalid: the message about native services says why
        if scheme in _SCHEMES:
            return absolute
        if scheme:
            message, remedy = "no native service can have this scheme", "Give another URL with --native"
        else:
            message = "the server's URL is relative, and the description does not come from a URL"
            remedy = "Give the base URL with --native"
        self._references.report(
            Diagnostic("openapi-server", message, remedy, place, found=url, severity=Severity.INFO)
        )
        return None

    def _base(self) -> str | None:
        """The URL of the description: its own statement (OpenAPI 3.2, ``$self``), else where it is from."""
        name = self._root.source.name
        own = self._root.tree.get("$self")
        candidates = [own if isinstance(own, str) else None, name]
        return next((url for url in candidates if url and _is_http(url)), None)

    def _swagger_2(self) -> Iterator[Found[str]]:
        """``schemes``, ``host`` and ``basePath``: https://spec.openapis.org/oas/v2.0.html#swagger-object."""
        base = self._base()
        host = self._references.string(self._root, "host")
        path = self._references.string(self._root, "basePath")
        origin = urlsplit(base) if base else None
        authority = host.value if host is not None else origin.netloc if origin else None
        place = host.place() if host is not None else self._root.place()
        if not isinstance(authority, str) or not authority:
            self._references.report(
                Diagnostic(
                    "openapi-server",
                    "the description names no host, and does not come from a URL",
                    "Nothing to do if --native is given; else give the base URL with it",
                    place,
                    severity=Severity.INFO,
                )
            )
            return
        schemes = [
            item.value
            for item in self._references.items(self._root, "schemes")
            if isinstance(item.value, str)
        ]
        if not schemes:
            schemes = [origin.scheme if origin else "https"]
            self._references.report(
                Diagnostic(
                    "openapi-server",
                    "the description names no scheme",
                    "Give another base URL with --native if this one is wrong",
                    place,
                    found=f"{schemes[0]}://{authority}",
                    severity=Severity.INFO,
                )
            )
        base_path = str(path.value) if path is not None else ""
        slash = "" if not base_path or base_path.startswith("/") else "/"
        for scheme in _SCHEMES:
            if scheme in schemes:
                yield Found(f"{scheme}://{authority}{slash}{base_path}", place, "host and basePath")
        for scheme in schemes:
            if scheme not in _SCHEMES:
                self._references.report(
                    Diagnostic(
                        "openapi-server",
                        "no native service can have this scheme",
                        "Give another URL with --native",
                        place,
                        found=f"{scheme}://{authority}",
                        severity=Severity.INFO,
                    )
                )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _SCHEMES and bool(parts.netloc)


def _operations(count: int) -> str:
    return "an operation is" if count == 1 else f"{count} operations are"
