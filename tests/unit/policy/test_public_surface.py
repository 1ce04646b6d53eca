"""What ``crossgate.policy`` promises to others; who changes this changes an interface."""

from __future__ import annotations

import doctest
import inspect
import sys
from dataclasses import fields
from enum import EnumMeta
from subprocess import run

import crossgate.policy as policy

NAMES = [
    "Answer",
    "AnyOrigin",
    "CorsPolicy",
    "Decision",
    "EffectivePolicy",
    "ExactOrigin",
    "Explanation",
    "Flow",
    "Forward",
    "Header",
    "Hint",
    "Mode",
    "NullOrigin",
    "Origin",
    "OriginArgument",
    "OriginPattern",
    "OriginSet",
    "PlainOptions",
    "Reason",
    "RegexOrigin",
    "Request",
    "SameOrigin",
    "ServerPolicy",
    "Step",
    "WildcardOrigin",
    "build_policy",
    "decide",
    "explain",
    "is_well_formed",
    "parse_exact_origin",
    "parse_origin_pattern",
    "read_policy",
    "read_server_policy",
]

SIGNATURES = {
    "build_policy": "(*, allowed_origins: 'ListLike[OriginArgument]' = (), "
    "allowed_methods: 'ListLike[str]' = (), allow_headers: 'ListLike[str]' = (), "
    "expose_headers: 'ListLike[str]' = (), allow_credentials: 'bool' = False, "
    "max_age: 'int | None' = None, "
    "plain_options: \"PlainOptions | Literal['refuse', 'forward']\" = <PlainOptions.REFUSE: 'refuse'>, "
    "mode: \"Mode | Literal['enforce', 'observe']\" = <Mode.ENFORCE: 'enforce'>) -> 'CorsPolicy'",
    "decide": "(policy: 'EffectivePolicy | ServerPolicy | None', request: 'Request') -> 'Decision'",
    "explain": "(policy: 'EffectivePolicy | ServerPolicy | None', request: 'Request') -> 'Explanation'",
    "is_well_formed": "(value: 'str') -> 'bool'",
    "parse_exact_origin": "(raw: 'object') -> 'ExactOrigin | Diagnostic'",
    "parse_origin_pattern": "(raw: 'object') -> 'OriginPattern | Diagnostic'",
    "read_policy": "(raw: 'Mapping[str, object]') -> 'tuple[CorsPolicy, list[Diagnostic]]'",
    "read_server_policy": "(settings: 'Mapping[str, object]', read_lines: 'ReadLines') -> "
    "'tuple[ServerPolicy | None, list[Diagnostic]]'",
}

FIELDS = {
    "CorsPolicy": "allowed_origins allowed_methods allow_headers expose_headers allow_credentials max_age "
    "plain_options mode",
    "Request": "method origin request_method request_headers host content_type path sec_fetch_site",
    "Answer": "flow reason status body headers",
    "Forward": "flow reason headers strip vary would",
    "Explanation": "decision steps hint",
    "Hint": "message remedy write nearest",
    "Step": "question answer passed",
    "Origin": "scheme host port",
    "ExactOrigin": "value",
    "WildcardOrigin": "scheme host port any_subdomain any_port",
}

VALUES = {
    "Flow": {"pass-through", "preflight", "cors-request", "no-origin", "malformed"},
    "Reason": {
        "no-policy",
        "no-origin",
        "origin-allowed",
        "preflight-allowed",
        "plain-options",
        "origin-missing",
        "origin-refused",
        "method-missing",
        "method-refused",
        "header-refused",
        "host-refused",
        "path-malformed",
        "method-forbidden",
        "host-malformed",
    },
    "Mode": {"enforce", "observe"},
    "PlainOptions": {"refuse", "forward"},
    "SameOrigin": {"detect", "listed"},
}


def test_the_names() -> None:
    assert sorted(policy.__all__) == NAMES


def test_the_signatures() -> None:
    functions = {name for name in NAMES if inspect.isfunction(getattr(policy, name))}
    assert {name: str(inspect.signature(getattr(policy, name))) for name in functions} == SIGNATURES


def test_the_fields() -> None:
    found = {name: " ".join(field.name for field in fields(getattr(policy, name))) for name in FIELDS}
    assert found == FIELDS


def test_the_values() -> None:
    enums = {name for name in NAMES if isinstance(getattr(policy, name), EnumMeta)}
    assert {name: {member.value for member in getattr(policy, name)} for name in enums} == VALUES


def test_the_example_in_the_documentation_runs() -> None:
    result = doctest.testmod(policy, raise_on_error=True)
    assert result.attempted > 0


def test_importing_it_loads_no_framework() -> None:
    script = (
        "import sys, crossgate.policy\n"
        "heavy = {'pydantic', 'grpc', 'google.protobuf', 'sqlalchemy', 'fastapi', 'ruamel', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
