"""Imports: the kind of a document, and what the linter leaves out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TypeVar

import pytest

from crossgate.catalogue.model import ApiType, Gateway
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.diagnostics import InvalidInput, Place, Severity
from crossgate.importers.found import Contents, Found, FoundApi, FoundApplication, FoundPolicy
from crossgate.importers.kind import Kind
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.lint.rules import all_rules
from crossgate.service import imports
from crossgate.service.imports import import_sources

_Value = TypeVar("_Value")


def found(value: _Value, line: int = 1) -> Found[_Value]:
    return Found(value, Place(("x",), "kong.yaml", line, 1), f"line {line}")


def contents(policy: FoundPolicy | None, **fields: object) -> Contents:
    api = FoundApi(
        "1",
        found("shop"),
        found("1.0"),
        found(ApiType.REST),
        (found("http://127.0.0.1:9101"),),
        cors=policy,
        native_cors=(found("an OPTIONS operation", 40),),
    )
    return Contents((api,), **fields)  # type: ignore[arg-type]  # of any field


def install(monkeypatch: pytest.MonkeyPatch, read: Contents) -> None:
    kind = Kind("test", "test document", "Nothing.", lambda source: b"test" in source.data, lambda _: read)
    monkeypatch.setattr(imports, "KINDS", (kind,))


SOURCE = Source("kong.yaml", b"test: 1")


def test_unsafe_entries_are_left_out_until_no_error_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = FoundPolicy(
        origins=(
            found("https://a.example.com"),
            found({"regex": r"https://.*example\.com"}, 7),
            found("https://b.example.com"),
            found("http://c.example.com", 9),
        ),
        allow_headers=(found("X-Key"), found("Cookie", 11)),
        credentials=found(True),
    )
    application = FoundApplication(found("web"), (found("http://shop.example.com"),), (found("1"),))
    install(monkeypatch, contents(policy, applications=(application,)))
    imported = import_sources([SOURCE])
    assert imported.kinds == ("test",)
    assert imported.document["apis"][0]["cors"] == {  # type: ignore[index]  # a list
        "allowed_origins": ["https://a.example.com", "https://b.example.com"],
        "allow_headers": ["X-Key"],
        "allow_credentials": True,
    }
    left_out = {one.path: one for one in imported.left_out}
    lists = ("apis", 0, "cors", "allowed_origins")
    assert left_out[*lists, 1].value == {"regex": r"https://.*example\.com"}
    assert left_out[*lists, 1].findings[0].fix
    assert left_out[*lists, 2].value == "http://c.example.com"
    assert left_out["applications", 0, "javascript_origins", 0].value == "http://shop.example.com"
    warnings = [one for one in imported.diagnostics if one.code == "left-out"]
    assert {one.place.line for one in warnings} == {1, 7, 9, 11}
    paths = {one.path: one.value for one in imported.taken}
    assert paths[*lists, 1] == "https://b.example.com"
    assert (*lists, 2) not in paths
    assert all(one.diagnostic.severity is not Severity.ERROR for one in imported.findings)


def test_what_the_native_service_does_is_a_finding_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, contents(FoundPolicy()))
    findings = {one.diagnostic.code: one.diagnostic for one in import_sources([SOURCE]).findings}
    assert findings["native-also-cors"].place.line == 40
    assert findings["empty-policy"].place.file == "kong.yaml"


def test_warnings_in_a_file_of_an_archive_name_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    def at(value: _Value, file: str) -> Found[_Value]:
        return Found(value, Place(file=f"x.zip:{file}", line=3), "")

    first, second = (
        replace(contents(policy).apis[0], id=name, name=found(name))
        for name, policy in (
            ("a", FoundPolicy((at("a.example", "1"),), (at("GET", "1"), at("PUT", "2")))),
            ("b", FoundPolicy((at("b.example", "2"),), (at("PUT", "2"),))),
        )
    )
    install(monkeypatch, Contents((first, second)))
    warnings = [
        one.message for one in import_sources([SOURCE]).diagnostics if one.severity is Severity.WARNING
    ]
    assert warnings == [
        "API a/1.0: left out of allowed_origins: the origin has no scheme",
        "left out of allowed_origins: the origin has no scheme",
    ]


def test_findings_about_options_name_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, contents(FoundPolicy()))
    options = ImportOptions(origins=("http://localhost:5173",))
    findings = import_sources([SOURCE], options=options).findings
    assert "--origin" in [str(one.diagnostic.place) for one in findings if one.path[-1] == 0]


def test_findings_about_a_policy_are_at_the_name_of_its_api(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, contents(FoundPolicy()))
    imported = import_sources([SOURCE])
    name = next(one.place for one in imported.taken if one.path == ("apis", 0, "name"))
    assert [one.diagnostic.place for one in imported.findings if one.diagnostic.code == "empty-policy"] == [
        name
    ]


def test_an_unknown_kind_says_what_the_document_looks_like(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, contents(None))
    for source, looks in {
        b"PK\3\4": "a zip archive",
        b"<?xml version='1.0'?><a:b/>": "XML with the root element a:b",
        b"a: 1\nb: 2": "a document with the keys a, b",
        b"[1]": "a document whose root is a list",
        b"{": "a file that is not valid JSON",
        b"\0\1": "binary data",
    }.items():
        with pytest.raises(InvalidInput, match="test document") as refused:
            import_sources([Source("x", source)])
        assert looks in str(refused.value)
    for source, proposal in {
        b"": "an empty document. Check how it was saved",
        b"# nothing\n": "an empty document. Check how it was saved",
        b"<!DOCTYPE html>": "an HTML page. Name the document instead of the page",
        b"<?xml version='1.0'?><!DOCTYPE lol [<!ENTITY a 'b'>]><a/>": "which is refused. Remove the DOCTYPE",
        "{}".encode("utf-16"): "text in UTF-16. Save it as UTF-8",
        b"apis: []\ngateway: {}": "a Crossgate document. Use it with crossgate run, plan or apply",
    }.items():
        with pytest.raises(InvalidInput) as refused:
            import_sources([Source("x", source)])
        assert proposal in str(refused.value)
        assert "test document" not in str(refused.value)
    with pytest.raises(InvalidInput, match="no kind of document has this name"):
        import_sources([SOURCE], "nginx")


def test_errors_refuse_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, contents(None))
    with pytest.raises(InvalidInput, match="native-unknown"):
        import_sources([SOURCE], options=ImportOptions(natives={"pets": "http://127.0.0.1"}))


def test_enabled_settings_whose_last_origin_is_unsafe_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "watt.server.cors.enabled": found("true", 3),
        "watt.server.cors.allowedOrigins": found("r:https://.*example\\.com"),
    }
    install(monkeypatch, contents(None, settings=settings))
    with pytest.raises(InvalidInput, match="settings-no-origin"):
        import_sources([SOURCE])


def test_every_error_of_the_linter_is_about_an_entry() -> None:
    seen = set()
    for rule in all_rules():
        for example in (one for one in rule.bad if not one.trusted_domains):  # imports have none
            for found in rule.findings(example.subject(allow_credentials=True)):
                if found.diagnostic.severity is Severity.ERROR:
                    seen.add(rule.code)
                    path = found.diagnostic.place.path
                    assert any(isinstance(step, int) for step in path[1:]), rule.code
    assert len(seen) > 20


def test_settings_lose_unsafe_words(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "watt.server.cors.allowedOrigins": found("https://a.example.com,r:https://.*example\\.com"),
        "watt.server.cors.supportedHeaders": found("Cookie"),
    }
    install(monkeypatch, contents(None, settings=settings))
    imported = import_sources([SOURCE])
    assert imported.document["settings"] == {
        "watt.server.cors.allowedOrigins": ["https://a.example.com"],
        "watt.server.cors.supportedHeaders": [],
    }
    assert [one.value for one in imported.left_out] == ["r:https://.*example\\.com", "Cookie"]


def test_the_gateway_object_decides_what_is_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = FoundPolicy(origins=(found("https://a.example.com"),), allow_headers=(found("my_key"),))
    install(monkeypatch, contents(policy))
    assert len(import_sources([SOURCE]).left_out) == 1
    gateway = Gateway(underscore_headers=UnderscoreHeaders.ALLOW)
    assert not import_sources([SOURCE], gateway=gateway).left_out


def test_importing_needs_no_server() -> None:
    # The extra `lint` of the package has none of these.
    program = "import sys, crossgate.service.imports, crossgate.importers.commented; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert {"grpc", "sqlalchemy", "fastapi", "pydantic"}.isdisjoint(loaded.stdout.split())
    assert "crossgate.lint.check" in loaded.stdout.split()
