"""Metadata of OData services becomes an API with the methods and headers that the service has to do with."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from crossgate.catalogue.model import ApiType
from crossgate.diagnostics import InvalidInput, Severity
from crossgate.importers.found import Contents, Found, FoundApi
from crossgate.importers.odata.reader import read_odata, recognises_odata
from crossgate.importers.result import ImportOptions
from crossgate.importers.source import Source
from crossgate.service.imports import import_sources

DATA = Path(__file__).parents[2] / "data" / "imports" / "odata"
EXPECTED: Mapping[str, Mapping[str, list[str]]] = json.loads((DATA / "expected.json").read_text())
DOCUMENTS = sorted(EXPECTED)
OASIS = (
    'xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" xmlns="http://docs.oasis-open.org/odata/ns/edm"'
)
OLD = (
    'xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx" '
    'xmlns="http://schemas.microsoft.com/ado/2008/09/edm" '
    'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"'
)
SAP = 'xmlns:sap="http://www.sap.com/Protocols/SAPData"'
CAPABILITIES = "Org.OData.Capabilities.V1"


def source(text: str, name: str = "metadata.xml") -> Source:
    return Source(name, text.encode())


def read(text: str, name: str = "metadata.xml") -> FoundApi:
    (api,) = read_odata(source(text, name)).apis
    return api


def v4(
    container: str = '<EntitySet Name="Rows" EntityType="S.Row"/>',
    schema: str = "",
    *,
    version: str = "4.0",
    namespace: str = "S",
    name: str = "Container",
) -> str:
    return (
        f'<edmx:Edmx Version="{version}" {OASIS}><edmx:DataServices><Schema Namespace="{namespace}">{schema}'
        f'<EntityContainer Name="{name}">{container}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def v2(
    container: str = '<EntitySet Name="Rows" EntityType="S.Row"/>', schema: str = "", versions: str = ""
) -> str:
    return (
        f'<edmx:Edmx Version="1.0" {OLD}><edmx:DataServices {versions}><Schema Namespace="S">{schema}'
        f'<EntityContainer Name="Container">{container}</EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )


def restricted(*restrictions: tuple[str, str, str]) -> str:
    """Annotations with one property each: term, property, attribute with the value."""
    return "".join(
        f'<Annotation Term="{CAPABILITIES}.{term}"><Record>'
        f'<PropertyValue Property="{name}" {value}/></Record></Annotation>'
        for term, name, value in restrictions
    )


def values(found: Iterable[Found[str]]) -> list[str]:
    return list(dict.fromkeys(one.value for one in found))


def methods(text: str) -> list[str]:
    policy = read(text).cors
    assert policy is not None
    return values(policy.methods)


def allowed(text: str) -> list[str]:
    policy = read(text).cors
    assert policy is not None
    return values(policy.allow_headers)


def exposed(text: str) -> list[str]:
    policy = read(text).cors
    assert policy is not None
    return values(policy.expose_headers)


def codes(text: str) -> list[str]:
    return [one.code for one in read_odata(source(text)).diagnostics]


# Documents of real services


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_of_a_service(name: str) -> None:
    document = Source(name, (DATA / name).read_bytes())
    assert recognises_odata(document)
    contents = read_odata(document)
    (api,) = contents.apis
    assert api.type.value is ApiType.ODATA
    assert api.version.value == "1"
    policy = api.cors
    assert policy is not None
    assert policy.origins == ()
    assert policy.credentials is None
    assert {
        "name": api.name.value,
        "natives": values(api.natives),
        "methods": values(policy.methods),
        "allow_headers": values(policy.allow_headers),
        "expose_headers": values(policy.expose_headers),
        "diagnostics": [one.code for one in contents.diagnostics],
    } == EXPECTED[name]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_value_of_a_document_has_its_line(name: str) -> None:
    (api,) = read_odata(Source(name, (DATA / name).read_bytes())).apis
    policy = api.cors
    assert policy is not None
    for found in (api.name, api.type, *policy.methods, *policy.allow_headers, *policy.expose_headers):
        assert (found.place.file, found.place.line is None) == (name, False)
        assert found.reason


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_suggested_policy_has_no_warning_once_it_has_an_origin(name: str) -> None:
    options = ImportOptions(
        natives={"": "https://odata.example/service"}, origins=("https://shop.example.com",)
    )
    imported = import_sources([Source(name, (DATA / name).read_bytes())], options=options)
    serious = [one.diagnostic for one in imported.findings if one.diagnostic.severity is not Severity.INFO]
    assert serious == []
    assert all(one.severity is Severity.INFO for one in imported.diagnostics)


# Names and roots


@pytest.mark.parametrize(
    ("namespace", "container", "name", "version"),
    [
        ("ODataWeb.Northwind.Model", "NorthwindEntities", "Northwind", "1"),
        ("com.sap.gateway.srvd_a2x.sap_order.v0001", "Container", "sap_order", "0001"),
        ("Contoso.Orders.V2_1", "Container", "Orders", "2.1"),
        ("Default", "Shop", "Shop", "1"),
        ("Default", "Container", "Types", "1"),
        ("", "", "Types", "1"),
    ],
)
def test_the_name_is_the_last_telling_part_of_the_namespace(
    namespace: str, container: str, name: str, version: str
) -> None:
    text = v4(namespace=namespace, name=container).replace(
        "<edmx:DataServices>", '<edmx:DataServices><Schema Namespace="Contoso.Types.Models"/>'
    )
    api = read(text)
    assert (api.name.value, api.version.value) == (name, version)


def test_without_any_telling_name_it_is_the_container() -> None:
    assert read(v4(namespace="Default", name="Container")).name.value == "Container"


@pytest.mark.parametrize(
    "url",
    [
        "https://odata.example/V4/Shop.svc/$metadata",
        "https://odata.example/V4/Shop.svc/%24metadata?sap-client=100",
        "https://odata.example/V4/Shop.svc/$Metadata#all",
    ],
)
def test_the_url_of_the_metadata_names_the_service_root(url: str) -> None:
    (native,) = read(v4(), url).natives
    assert native.value == "https://odata.example/V4/Shop.svc"


@pytest.mark.parametrize(
    "name", ["metadata.xml", "https://odata.example/files/shop.xml", "$metadata", "https://[/$metadata"]
)
def test_no_other_name_is_a_service_root(name: str) -> None:
    assert read(v4(), name).natives == ()


def test_a_service_root_that_the_document_mentions_counts() -> None:
    based = v4().replace("<edmx:Edmx ", '<edmx:Edmx xml:base="https://odata.example/Shop.svc/" ', 1)
    assert values(read(based).natives) == ["https://odata.example/Shop.svc/"]
    linked = v2().replace(
        "</Schema>",
        '<link xmlns="http://www.w3.org/2005/Atom" rel="self" href="https://sap.example/o/S/$metadata"/>'
        '<link xmlns="http://www.w3.org/2005/Atom" rel="latest-version" href="https://sap.example/o/T/$metadata"/>'
        "</Schema>",
    )
    assert values(read(linked).natives) == ["https://sap.example/o/S"]


# Methods


def test_without_annotations_the_version_decides() -> None:
    assert methods(v2()) == ["GET", "POST", "PUT", "MERGE", "DELETE"]
    assert methods(v2(versions='m:DataServiceVersion="1.0" m:MaxDataServiceVersion="3.0"')) == [
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "MERGE",
        "DELETE",
    ]
    assert methods(v2().replace("2008/09/edm", "2009/11/edm"))[3:5] == ["PATCH", "MERGE"]
    assert methods(v4()) == ["GET", "POST", "PUT", "PATCH", "DELETE"]


def test_a_singleton_is_read_and_updated() -> None:
    assert methods(v4('<Singleton Name="Me" Type="S.Row"/>')) == ["GET", "PUT", "PATCH"]
    deletable = restricted(("DeleteRestrictions", "Deletable", 'Bool="true"'))
    assert methods(v4(f'<Singleton Name="Me" Type="S.Row">{deletable}</Singleton>'))[-1] == "DELETE"


@pytest.mark.parametrize(
    ("restriction", "left"),
    [
        (("InsertRestrictions", "Insertable", 'Bool="false"'), ["GET", "PUT", "PATCH", "DELETE"]),
        (("InsertRestrictions", "Insertable", 'Bool="true"'), ["GET", "POST", "PUT", "PATCH", "DELETE"]),
        (("InsertRestrictions", "Insertable", 'Path="IsOpen"'), ["GET", "POST", "PUT", "PATCH", "DELETE"]),
        (("UpdateRestrictions", "Updatable", 'Bool="false"'), ["GET", "POST", "DELETE"]),
        (("DeleteRestrictions", "Deletable", 'Bool="false"'), ["GET", "POST", "PUT", "PATCH"]),
        (("ReadRestrictions", "Readable", 'Bool="false"'), ["GET", "POST", "PUT", "PATCH", "DELETE"]),
        (
            ("UpdateRestrictions", "UpdateMethod", f'EnumMember="{CAPABILITIES}.HttpMethod/PATCH"'),
            ["GET", "POST", "PATCH", "DELETE"],
        ),
        (
            (
                "UpdateRestrictions",
                "UpdateMethod",
                f'EnumMember="{CAPABILITIES}.HttpMethod/PUT {CAPABILITIES}.HttpMethod/PATCH"',
            ),
            ["GET", "POST", "PUT", "PATCH", "DELETE"],
        ),
    ],
)
def test_capabilities_decide_for_one_entity_set(restriction: tuple[str, str, str], left: list[str]) -> None:
    annotated = restricted(restriction)
    inline = v4(f'<EntitySet Name="Rows" EntityType="S.Row">{annotated}</EntitySet>')
    targeted = v4(schema=f'<Annotations Target="S.Container/Rows">{annotated}</Annotations>')
    assert methods(inline) == methods(targeted) == left


def test_updates_by_post_are_no_other_updates() -> None:
    posted = restricted(
        ("UpdateRestrictions", "UpdateMethod", f'EnumMember="{CAPABILITIES}.HttpMethod/POST"')
    )
    assert methods(v4(f'<Singleton Name="Me" Type="S.Row">{posted}</Singleton>')) == ["GET", "POST"]


def test_annotations_of_the_third_version_count() -> None:
    denied = restricted(("DeleteRestrictions", "Deletable", 'Bool="false"')).replace(
        "Annotation ", "ValueAnnotation "
    )
    denied = denied.replace("</Annotation>", "</ValueAnnotation>")
    rows = f'<EntitySet Name="Rows" EntityType="S.Row">{denied}</EntitySet>'
    assert methods(v2(rows, versions='m:DataServiceVersion="3.0"'))[-1] == "MERGE"


def test_a_method_is_left_out_only_if_no_entity_set_has_it() -> None:
    denied = restricted(("DeleteRestrictions", "Deletable", 'Bool="false"'))
    one = f'<EntitySet Name="A" EntityType="S.Row">{denied}</EntitySet>'
    assert "DELETE" not in methods(v4(one))
    api = read(v4(f'{one}<EntitySet Name="B" EntityType="S.Row"/><EntitySet Name="C" EntityType="S.Row"/>'))
    assert api.cors is not None
    (delete,) = (found for found in api.cors.methods if found.value == "DELETE")
    assert delete.reason == "deletions from B, and 1 more"
    assert delete.place.json_path.endswith("EntityContainer.EntitySet[1]")


def test_aliases_of_schemas_and_of_references_are_resolved() -> None:
    text = v4(
        schema='<Annotations Target="self.Container/Rows"><Annotation Term="Capabilities.DeleteRestrictions">'
        '<Record><PropertyValue Property="Deletable"><Bool>false</Bool></PropertyValue></Record></Annotation>'
        "</Annotations>"
    )
    text = text.replace('Namespace="S"', 'Namespace="S" Alias="self"').replace(
        "<edmx:DataServices>",
        f'<edmx:Reference Uri="x"><edmx:Include Namespace="{CAPABILITIES}" Alias="Capabilities"/>'
        "</edmx:Reference><edmx:DataServices>",
    )
    assert "DELETE" not in methods(text)


def test_annotations_with_a_qualifier_do_not_count() -> None:
    annotated = restricted(("DeleteRestrictions", "Deletable", 'Bool="false"'))
    qualified = annotated.replace("<Annotation ", '<Annotation Qualifier="Tablet" ')
    assert "DELETE" in methods(v4(schema=f'<Annotations Target="S.Container/Rows">{qualified}</Annotations>'))


def included_annotations(attributes: str) -> str:
    reference = f'<edmx:Reference Uri="a.xml"><edmx:IncludeAnnotations {attributes}/></edmx:Reference>'
    return v4().replace("<edmx:DataServices>", f"{reference}<edmx:DataServices>")


def test_annotations_in_another_document_are_reported_if_they_would_count() -> None:
    (found,) = read_odata(source(included_annotations(f'TermNamespace="{CAPABILITIES}"'))).diagnostics
    assert (found.code, found.severity, found.found) == (
        "odata-annotations-unread",
        Severity.WARNING,
        CAPABILITIES,
    )
    for attributes in (
        f'TermNamespace="{CAPABILITIES}" Qualifier="Phone"',
        'TermNamespace="com.sap.vocabularies.UI.v1"',
    ):
        assert codes(included_annotations(attributes)) == []


def test_annotations_in_another_document_are_reported_for_json() -> None:
    document = {
        "$Version": "4.01",
        "$EntityContainer": "S.C",
        "$Reference": {"a.json": {"$IncludeAnnotations": [{"$TermNamespace": CAPABILITIES}]}},
        "S": {"C": {"$Kind": "EntityContainer"}},
    }
    text = json.dumps(document, indent=1)
    found = read_odata(source(text, "metadata.json")).diagnostics[0]
    assert (found.code, found.place.line) == ("odata-annotations-unread", 5)


def test_defaults_of_the_container_hold_where_a_set_says_nothing() -> None:
    defaults = (
        f'<Annotation Term="{CAPABILITIES}.DefaultCapabilities"><Record>'
        '<PropertyValue Property="InsertRestrictions"><Record>'
        '<PropertyValue Property="Insertable" Bool="false"/></Record></PropertyValue>'
        '<PropertyValue Property="DeleteRestrictions"><Record>'
        '<PropertyValue Property="Deletable" Bool="false"/></Record></PropertyValue>'
        '<PropertyValue Property="UpdateRestrictions"><Record>'
        '<PropertyValue Property="UpdateMethod" EnumMember="C.HttpMethod/PATCH"/></Record></PropertyValue>'
        "</Record></Annotation>"
    )
    assert methods(v4(f'{defaults}<EntitySet Name="A" EntityType="S.Row"/>')) == ["GET", "PATCH"]
    own = restricted(("InsertRestrictions", "Insertable", 'Bool="true"'))
    open_set = f'<EntitySet Name="A" EntityType="S.Row">{own}</EntitySet>'
    assert methods(v4(f"{defaults}{open_set}")) == ["GET", "POST", "PATCH"]


def test_read_permissions_deny_every_write() -> None:
    term = '<Annotation Term="Org.OData.Core.V1.Permissions" EnumMember="Org.OData.Core.V1.Permission/{}"/>'
    for permission, left in (("Read", ["GET"]), ("ReadWrite", ["GET", "POST", "PUT", "PATCH", "DELETE"])):
        text = v4(f'<EntitySet Name="A" EntityType="S.Row">{term.format(permission)}</EntitySet>')
        assert methods(text) == left


def test_navigation_properties_add_what_their_annotations_allow() -> None:
    read_only = restricted(
        ("InsertRestrictions", "Insertable", 'Bool="false"'),
        ("UpdateRestrictions", "Updatable", 'Bool="false"'),
        ("DeleteRestrictions", "Deletable", 'Bool="false"'),
    )
    rows = f'<EntitySet Name="Rows" EntityType="S.Row">{read_only}</EntitySet>'
    parts = (
        f'<Annotation Term="{CAPABILITIES}.NavigationRestrictions"><Record>'
        '<PropertyValue Property="RestrictedProperties"><Collection><Record>'
        '<PropertyValue Property="NavigationProperty" NavigationPropertyPath="Parts"/>'
        '<PropertyValue Property="InsertRestrictions"><Record>'
        '<PropertyValue Property="Insertable" Bool="true"/></Record></PropertyValue>'
        '<PropertyValue Property="DeleteRestrictions"><Record>'
        '<PropertyValue Property="Deletable" Bool="false"/></Record></PropertyValue>'
        "</Record></Collection></PropertyValue></Record></Annotation>"
    )
    assert methods(v4(rows)) == ["GET"]
    assert methods(v4(rows.replace("</EntitySet>", f"{parts}</EntitySet>"))) == ["GET", "POST"]
    updatable = restricted(("UpdateRestrictions", "Updatable", 'Bool="true"'))
    typed = (
        f'<EntityType Name="Row"><NavigationProperty Name="Parts" Type="S.Part">{updatable}'
        "</NavigationProperty></EntityType>"
    )
    assert methods(v4(rows, typed)) == ["GET", "PUT", "PATCH"]


def test_operations_have_their_methods() -> None:
    bound = '<Action Name="Hire" IsBound="true"/><Action Name="Loose"/><Function Name="Sum" IsBound="true"/>'
    assert methods(v4("", bound)) == ["GET", "POST"]
    assert methods(v4("", '<Action Name="Loose"/>')) == ["GET"]
    assert methods(v4('<ActionImport Name="Reset" Action="S.Loose"/>')) == ["GET", "POST"]
    assert methods(v4('<FunctionImport Name="Best" Function="S.Best"/>')) == ["GET"]
    gone = (
        '<Action Name="A" IsBound="true">'
        '<Annotation Term="Org.OData.Core.V1.OperationAvailable" Bool="false"/></Action>'
    )
    assert methods(v4("", gone)) == ["GET"]


def test_function_imports_of_old_versions() -> None:
    assert methods(v2('<FunctionImport Name="F" m:HttpMethod="POST"/>')) == ["GET", "POST"]
    assert methods(v2('<FunctionImport Name="F"/>')) == ["GET"]
    third = 'm:DataServiceVersion="3.0"'
    assert methods(v2('<FunctionImport Name="F"/>', versions=third)) == ["GET", "POST"]
    assert methods(v2('<FunctionImport Name="F" IsSideEffecting="false"/>', versions=third)) == ["GET"]


@pytest.mark.parametrize("method", ["TRACE", "get", "PURGE", "GET, DELETE"])
def test_a_method_that_odata_does_not_know_is_left_out_with_a_warning(method: str) -> None:
    text = v2(f'<FunctionImport Name="F" m:HttpMethod="{method}"/>')
    assert methods(text) == ["GET"]
    warning = next(one for one in read_odata(source(text)).diagnostics if one.code == "odata-method")
    assert (warning.severity, warning.found) == (Severity.WARNING, method)
    assert warning.place.json_path.endswith("FunctionImport['@HttpMethod']")


def test_media_streams_are_updated_by_put() -> None:
    patched = restricted(("UpdateRestrictions", "UpdateMethod", 'EnumMember="C.HttpMethod/PATCH"'))
    photos = f'<EntitySet Name="Photos" EntityType="S.Photo">{patched}</EntitySet>'
    plain = '<EntityType Name="Photo" BaseType="S.Base"/><EntityType Name="Base"/>'
    assert "PUT" not in methods(v4(photos, plain))
    assert "PUT" in methods(v4(photos, plain.replace('"Base"/>', '"Base" HasStream="true"/>')))


def test_sap_annotations_deny_methods() -> None:
    def of(attributes: str) -> list[str]:
        return methods(v2(f'<EntitySet Name="Rows" EntityType="S.Row" {attributes}/>', versions=SAP))

    assert of('sap:creatable="false"') == ["GET", "HEAD", "PUT", "MERGE", "DELETE"]
    assert of('sap:updatable="false"') == ["GET", "HEAD", "POST", "DELETE"]
    assert of('sap:deletable="false"') == ["GET", "HEAD", "POST", "PUT", "MERGE"]
    assert of('sap:updatable-path="Open"') == ["GET", "HEAD", "POST", "PUT", "MERGE", "DELETE"]
    assert of('sap:updatable="true" sap:updatable-path="Open"') == ["GET", "HEAD", "POST", "DELETE"]


# $batch

READ_ONLY = restricted(
    ("InsertRestrictions", "Insertable", 'Bool="false"'),
    ("UpdateRestrictions", "Updatable", 'Bool="false"'),
    ("DeleteRestrictions", "Deletable", 'Bool="false"'),
)
READ_ONLY_SET = f'<EntitySet Name="Rows" EntityType="S.Row">{READ_ONLY}</EntitySet>'


@pytest.mark.parametrize(
    ("annotation", "left", "reported"),
    [
        ("", ["GET"], ["odata-batch"]),
        (f'<Annotation Term="{CAPABILITIES}.BatchSupported"/>', ["GET", "POST"], []),
        (f'<Annotation Term="{CAPABILITIES}.BatchSupported" Bool="false"/>', ["GET"], []),
        (restricted(("BatchSupport", "Supported", 'Bool="true"')), ["GET", "POST"], []),
        (restricted(("BatchSupport", "Supported", 'Bool="false"')), ["GET"], []),
        (f'<Annotation Term="{CAPABILITIES}.QuerySegmentSupported" Bool="true"/>', ["GET", "POST"], []),
    ],
)
def test_a_read_only_service_has_post_only_for_what_it_says(
    annotation: str, left: list[str], reported: list[str]
) -> None:
    text = v4(annotation + READ_ONLY_SET)
    assert methods(text) == left
    assert codes(text) == reported


def test_sap_services_that_want_batches_have_post() -> None:
    denied = 'sap:creatable="false" sap:updatable="false" sap:deletable="false"'
    rows = f'<EntitySet Name="R" EntityType="S.R" {denied}/>'
    text = v2(rows, versions=SAP)
    assert methods(text) == ["GET", "HEAD"]
    assert methods(text.replace("<EntityContainer ", '<EntityContainer sap:use-batch="true" ')) == [
        "GET",
        "HEAD",
        "POST",
    ]


# Headers


def test_headers_of_each_version() -> None:
    base = ["Content-Type", "DataServiceVersion", "MaxDataServiceVersion"]
    assert allowed(v2()) == base
    assert exposed(v2()) == ["DataServiceVersion", "ETag", "Location"]
    third = v2(versions='m:DataServiceVersion="3.0"')
    assert allowed(third) == [*base, "MinDataServiceVersion", "Prefer", "If-Match", "If-None-Match"]
    assert exposed(third)[3:] == ["DataServiceId", "Preference-Applied", "Retry-After"]
    fourth = ["OData-Version", "OData-MaxVersion", "Prefer", "If-Match", "If-None-Match", "OData-Isolation"]
    assert allowed(v4()) == ["Content-Type", *fourth]
    assert allowed(v4(version="4.01")) == ["Content-Type", *fourth, "Isolation"]
    assert exposed(v4(version="4.01"))[-1] == "AsyncResult"
    assert allowed(v4(READ_ONLY_SET)) == fourth
    assert exposed(v4(READ_ONLY_SET)) == ["OData-Version", "ETag", "Preference-Applied", "Retry-After"]


def test_reasons_name_the_clause() -> None:
    policy = read(v4()).cors
    assert policy is not None
    reasons = [one.reason for one in (*policy.allow_headers, *policy.expose_headers)]
    assert all(re.fullmatch(r"OData 4\.01, §8\.[123]\.\d", reason) for reason in reasons)


def test_a_service_that_speaks_the_newer_version_says_so() -> None:
    annotation = '<Annotation Term="Org.OData.Core.V1.ODataVersions" String="4.0,4.01"/>'
    assert "Isolation" in allowed(v4(f'{annotation}<EntitySet Name="R" EntityType="S.R"/>'))


def test_etags_of_old_versions_need_a_property_for_them() -> None:
    rows = (
        '<EntityType Name="Row" BaseType="S.Base"/><EntityType Name="Base">'
        '<Property Name="Version" Type="Edm.Int32" ConcurrencyMode="{}"/></EntityType>'
    )
    assert "If-Match" in allowed(v2(schema=rows.format("Fixed")))
    assert "If-Match" not in allowed(v2(schema=rows.format("None")))
    media = '<EntityType Name="Row" m:HasStream="true"/>'
    assert {"If-Match", "Slug"} <= set(allowed(v2(schema=media)))


def test_headers_that_annotations_declare() -> None:
    repeatable = '<Annotation Term="Org.OData.Repeatability.V1.Supported"/>'
    encodings = (
        f'<Annotation Term="{CAPABILITIES}.AcceptableEncodings">'
        "<Collection><String>gzip</String></Collection></Annotation>"
    )
    text = v4(f'{repeatable}{encodings}<EntitySet Name="R" EntityType="S.R"/>')
    assert allowed(text)[-4:] == [
        "Content-Encoding",
        "Repeatability-Request-ID",
        "Repeatability-Client-ID",
        "Repeatability-First-Sent",
    ]
    assert exposed(text)[-1] == "Repeatability-Result"


def custom(name: str) -> str:
    return (
        f'<Annotation Term="{CAPABILITIES}.CustomHeaders"><Collection><Record>'
        f'<PropertyValue Property="Name" String="{name}"/></Record></Collection></Annotation>'
        '<EntitySet Name="R" EntityType="S.R"/>'
    )


def test_custom_headers_are_allowed() -> None:
    assert allowed(v4(custom("X-Tenant")))[-1] == "X-Tenant"


def test_a_csrf_token_is_allowed_exposed_and_fetched_by_head() -> None:
    text = v4(custom("x-csrf-token"))
    assert allowed(text)[-1] == "x-csrf-token"
    assert exposed(text)[-1] == "X-CSRF-Token"
    assert methods(text)[:2] == ["GET", "HEAD"]
    (session,) = read_odata(source(text)).diagnostics
    assert (session.code, session.severity) == ("odata-session", Severity.INFO)
    policy = read(text).cors
    assert policy is not None
    assert policy.credentials is None


def test_services_of_sap_gateway_have_the_token_in_the_fourth_version() -> None:
    assert "X-CSRF-Token" in allowed(v4(namespace="com.sap.gateway.srvd.orders.v0001"))
    assert "X-CSRF-Token" not in allowed(v4(namespace="com.sap.orders"))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("X Tenant", "header-name-invalid"),
        ("", "header-name-invalid"),
        ("X-HTTP-Method", "odata-method-override"),
        ("x-method-override", "odata-method-override"),
    ],
)
def test_a_header_that_cannot_be_allowed_is_left_out_with_a_warning(name: str, code: str) -> None:
    text = v4(custom(name))
    assert allowed(text)[-1] == "OData-Isolation"
    (warning,) = read_odata(source(text)).diagnostics
    assert (warning.code, warning.severity, warning.found) == (code, Severity.WARNING, name)


def authorization(kind: str, *properties: str) -> str:
    given = "".join(f"<PropertyValue {one}/>" for one in properties)
    return v4(
        '<Annotation Term="Org.OData.Authorization.V1.Authorizations"><Collection>'
        f'<Record Type="Org.OData.Authorization.V1.{kind}">'
        f'<PropertyValue Property="Name" String="login"/>{given}'
        '</Record></Collection></Annotation><EntitySet Name="R" EntityType="S.R"/>'
    )


@pytest.mark.parametrize("kind", ["Http", "OpenIDConnect", "OAuth2AuthCode", "OAuth2ClientCredentials"])
def test_authorizations_need_the_header(kind: str) -> None:
    assert allowed(authorization(kind))[-1] == "Authorization"
    assert "Authorization" not in allowed(v4())


@pytest.mark.parametrize(
    ("location", "last", "credentials"),
    [
        ("Header", "X-Key", None),
        ("QueryOption", "OData-Isolation", None),
        ("Cookie", "OData-Isolation", True),
    ],
)
def test_api_keys_are_headers_parameters_or_cookies(
    location: str, last: str, credentials: bool | None
) -> None:
    text = authorization(
        "ApiKey",
        'Property="KeyName" String="X-Key"',
        f'Property="Location" EnumMember="Org.OData.Authorization.V1.KeyLocation/{location}"',
    )
    assert allowed(text)[-1] == last
    policy = read(text).cors
    assert policy is not None
    assert (policy.credentials.value if policy.credentials else None) is credentials


# Other documents


EXTENDING = (
    v4("")
    .replace("<EntityContainer ", '<EntityContainer Extends="Base.Container" ')
    .replace(
        "<edmx:DataServices>",
        '<edmx:Reference Uri="base.xml"><edmx:Include Namespace="Base"/></edmx:Reference><edmx:DataServices>',
    )
)


def extended(opened: Callable[[str, str], Source]) -> Contents:
    return read_odata(Source("metadata.xml", EXTENDING.encode(), opened))


def test_an_extended_container_is_read_from_its_document() -> None:
    base = v4(namespace="Base")
    contents = extended(lambda reference, _: source(base, reference))
    (api,) = contents.apis
    assert api.cors is not None
    assert values(api.cors.methods) == ["GET", "POST", "PUT", "PATCH", "DELETE"]
    assert api.cors.methods[1].place.file == "base.xml"
    assert contents.diagnostics == ()


def test_an_extended_container_that_cannot_be_read_is_a_warning() -> None:
    contents = read_odata(source(EXTENDING))
    (warning, batch) = contents.diagnostics
    assert (warning.code, warning.severity, warning.found) == (
        "odata-extends",
        Severity.WARNING,
        "Base.Container",
    )
    assert batch.code == "odata-batch"
    contents = extended(lambda reference, _: source("<no/>", reference))
    assert contents.diagnostics[0].code == "odata-extends"


def test_containers_that_extend_each_other_end() -> None:
    def opened(reference: str, _: str) -> Source:
        following = EXTENDING.replace('Namespace="S"', 'Namespace="Base"').replace(
            "Base.Container", "Other.Container"
        )
        return source(following.replace('Include Namespace="Base"', 'Include Namespace="Other"'), reference)

    extended(opened)
    extended(lambda reference, _: source(EXTENDING, reference))


def test_other_references_are_not_opened() -> None:
    text = v4().replace(
        "<edmx:DataServices>", '<edmx:Reference Uri="file:///etc/passwd"/><edmx:DataServices>'
    )
    assert read_odata(source(text)).diagnostics == ()


# CSDL JSON


def test_csdl_json_has_the_same_rules() -> None:
    document = {
        "$Version": "4.01",
        "$EntityContainer": "Shop.V3.Container",
        "$Reference": {"x": {"$Include": [{"$Namespace": CAPABILITIES, "$Alias": "Cap"}]}},
        "Shop.V3": {
            "$Alias": "self",
            "Row": {"$Kind": "EntityType", "$BaseType": "self.Base"},
            "Base": {"$Kind": "EntityType", "Photo": {"$Type": "Edm.Stream"}},
            "Hire": [{"$Kind": "Action", "$IsBound": True}],
            "Container": {
                "$Kind": "EntityContainer",
                "@Cap.CustomHeaders": [{"Name": "X-Tenant"}],
                "Rows": {
                    "$Collection": True,
                    "$Type": "self.Row",
                    "@Cap.DeleteRestrictions": {"Deletable": False},
                    "@Cap.UpdateRestrictions": {"UpdateMethod": 2},
                },
                "Me": {"$Type": "self.Row", "@Cap.UpdateRestrictions": {"Updatable": False}},
                "Reset": {"$Action": "self.Reset"},
            },
            "$Annotations": {"self.Container/Rows": {"@Cap.InsertRestrictions": {"Insertable": False}}},
        },
    }
    document_source = Source("metadata.json", json.dumps(document, indent=1).encode())
    assert recognises_odata(document_source)
    (api,) = read_odata(document_source).apis
    policy = api.cors
    assert policy is not None
    assert (api.name.value, api.version.value) == ("Shop", "3")
    assert [(one.value, one.reason, one.place.line) for one in policy.methods] == [
        ("GET", "service document and metadata, and 2 more", 32),
        ("POST", "action Hire, and 1 more", 27),
        ("PUT", "media streams of Rows", 39),
        ("PATCH", "updates of Rows", 39),
    ]
    assert values(policy.allow_headers)[-2:] == ["Isolation", "X-Tenant"]


# Other documents, and hostile ones


@pytest.mark.parametrize(
    "text",
    [
        "<html/>",
        "<Edmx/>",
        '<edmx:Edmx xmlns:edmx="http://schemas.microsoft.com/ado/2009/11/edmx"/>',
        "<definitions/>",
        "{}",
        '{"$Version": "4.01"}',
        "openapi: 3.0.0",
        "",
        "\0",
        "[1]",
    ],
)
def test_other_documents_are_not_recognised(text: str) -> None:
    assert not recognises_odata(source(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<html/>", "odata-metadata"),
        (f"<edmx:Edmx {OASIS}/>", "odata-metadata"),
        (f"<edmx:Edmx {OASIS}><edmx:DataServices/></edmx:Edmx>", "nothing-found"),
        ("<edmx:Edmx", "xml-syntax"),
        ("<!DOCTYPE edmx:Edmx><edmx:Edmx/>", "xml-doctype"),
        ('{"$Version": "4.01", "$EntityContainer": "a.b"}', "nothing-found"),
        ('{"$Version": "4.01", "$EntityContainer": "a.b"', "json-syntax"),
    ],
)
def test_a_document_without_a_service_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_odata(source(text))
    (only,) = refused.value.diagnostics
    assert only.code == code


def test_many_entity_sets_are_few_values() -> None:
    many = "".join(f'<EntitySet Name="Rows{n}" EntityType="S.Row"/>' for n in range(20_000))
    text = v4(many)
    api = read(text)
    assert api.cors is not None
    assert [(one.value, one.reason) for one in api.cors.methods] == [
        ("GET", "service document and metadata, and 20000 more"),
        ("POST", "inserts into Rows0, and 19999 more"),
        ("PUT", "updates of Rows0, and 19999 more"),
        ("PATCH", "updates of Rows0, and 19999 more"),
        ("DELETE", "deletions from Rows0, and 19999 more"),
    ]


def test_ten_megabytes_of_types_are_read() -> None:
    schema = "".join(
        f'<EntityType Name="T{n}"><Property Name="{"p" * 900}" Type="Edm.String"/></EntityType>'
        for n in range(10_000)
    )
    assert len(schema) > 9_000_000
    assert methods(v4(schema=schema))[0] == "GET"


def test_a_type_that_derives_from_itself_ends() -> None:
    for base in ("S.Row", "S.Other"):
        types = f'<EntityType Name="Row" BaseType="{base}"/><EntityType Name="Other" BaseType="S.Row"/>'
        assert methods(v4(schema=types)) == ["GET", "POST", "PUT", "PATCH", "DELETE"]


def test_deeply_nested_annotations_end() -> None:
    deep = "<Collection>" * 200 + "</Collection>" * 200
    text = v4(f'<Annotation Term="{CAPABILITIES}.CustomHeaders">{deep}</Annotation>')
    assert methods(text) == ["GET"]
    nested: object = {"Name": "X"}
    for _ in range(90):
        nested = [nested]
    document = {
        "$Version": "4.0",
        "$EntityContainer": "S.C",
        "S": {"C": {"$Kind": "EntityContainer", f"@{CAPABILITIES}.CustomHeaders": nested}},
    }
    assert methods(json.dumps(document)) == ["GET"]


def test_names_with_control_characters_are_printable_in_reasons() -> None:
    api = read(v4('<ActionImport Name="a&#10;b&#x202e;" Action="S.a"/>'))
    assert api.cors is not None
    assert api.cors.methods[1].reason == "action a\\nb\\u202e"


def test_missing_names_are_no_resources() -> None:
    assert methods(v4("<EntitySet/><Singleton/><ActionImport/><FunctionImport/>")) == ["GET"]
    assert methods(v4("", '<Action IsBound="true"/><EntityType/><Annotations/>')) == ["GET"]


def is_read_or_refused(document: Source) -> None:
    """Only InvalidInput may be raised, and what is read must build."""
    recognises_odata(document)
    try:
        read_odata(document)
    except InvalidInput as invalid:
        assert invalid.diagnostics


XML = [name for name in DOCUMENTS if name.endswith(".xml")]


@settings(max_examples=60)
@given(st.sampled_from(XML), st.integers(0, 2**32))
def test_any_mutilated_document_is_read_or_refused(name: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - no secret
    root = etree.fromstring((DATA / name).read_bytes())
    elements = list(root.iter(etree.Element))
    for _ in range(draw.randint(1, 40)):
        one = draw.choice(elements)
        match draw.randrange(5):
            case 0 if one.attrib:
                del one.attrib[draw.choice(list(one.attrib))]
            case 1 if one.attrib:
                one.set(draw.choice(list(one.attrib)), draw.choice(["", ".", "/", "true", "ä\t", "S.S.S/S"]))
            case 2 if (parent := one.getparent()) is not None:
                parent.remove(one)
            case 3:
                other = draw.choice(elements)
                if one is not other and other not in list(one.iterancestors()):
                    one.append(other)
            case _:
                one.tag = draw.choice(elements).tag
    is_read_or_refused(Source(name, etree.tostring(root)))


_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 9), st.sampled_from(["", "S.C", "a/b", "$x", "@"])
)
_KEYS = st.sampled_from(
    f"$Kind $Type $Collection $Alias $Include $IsBound $Annotations $Action $Extends S C Rows Name "
    f"RestrictedProperties InsertRestrictions @Core.Permissions @{CAPABILITIES}.CustomHeaders "
    f"@{CAPABILITIES}.NavigationRestrictions @{CAPABILITIES}.DefaultCapabilities".split()
)
_JSON = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5)
)


@settings(max_examples=25)
@given(st.dictionaries(_KEYS, _JSON, max_size=4), st.dictionaries(_KEYS, _JSON, max_size=6))
def test_any_json_is_read_or_refused(schema: dict[str, object], container: dict[str, object]) -> None:
    root = {
        "$Version": "4.01",
        "$EntityContainer": "S.C",
        "$Reference": schema,
        "S": {**schema, "C": {**container, "$Kind": "EntityContainer"}},
    }
    is_read_or_refused(Source("x.json", json.dumps(root).encode()))
    is_read_or_refused(Source("x.json", json.dumps(container | schema | {"$Version": "4.0"}).encode()))
