"""A ``CorsConfiguration`` of Spring as a policy.

Its behaviour is known from the source of Spring Framework 5.3 to 6: `CorsConfiguration`,
`DefaultCorsProcessor` and `AbstractHandlerMapping` of spring-web and spring-webflux.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from crossgate.diagnostics import Diagnostic, Severity
from crossgate.importers.found import Found, FoundOrigin, FoundPolicy
from crossgate.importers.methods import unneeded
from crossgate.importers.spring.binding import SpringProperty
from crossgate.policy.names import ANY

_DEFAULT_METHODS: Final = ("GET", "HEAD")
_PORTS: Final = re.compile(r"(?P<rest>.*):\[(?P<ports>\*|[0-9]+(?:,[0-9]+)*)\]")
"""``PORTS_PATTERN`` of `CorsConfiguration.OriginPattern`."""
_WILDCARD: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://\*\.(?P<host>[A-Za-z0-9.-]+)(?P<port>:[0-9]+)?"
)
_COMMA_OUTSIDE_BRACKETS: Final = re.compile(r",(?![^\[]*\])")
_DURATION: Final = re.compile(r"(?P<number>[0-9]+)(?P<unit>s|m|h|d)?")
_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_CAMEL_CASE: Final = (
    "allowedOrigins",
    "allowedOriginPatterns",
    "allowedMethods",
    "allowedHeaders",
    "exposedHeaders",
    "allowCredentials",
    "maxAge",
)
_KNOWN: Final = frozenset(name.lower() for name in _CAMEL_CASE)


def read_cors(
    configuration: SpringProperty, diagnostics: list[Diagnostic], *, metadata: bool = False
) -> FoundPolicy:
    """The policy of a configuration; what cannot be taken over is added to the diagnostics.

    Of a route's ``metadata``, Spring takes the names of properties and strings as they are written.
    """
    reader = _Reader(configuration, diagnostics, metadata=metadata)
    reader.report_unknown()
    return FoundPolicy(
        origins=(*reader.origins(), *reader.origin_patterns()),
        methods=tuple(reader.methods()),
        allow_headers=tuple(reader.allow_headers()),
        expose_headers=tuple(reader.strings("exposedHeaders")),
        credentials=reader.credentials(),
        max_age=reader.max_age(),
    )


class _Reader:
    def __init__(
        self, configuration: SpringProperty, diagnostics: list[Diagnostic], *, metadata: bool
    ) -> None:
        self._configuration = configuration
        self._diagnostics = diagnostics
        self._metadata = metadata

    def _get(self, name: str) -> SpringProperty | None:
        found = self._configuration.get(name)
        return found if found is None or not self._metadata or found.name == name else None

    def report_unknown(self) -> None:
        """Report properties that are not taken over."""
        for name, child in self._configuration.children.items():
            if name not in _KNOWN:
                message = f"{child.name} has no counterpart and is left out"
            elif self._metadata and child.name not in _CAMEL_CASE:
                message = f"Spring does not know {child.name} in the metadata of a route; left out"
            else:
                continue
            self._diagnostics.append(
                child.diagnose("property-ignored", message, f"Use one of {', '.join(_CAMEL_CASE)}")
            )

    def strings(self, name: str) -> Iterator[Found[str]]:
        """The strings of a list, or of a string with commas."""
        bound = self._get(name)
        if bound is None:
            return
        children = list(bound.entries())
        for child in children or [bound]:
            if child.unresolved:
                self._diagnostics.append(
                    child.diagnose(
                        "placeholder-unresolved",
                        f"the value of {name} is known to the running program only; left out",
                        "Write the value into the document, or add it to the imported policy",
                    )
                )
                continue
            if child.value is None or child.children:
                continue
            # Of a string, Spring makes a list, except in metadata.
            whole = children or self._metadata
            parts = [str(child.value)] if whole else _COMMA_OUTSIDE_BRACKETS.split(str(child.value))
            reason = f"{name}{', the default of a placeholder' if child.from_default else ''}"
            for part in parts:
                if part.strip():
                    yield Found(part.strip(), child.place, reason)

    def origins(self) -> Iterator[Found[FoundOrigin]]:
        """Exact origins: compared without case, after a slash at their end was removed."""
        credentials = self._get("allowCredentials")
        unclear = credentials is not None and str(credentials.value).lower() not in ("true", "false")
        for found in self.strings("allowedOrigins"):
            if unclear and found.value == ANY:
                self._diagnostics.append(
                    Diagnostic(
                        "star-with-credentials",
                        "left out: Spring answers 500 to * if allowCredentials is true, which is not known",
                        "List the origins",
                        found.place,
                        found.value,
                        Severity.WARNING,
                    )
                )
                continue
            spelled = found.value.removesuffix("/").lower()
            reason = (
                found.reason
                if spelled == found.value
                else f"{found.reason}, {found.value} as Spring compares it"
            )
            yield Found(spelled, found.place, reason)

    def origin_patterns(self) -> Iterator[Found[FoundOrigin]]:
        """Patterns: ``*`` stands for any characters; ports can be listed in brackets."""
        for found in self.strings("allowedOriginPatterns"):
            for value in origin_pattern(found.value.removesuffix("/")):
                yield Found(value, found.place, f"{found.reason}: {found.value}")

    def methods(self) -> Iterator[Found[str]]:
        """Methods; without any, GET and HEAD."""
        listed = list(self.strings("allowedMethods"))
        if not listed:
            for method in _DEFAULT_METHODS:
                yield Found(method, self._configuration.place, "Spring's default for allowedMethods")
            return
        for found in listed:
            needless = unneeded(found.value, found.place)
            if needless is None:
                yield found
            else:
                self._diagnostics.append(needless)

    def allow_headers(self) -> Iterator[Found[str]]:
        """Header names; Spring's ``*`` covers Authorization, too."""
        for found in self.strings("allowedHeaders"):
            yield found
            if found.value == ANY:
                yield Found("Authorization", found.place, f"{found.reason}: * covers it in Spring")

    def credentials(self) -> Found[bool] | None:
        """Whether credentials are allowed."""
        bound = self._get("allowCredentials")
        if bound is None or bound.value is None:
            return None
        text = str(bound.value).lower()
        if bound.unresolved or text not in ("true", "false"):
            self._diagnostics.append(
                bound.diagnose("wrong-type", "expected true or false; left out", "Write true or false")
            )
            return None
        return Found(text == "true", bound.place, "allowCredentials")

    def max_age(self) -> Found[int] | None:
        """Seconds, or a duration such as ``30m``; Spring sends none by default."""
        bound = self._get("maxAge")
        if bound is None or bound.value is None:
            return None
        found = _DURATION.fullmatch(str(bound.value).strip().lower())
        if bound.unresolved or found is None or len(found["number"]) > 15:
            self._diagnostics.append(
                bound.diagnose(
                    "wrong-type", "expected a number of seconds; left out", "Write a number of seconds"
                )
            )
            return None
        return Found(int(found["number"]) * _SECONDS[found["unit"] or ""], bound.place, "maxAge")


def origin_pattern(pattern: str) -> list[FoundOrigin]:
    """The entries that admit what a pattern of Spring admits, of the origins that browsers send."""
    if pattern == ANY:
        return [ANY]
    listed = _PORTS.fullmatch(pattern)
    rest, ports = (listed["rest"], listed["ports"]) if listed else (pattern, None)
    if ANY not in rest and ports is None:
        return [rest]
    wildcard = _WILDCARD.fullmatch(rest)
    exact = re.fullmatch(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.-]+", rest)
    if (wildcard and not wildcard["port"] and rest == rest.lower()) or exact:
        if ports == ANY:
            return [f"{rest}:*"]
        if ports is not None:
            return [f"{rest}:{port}" for port in ports.split(",")]
        return [rest]
    quoted = ".*".join(re.escape(part) for part in rest.split(ANY))
    if ports == ANY:
        quoted += "(?::[0-9]+)?"
    elif ports is not None:
        quoted += f":(?:{ports.replace(',', '|')})"
    return [{"regex": quoted}]
