"""WSDL descriptions become APIs with the methods and headers that their bindings need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.source import ROOT

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.importers.found import Contents, FoundApi
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.importers.wsdl.reader import is_wsdl, read_wsdl
from crossgate.importers.wsdl.services import find_version
from crossgate.service.imports import import_sources

CORPUS = ROOT / "tests" / "data" / "imports" / "wsdl"
EXPECTED: Mapping[str, Any] = yaml.safe_load((CORPUS / "expected.yaml").read_text(encoding="utf-8"))

NAMESPACES = (
    'xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
    'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" '
    'xmlns:http="http://schemas.xmlsoap.org/wsdl/http/" '
    'xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/" xmlns:wsp="http://www.w3.org/ns/ws-policy" '
    'xmlns:wsu="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd" '
    'xmlns:sp="http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702" '
    'xmlns:ms="http://schemas.microsoft.com/ws/06/2004/policy/http" xmlns:t="urn:t" targetNamespace="urn:t"'
)
NAMESPACES_20 = (
    'xmlns="http://www.w3.org/ns/wsdl" xmlns:wsoap="http://www.w3.org/ns/wsdl/soap" '
    'xmlns:whttp="http://www.w3.org/ns/wsdl/http" xmlns:wsdlx="http://www.w3.org/ns/wsdl-extensions" '
    'xmlns:t="urn:t" targetNamespace="urn:t"'
)
SOAP = '<soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
ADDRESS = '<soap:address location="http://native.example/soap"/>'
SERVICE = f'<service name="S"><port name="P" binding="t:B">{ADDRESS}</port></service>'


def description(*parts: str) -> str:
    return f"<definitions {NAMESPACES}>\n" + "\n".join(parts) + "\n</definitions>"


def description_20(*parts: str) -> str:
    return f"<description {NAMESPACES_20}>\n" + "\n".join(parts) + "\n</description>"


def port(name: str, binding: str, location: str, kind: str = "soap") -> str:
    return f'<port name="{name}" binding="t:{binding}"><{kind}:address location="{location}"/></port>'


def read(text: str, **others: str) -> Contents:
    """The contents of a document that may refer to others by their names."""

    def open_other(reference: str, base: str) -> Source:
        if reference not in others:
            raise InvalidInput([Diagnostic("file-unreadable", "file not found", "Check", Place(file=base))])
        return Source(reference, others[reference].encode(), open_other)

    return read_wsdl(Source("a.wsdl", text.encode(), open_other))


def refusals(text: str, **others: str) -> Sequence[Diagnostic]:
    with pytest.raises(InvalidInput) as refused:
        read(text, **others)
    return refused.value.diagnostics


def only(contents: Contents) -> FoundApi:
    (api,) = contents.apis
    assert api.cors is not None
    assert not api.cors.origins
    return api


def values(found: Sequence[Any]) -> list[object]:
    return list(dict.fromkeys(one.value for one in found))


def policy_of(api: FoundApi) -> tuple[list[object], list[object], list[object], bool]:
    """Methods, allow headers, expose headers, credentials."""
    cors = api.cors
    assert cors is not None
    credentials = cors.credentials is not None and cors.credentials.value
    return values(cors.methods), values(cors.allow_headers), values(cors.expose_headers), credentials


def codes(contents: Contents) -> list[str]:
    return [f"{one.place.line} {one.severity} {one.code}" for one in contents.diagnostics]


def corpus_opener(reference: str, base: str) -> Source:
    if "://" in reference:
        raise InvalidInput(
            [Diagnostic("reference-refused", "remote", "Fetch it", Place(file=base), reference)]
        )
    name = (Path(base).parent / reference).as_posix()
    return Source(name, (CORPUS / name).read_bytes(), corpus_opener)


@pytest.mark.parametrize("name", EXPECTED)
def test_public_descriptions_become_these_apis(name: str) -> None:
    expected = EXPECTED[name]

    imported = import_sources([Source(name, (CORPUS / name).read_bytes(), corpus_opener)])

    assert imported.kinds == ("wsdl",)
    assert imported.document == {
        "apis": [
            {
                **{key: api[key] for key in ("name", "version", "type", "native")},
                "cors": {
                    "allowed_origins": [],
                    "allowed_methods": api["methods"],
                    **({"allow_headers": api["headers"]} if api["headers"] else {}),
                },
            }
            for api in expected["apis"]
        ]
    }
    found = [f"{one.place.file}:{one.place.line} {one.severity} {one.code}" for one in imported.diagnostics]
    assert found == expected.get("diagnostics", [])
    assert all(one.place is not None and one.place.line and one.place.column for one in imported.taken)


def test_every_document_of_the_corpus_has_an_expectation() -> None:
    imported = {"stock-quote/soap_import_2.wsdl", "w3-stock-quote/stockquote.wsdl"}

    assert {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*.wsdl")} == {*EXPECTED, *imported}


def test_origins_of_the_command_line_are_allowed() -> None:
    data = (CORPUS / "calculator.wsdl").read_bytes()

    imported = import_sources([Source("a", data)], options=ImportOptions(origins=("https://app.example",)))

    assert [one.value for one in imported.taken if one.path == ("apis", 0, "cors", "allowed_origins", 0)] == [
        "https://app.example"
    ]
    assert not imported.diagnostics


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>", True),
        ("<?xml version='1.0'?><!-- c --><w:description xmlns:w='http://www.w3.org/ns/wsdl'>", True),
        ("<schema xmlns='http://www.w3.org/2001/XMLSchema'/>", False),
        ("<definitions xmlns='urn:bpmn'/>", False),
        ('{"openapi": "3.1.0"}', False),
        ("", False),
    ],
)
def test_a_description_is_recognised_by_its_root(text: str, *, expected: bool) -> None:
    assert is_wsdl(Source("a", text.encode())) is expected


def test_what_the_bindings_of_soap_need() -> None:
    bindings = f'<binding name="B">{SOAP}</binding>', '<binding name="C"><soap12:binding/></binding>'
    soap_11 = only(read(description(bindings[0], SERVICE)))
    soap_12 = only(read(description(bindings[1], SERVICE.replace("t:B", "t:C"))))

    assert policy_of(soap_11) == (["POST", "GET"], ["SOAPAction", "Content-Type"], [], False)
    assert policy_of(soap_12) == (["POST", "GET"], ["Content-Type"], [], False)
    assert soap_11.cors is not None
    assert [one.reason for one in soap_11.cors.allow_headers] == [
        "SOAP 1.1 binding B",
        "SOAP 1.1 binding B, text/xml",
    ]
    assert str(soap_11.cors.allow_headers[0].place) == "a.wsdl:2:1 $.definitions.binding"


@pytest.mark.parametrize(
    ("http", "body", "expected"),
    [
        ('<http:binding verb="GET"/>', "<http:urlEncoded/>", (["GET"], [], [], False)),
        ('<http:binding verb="POST"/>', '<mime:content type="text/plain"/>', (["POST"], [], [], False)),
        ('<http:binding verb="POST"/>', "<mime:mimeXml/>", (["POST"], ["Content-Type"], [], False)),
        ('<http:binding verb="POST"/>', "<mime:content/>", (["POST"], ["Content-Type"], [], False)),
        (
            '<http:binding verb="POST"/>',
            '<mime:content type="application/json; charset=utf-8"/>',
            (["POST"], ["Content-Type"], [], False),
        ),
    ],
)
def test_a_service_with_http_bindings_only_is_a_rest_api(
    http: str, body: str, expected: tuple[list[object], list[object], list[object], bool]
) -> None:
    operation = f'<operation name="O"><http:operation location="/o"/><input>{body}</input></operation>'
    service = f'<service name="S">{port("P", "B", "http://native.example/", "http")}</service>'

    api = only(read(description(f'<binding name="B">{http}{operation}</binding>', service)))

    assert api.type.value == "rest"
    assert policy_of(api) == expected


def test_https_and_soap_come_first_among_addresses() -> None:
    service = "".join(
        (
            port("1", "H", "http://native.example/h", "http"),
            port("2", "B", "http://native.example/s"),
            port("3", "B", "https://native.example/s"),
            port("4", "C", "https://native.example/s/12", "soap12"),
        )
    )
    bindings = (
        '<binding name="H" type="t:T"><http:binding verb="GET"/></binding>'
        f'<binding name="B" type="t:T">{SOAP}</binding>'
        '<binding name="C" type="t:T"><soap12:binding/></binding><portType name="T"/>'
    )

    contents = read(description(bindings, f'<service name="S">{service}</service>'))

    assert values(only(contents).natives) == [
        "https://native.example/s",
        "https://native.example/s/12",
        "http://native.example/s",
        "http://native.example/h",
    ]
    assert not contents.diagnostics  # ports of one port type are alternatives


def test_a_port_that_the_native_service_does_not_reach_adds_nothing() -> None:
    bindings = (
        f'<binding name="B" type="t:T">{SOAP}</binding><portType name="T"/>'
        '<binding name="H" type="t:U"><http:binding verb="PUT"/></binding><portType name="U"/>'
    )
    ports = port("1", "B", "http://a.example/s") + port("2", "H", "http://a.example/sub", "http")

    contents = read(description(bindings, f'<service name="S">{ports}</service>'))

    assert policy_of(only(contents))[0] == ["POST", "GET"]
    assert codes(contents) == ["3 warning wsdl-port-not-reached"]


def test_a_port_that_is_not_called_over_http_is_left_out() -> None:
    jms = '<binding name="J"><soap:binding transport="http://www.w3.org/2010/soapjms/"/></binding>'
    other = '<binding name="X"><mime:content/></binding>'
    soap = f'<binding name="B">{SOAP}</binding>'
    ports = port("1", "J", "jms:jndi:queue") + port("2", "B", "http://a.example/") + '<port binding="t:X"/>'

    contents = read(description(jms, other, soap, f'<service name="S">{ports}</service>'))

    assert values(only(contents).natives) == ["http://a.example/"]
    assert codes(contents) == ["5 info wsdl-port-left-out"] * 2
    (refusal,) = [
        one
        for one in refusals(description(jms, f'<service name="S">{port("1", "J", "jms:q")}</service>'))
        if one.severity == "error"
    ]
    assert (refusal.code, refusal.place.line) == ("nothing-found", 1)


@pytest.mark.parametrize(
    ("assertion", "headers", "notes"),
    [
        ("<sp:HttpBasicAuthentication/>", ["Authorization"], []),
        ("<sp:HttpDigestAuthentication/>", ["Authorization"], []),
        ("<ms:BasicAuthentication/>", ["Authorization"], []),
        ("<ms:NtlmAuthentication/>", [], ["2 warning wsdl-connection-authentication"]),
        ("<sp:RequireClientCertificate/>", [], ["2 info client-certificate"]),
        ('<sp:HttpsToken RequireClientCertificate="true"/>', [], ["2 info client-certificate"]),
        ('<sp:HttpsToken RequireClientCertificate="false"/>', [], []),
        ("<sp:UsernameToken/>", [], []),
        ("<t:HttpBasicAuthentication/>", [], []),
        (
            "<wsp:ExactlyOne><sp:HttpBasicAuthentication/><sp:RequireClientCertificate/></wsp:ExactlyOne>",
            ["Authorization"],
            ["2 info client-certificate"],
        ),
    ],
)
@pytest.mark.parametrize(
    ("binding", "in_port"),
    [
        ('<wsp:PolicyReference URI="#p"/>', ""),
        ('<wsp:Policy><wsp:PolicyReference URI="#q"/></wsp:Policy>', ""),
        ('<operation wsp:PolicyURIs="#other #p"/>', ""),
        ("", '<wsp:PolicyReference URI="#p"/>'),
    ],
)
def test_policies_that_are_attached_count(
    assertion: str, headers: list[str], notes: list[str], binding: str, in_port: str
) -> None:
    text = description(
        f'<wsp:Policy wsu:Id="p"><wsp:All><sp:TransportBinding>{assertion}</sp:TransportBinding></wsp:All>'
        '<wsp:PolicyReference URI="#q"/></wsp:Policy>',
        '<wsp:Policy wsu:Id="q"><wsp:PolicyReference URI="#p"/></wsp:Policy>',
        f'<binding name="B">{binding}{SOAP}</binding>',
        SERVICE.replace(ADDRESS, in_port + ADDRESS),
    )

    contents = read(text)

    assert policy_of(only(contents)) == (
        ["POST", "GET"],
        ["SOAPAction", "Content-Type", *headers],
        [],
        False,
    )
    assert codes(contents) == notes


def test_policies_that_are_not_attached_do_not_count() -> None:
    policy = '<wsp:Policy wsu:Id="p"><sp:HttpBasicAuthentication/></wsp:Policy>'

    api = only(read(description(policy, f'<binding name="B">{SOAP}</binding>', SERVICE)))

    assert "Authorization" not in policy_of(api)[1]


INTERFACE = '<interface name="I"><operation name="get" wsdlx:safe="true"/><operation name="put"/></interface>'


def service_20(binding: str, attributes: str = "") -> str:
    endpoint = f'<endpoint name="E" binding="t:B" address="https://native.example/e" {attributes}/>'
    return description_20(INTERFACE, binding, f'<service name="S" interface="t:I">{endpoint}</service>')


@pytest.mark.parametrize(
    ("binding", "kind", "expected"),
    [
        (
            '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/soap"/>',
            "soap",
            (["POST", "GET"], ["Content-Type"], [], False),
        ),
        (
            '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/soap" wsoap:version="1.1"/>',
            "soap",
            (["POST", "GET"], ["SOAPAction", "Content-Type"], [], False),
        ),
        (
            (
                '<binding name="B" type="http://www.w3.org/ns/wsdl/soap" '
                'wsoap:mepDefault="http://www.w3.org/2003/05/soap/mep/soap-response"/>'
            ),
            "soap",
            (["GET"], [], [], False),
        ),
        (
            (
                '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/http">'
                '<operation ref="t:get"/><operation ref="t:put"/></binding>'
            ),
            "rest",
            (["GET", "POST"], ["Content-Type"], [], False),
        ),
        (
            (
                '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/http" '
                'whttp:cookies="true"><operation ref="t:put" whttp:method="PUT"><input>'
                '<whttp:header name="X-In"/></input><output><whttp:header name="X-Out"/></output>'
                "</operation></binding>"
            ),
            "rest",
            (["PUT"], ["Content-Type", "X-In"], ["X-Out"], True),
        ),
        (
            (
                '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/http" '
                'whttp:methodDefault="POST"><operation ref="t:get" '
                'whttp:inputSerialization="application/x-www-form-urlencoded"/></binding>'
            ),
            "rest",
            (["POST"], [], [], False),
        ),
    ],
)
def test_what_bindings_of_wsdl_2_0_need(
    binding: str, kind: str, expected: tuple[list[object], list[object], list[object], bool]
) -> None:
    api = only(read(service_20(binding)))

    assert api.type.value == kind
    assert policy_of(api) == expected
    assert values(api.natives) == ["https://native.example/e"]


def test_an_endpoint_of_wsdl_2_0_may_name_an_authentication() -> None:
    binding = '<binding name="B" interface="t:I" type="http://www.w3.org/ns/wsdl/soap"/>'

    api = only(read(service_20(binding, 'whttp:authenticationScheme="basic"')))

    assert policy_of(api)[1] == ["Content-Type", "Authorization"]


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        ("http://example.com/shop/v2", "2"),
        ("http://example.com/V2/shop", "2"),
        ("http://example.com/v1.3/shop/", "1.3"),
        ("urn:example:shop:v1_2", "1.2"),
        ("urn:example:shop:1.0", "1.0"),
        ("http://example.com/2016/11/shop", "2016-11"),
        ("http://example.com/2016/11/05", "2016-11-05"),
        ("http://queue.amazonaws.com/doc/2009-02-01/", "2009-02-01"),
        ("http://example.com/v1/part/v2", "2"),
        ("http://example.com/2004/wsdl/resSvc", None),
        ("http://v2.example.com/shop", None),
        ("http://10.1.2.3/shop", None),
        ("http://tempuri.org/", None),
        ("urn:platform_2019_1.webservices.netsuite.com", None),
        ("http://example.com/vendor/2", None),
        ("", None),
    ],
)
def test_a_version_is_one_that_the_namespace_clearly_has(namespace: str, version: str | None) -> None:
    assert find_version(namespace) == version


def test_the_version_is_that_of_the_document_with_the_service() -> None:
    text = description(f'<binding name="B">{SOAP}</binding>', SERVICE).replace(
        'targetNamespace="urn:t"', 'targetNamespace="urn:t:v7"'
    )

    version = only(read(text)).version

    assert version.value == "7"
    assert version.reason == "target namespace urn:t:v7"
    assert version.place.path == ("definitions", "@targetNamespace")


def test_imports_are_followed_and_loops_end() -> None:
    main = description('<import namespace="urn:t" location="b"/>', SERVICE)
    other = description('<import location="c"/>', '<import location="schema.xsd"/>')
    third = description(
        '<import location="b"/>', '<import location="c"/>', f'<binding name="B">{SOAP}</binding>'
    )
    schema = '<schema xmlns="http://www.w3.org/2001/XMLSchema"/>'

    contents = read(main, b=other, c=third, **{"schema.xsd": "not opened"})

    assert policy_of(only(contents))[1] == ["SOAPAction", "Content-Type"]
    assert not contents.diagnostics
    assert not read(main, b=third, c=schema).diagnostics


def test_an_import_that_cannot_be_read_is_a_warning_if_there_is_a_service() -> None:
    reference = '<import namespace="urn:t" location="b.wsdl"/>'
    service = f'<binding name="B">{SOAP}</binding>', SERVICE

    missing = read(description(reference, *service))
    broken = read(description(reference, *service), **{"b.wsdl": "<definitions>"})

    assert codes(missing) == ["2 warning file-unreadable"]
    assert missing.diagnostics[0].place.path == ("definitions", "import", "@location")
    assert codes(broken) == ["1 warning xml-syntax"]
    assert broken.diagnostics[0].place.file == "b.wsdl"
    assert [f"{one.severity} {one.code}" for one in refusals(description(reference))] == [
        "error file-unreadable",
        "error nothing-found",
    ]


def test_a_hundred_imports_are_followed_and_each_once() -> None:
    service = f'<binding name="B">{SOAP}</binding>', SERVICE
    same = read(description(*service, *['<import location="b"/>'] * 5_000))
    many = read(description(*service, *(f'<import location="{at}"/>' for at in range(5_000))))

    assert codes(same) == ["4 warning file-unreadable"]
    assert codes(many) == [f"{4 + at} warning file-unreadable" for at in range(100)] + [
        "104 warning wsdl-imports"
    ]


def test_schemas_are_not_opened() -> None:
    types = (
        '<types><x:schema xmlns:x="http://www.w3.org/2001/XMLSchema">'
        '<x:import schemaLocation="a.xsd"/><x:include schemaLocation="b.xsd"/><x:import namespace="urn:n"/>'
        '<x:redefine schemaLocation="http://169.254.169.254/"/></x:schema></types>'
    )

    contents = read(description(types, f'<binding name="B">{SOAP}</binding>', SERVICE))

    (info,) = contents.diagnostics
    assert (info.code, info.severity, info.found) == ("wsdl-schemas", "info", "a.xsd")
    assert info.message.endswith(": 3")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<a/>", "wsdl-root"),
        ("<definitions>", "xml-syntax"),
        ('<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + description("&e;"), "xml-doctype"),
        (description(), "nothing-found"),
        (description('<service name="S"/>'), "nothing-found"),
        (description('<service name="S"/>' * 1_001), "wsdl-size"),
        (description(f'<service name="S">{"<port/>" * 5_001}</service>'), "wsdl-size"),
        (
            "<definitions xmlns='http://schemas.xmlsoap.org/wsdl/' "
            + " ".join(f"xmlns:n{at}='u'" for at in range(1_001))
            + "/>",
            "xml-size",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, code: str) -> None:
    assert [one.code for one in refusals(text)] == [code]


def test_many_ports_of_one_large_binding_are_read_once() -> None:
    operations = '<operation name="o"><soap:operation/></operation>' * 20_000
    policies = '<wsp:PolicyReference URI="#p"/>' * 1_000
    policy = f'<wsp:Policy wsu:Id="p">{"<sp:HttpBasicAuthentication/>" * 20_000}</wsp:Policy>'
    ports = port("P", "B", "http://a.example/s") * 1_000

    contents = read(
        description(
            policy,
            f'<binding name="B">{SOAP}{policies}{operations}</binding>',
            f'<service name="S">{ports}</service>',
        )
    )

    assert policy_of(only(contents))[1] == ["SOAPAction", "Content-Type", "Authorization"]
