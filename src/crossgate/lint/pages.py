"""Generates the reference pages of the rules from the rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.catalogue.yaml.writer import write_yaml
from crossgate.diagnostics import Severity
from crossgate.lint.rule import Example, Rule
from crossgate.lint.rules import all_rules
from crossgate.lint.subject import SubjectKind
from crossgate.lint.suppressions import UNBOUND, UNKNOWN, UNUSED, Note

_GENERATED: Final = "<!-- Generated from the rule by `make reference`. -->"
_FOLDER: Final = "src/crossgate/lint/rules"


def rule_pages() -> dict[str, str]:
    """Every page of ``docs/rules``, by its file's name."""
    pages = {f"{rule.code}.md": "\n".join(_page(rule)) + "\n" for rule in all_rules()}
    pages |= {f"{note.code}.md": "\n".join(_note_page(note)) + "\n" for note in (UNBOUND, UNKNOWN, UNUSED)}
    pages["index.md"] = "\n".join(_index()) + "\n"
    return pages


_INTRODUCTION: Final = """\
# Lint rules

<!-- Generated from the rules by `make reference`. -->

Every list of origins is linted with the same rules. Some findings are worse if requests from these origins
carry credentials:

| origins | with credentials |
|---|---|
| `cors.allowed_origins` of an API | if the policy has `allow_credentials` |
| `javascript_origins` of an application | if the policy of one of its APIs has `allow_credentials` |
| `watt.server.cors.allowedOrigins`, `file:` included | if `watt.server.cors.supportsCredentials` |
| `public_origins` of the gateway | always: no policy judges their requests |

A policy in observe mode, a suspended application and disabled settings are linted too.

`crossgate check FILE` prints the findings of a document with their places. `crossgate prove PATTERN` prints
the proof behind findings about origins. `crossgate run FILE` prints findings at its start and after edits,
and serves the document in any case. The admin API refuses a write that adds an error, and returns all other
findings of the changed objects with its response; `crossgate plan` shows beforehand which errors would be
refused. A rollback is never refused.

To accept a finding: [Accept a lint finding](../how-to/accept-findings.md).
"""


def _index() -> Iterator[str]:
    yield _INTRODUCTION
    yield "| code | severity | with credentials | |"
    yield "|---|---|---|---|"
    rows: list[Rule | Note] = [*all_rules(), UNBOUND, UNKNOWN, UNUSED]
    for rule in sorted(rows, key=lambda row: row.code):
        worse = rule.with_credentials if isinstance(rule, Rule) else None
        yield f"| [{rule.code}]({rule.code}.md) | {rule.severity.value} | {_value(worse)} | {rule.title} |"


def _value(severity: Severity | None) -> str:
    return severity.value if severity is not None else ""


def _note_page(note: Note) -> Iterator[str]:
    yield from (f"# {note.code}", "", _GENERATED, "", f"{note.title}. Severity: {note.severity.value}.", "")
    yield from ("## Why", "", note.rationale, "", "## What to do", "", f"{note.remedy}.")


def _page(rule: Rule) -> Iterator[str]:
    worse = f", {rule.with_credentials.value} with credentials" if rule.with_credentials else ""
    yield from (f"# {rule.code}", "", _GENERATED, "")
    yield from (f"{rule.title}. Severity: {rule.severity.value}{worse}.", "")
    yield from ("## Why", "", rule.rationale, "", "## What to do", "", f"{rule.remedy}.", "")
    if rule.bad:
        yield from ("## Findings", "")
        for example in rule.bad:
            yield from _example(example)
            for message in _messages(rule, example):
                yield f"> {message}"
                yield ""
    yield from ("## No findings", "")
    for example in rule.good:
        yield from _example(example)
    yield f"The rule: `{_FOLDER}/{rule.code.replace('-', '_')}.py`"


def _example(example: Example) -> Iterator[str]:
    if example.about:
        yield from (example.about, "")
    shown: dict[str, object] = {}
    if example.policy:
        shown["cors"] = dict(example.policy)
    elif example.kind is SubjectKind.API:
        shown["cors"] = {}
    if example.trusted_domains:
        shown["trusted_domains"] = list(example.trusted_domains)
    if example.trusted_proxies:
        shown["gateway"] = {"trusted_proxies": list(example.trusted_proxies)}
    if example.application is not None:
        shown["javascript_origins"] = list(example.application.javascript_origins)
        shown["apis"] = list(example.application.apis)
    yield "```yaml"
    yield from write_yaml(shown).splitlines()
    yield "```"
    yield ""
    if example.application_origins:
        yield f"with an application that has the origin {', '.join(example.application_origins)}"
        yield ""
    if example.underscore_headers is UnderscoreHeaders.ALLOW:
        yield "with `gateway.underscore_headers: allow`"
        yield ""
    if example.native_cors:
        yield "with a native service that answers preflights itself"
        yield ""


def _messages(rule: Rule, example: Example) -> Iterator[str]:
    for found in rule.findings(example.subject()):
        diagnostic = found.diagnostic
        yield f"{diagnostic.severity.value}: {diagnostic.message}. {diagnostic.remedy}."
