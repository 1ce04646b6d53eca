"""Paths of Spring Cloud Gateway: patterns of predicates, and what filters make of a path."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crossgate.catalogue.names import parse_endpoint
from crossgate.importers.spring.binding import SpringProperty

_REWRITE: Final = re.compile(
    r"\^?(?P<prefix>/[A-Za-z0-9._~/-]*?)/?\??\(\?<(?P<name>[A-Za-z][A-Za-z0-9]*)>(?:/\?)?\.\*\)\$?"
)
"""Everything below a literal prefix: `/api/(?<rest>.*)`, `/api/?(?<rest>.*)`, `/api(?<rest>/?.*)`."""


def named(definition: SpringProperty) -> tuple[str, list[str]]:
    """The name and the arguments of a predicate or filter: ``Path=/a/**,/b/**``, or a mapping."""
    if definition.children:
        args = definition.get("args")
        values: list[str] = []
        stack = [] if args is None else [args]
        while stack:
            one = stack.pop()
            stack += reversed(one.children.values())
            if one.value is not None and not one.children:
                values.append(str(one.value))
        return definition.text("name") or "", values
    name, _, shortcut = str(definition.value or "").partition("=")
    return name.strip(), [part.strip() for part in shortcut.split(",") if part.strip()]


def definitions(route: SpringProperty, name: str) -> list[SpringProperty]:
    """The predicates or filters of a route."""
    listed = route.get(name)
    return [] if listed is None else list(listed.entries())


def path_patterns(route: SpringProperty) -> list[tuple[str, SpringProperty]]:
    """The patterns of its ``Path`` predicates, each with the predicate."""
    return [
        (pattern, definition)
        for definition in definitions(route, "predicates")
        for name, args in [named(definition)]
        if name == "Path"
        for pattern in args
        if pattern.startswith("/")
    ]


def literal_prefix(pattern: str) -> str:
    """The segments of a pattern before the first one with a wildcard or a variable; no slash at the end."""
    kept: list[str] = []
    for segment in pattern.split("/"):
        if re.search(r"[*?{}]", segment):
            break
        kept.append(segment)
    return "/".join(kept).rstrip("/")


def covers_below(pattern: str) -> bool:
    """Whether a pattern has every path below its prefix, as ``/api/**``."""
    return pattern in ("/**", "**") or pattern == f"{literal_prefix(pattern)}/**"


def endpoint(pattern: str) -> str | None:
    """The endpoint for a pattern; None if there is none."""
    prefix = literal_prefix(pattern)
    return prefix if isinstance(parse_endpoint(prefix), str) else None


def base_path(prefix: str, filters: Iterable[SpringProperty]) -> str | SpringProperty:
    """The path of the native service to which a prefix leads, or the filter that hides it."""
    path = prefix
    for definition in filters:
        name, args = named(definition)
        match name:
            case "StripPrefix":
                segments = path.split("/")[1:]
                count = (
                    int(args[0])
                    if args and args[0].isascii() and args[0].isdigit() and len(args[0]) < 5
                    else 1
                )
                if definition.unresolved or count > len(segments):
                    return definition
                path = "".join(f"/{segment}" for segment in segments[count:])
            case "PrefixPath" if args and not re.search(r"[*?{}$]", args[0]):
                path = f"{args[0].rstrip('/')}{path}"
            case "RewritePath" if len(args) == 2:
                rewritten = _rewrite(path, *args)
                if rewritten is None:
                    return definition
                path = rewritten
            case "PrefixPath" | "RewritePath" | "SetPath" | "RewriteRequestParameter":
                return definition
            case _:
                pass
    return path.rstrip("/")


def _rewrite(path: str, pattern: str, replacement: str) -> str | None:
    found = _REWRITE.fullmatch(pattern)
    if found is None:
        return None
    prefix = found["prefix"].rstrip("/")
    target = replacement.replace("$\\{", "${")
    variable = f"${{{found['name']}}}"
    literal = target.removesuffix(variable)
    if literal == target or "$" in literal or not re.fullmatch(r"[A-Za-z0-9._~/-]*", literal):
        return None
    if path != prefix and not path.startswith(f"{prefix}/"):
        return None
    return f"{literal.rstrip('/')}{path[len(prefix) :]}"
