"""Properties of every resource, for any policy: traps of Envoy's configuration."""

from __future__ import annotations

import random
import re

import pytest
import re2
from envoy.config.core.v3.base_pb2 import HeaderValueOption
from envoy.config.route.v3.route_components_pb2 import Route
from envoy.type.matcher.v3.regex_pb2 import RegexMatcher
from google.protobuf.message import Message
from tests.catalogues import POLICY, catalogue, server_policy
from tests.catalogues import api_with_policy as api
from tests.differential.generate import Sample, random_public_origins, random_sample
from tests.envoy_messages import all_within, message_of
from xds.type.matcher.v3.domain_pb2 import ServerNameMatcher
from xds.type.matcher.v3.regex_pb2 import RegexMatcher as RegexMatcherOfTrees

from crossgate.catalogue.model import Application, Catalogue, Gateway
from crossgate.compiler.incremental import Compilation
from crossgate.compiler.route_names import parse_route_name
from crossgate.policy import EffectivePolicy, Flow, Reason, build_policy
from crossgate.policy.decision import Outcome
from crossgate.policy.responses import ResponseSettings, response_template

SEED = 20
SAMPLES = 150


def samples() -> list[Sample]:
    source = random.Random(SEED)  # noqa: S311 - reproducible on purpose
    public = random_public_origins(source)
    return [random_sample(source, public) for _ in range(SAMPLES)]


def catalogue_of(found: list[Sample]) -> Catalogue:
    apis = [
        api(f"s{index}", cors=build_policy(**one.policy) if one.policy is not None else None)
        for index, one in enumerate(found)
    ]
    applications = [
        Application(f"app{index}", one.application_origins, (f"s{index}/1",))
        for index, one in enumerate(found)
    ]
    return catalogue(apis, applications, gateway=Gateway(public_origins=found[0].public_origins))


def compiled(declared: Catalogue) -> list[Message]:
    resources = Compilation().advance(declared, "/etc/ca.pem")[0].resources
    return [inner for one in resources.values() for inner in all_within(message_of(one))]


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    server = server_policy("https://a.example.com, r:https://.*[.]example[.]com")
    return [*compiled(catalogue_of(samples())), *compiled(catalogue(server_policy=server))]


def regexes_of(messages: list[Message]) -> set[str]:
    return {one.regex for one in messages if isinstance(one, RegexMatcher | RegexMatcherOfTrees)}


def test_a_table_of_origins_holds_no_asterisk_no_duplicate_and_nothing_empty(messages: list[Message]) -> None:
    tables = [one for one in messages if isinstance(one, ServerNameMatcher)]
    assert tables
    for table in tables:
        entries = [entry for matcher in table.domain_matchers for entry in matcher.domains]
        assert not [entry for entry in entries if "*" in entry or not entry]
        assert len(entries) == len(set(entries))


def test_no_expression_of_the_compiler_folds_case(messages: list[Message]) -> None:
    written = {
        origin["regex"]
        for sample in samples()
        for origin in (sample.policy or {}).get("allowed_origins", ())
        if isinstance(origin, dict)
    }
    own = regexes_of(messages) - written
    assert own
    assert not [regex for regex in own if re.search(r"\(\?[a-zA-Z]*i", regex)]


def test_re2_accepts_every_expression_and_none_is_empty(messages: list[Message]) -> None:
    for regex in regexes_of(messages):
        assert regex
        re2.compile(regex.encode("latin-1", "replace"))


def test_values_of_a_policy_are_never_format_strings() -> None:
    policy = build_policy(
        allowed_origins=["https://app.example.com"],
        allowed_methods=["GET", "%REQ(COOKIE)%".replace("(", "").replace(")", "")],
        allow_headers=["x%dynamic%y", "a%"],
        expose_headers=["%z%"],
    )
    declared = catalogue([api("pets", cors=policy)])
    values = {
        one.header.key.lower(): one.header.value
        for one in compiled(declared)
        if isinstance(one, HeaderValueOption)
    }
    assert values["access-control-allow-methods"] == "GET, %%REQCOOKIE%%"
    assert values["access-control-allow-headers"] == "x%%dynamic%%y, a%%"
    assert values["access-control-expose-headers"] == "%%z%%"
    assert values["allow"] == "GET, %%REQCOOKIE%%"


def test_format_strings_only_reflect_matched_headers(messages: list[Message]) -> None:
    commands = {
        command
        for one in messages
        if isinstance(one, HeaderValueOption)
        for command in re.findall(r"%[^%]*%", one.header.value)
    }
    assert {command for command in commands if not command.startswith(("%CEL(", "%PATH("))} == {
        "%%",
        "%REQ(Origin)%",
        "%REQ(Access-Control-Request-Method)%",
        "%REQ(Access-Control-Request-Headers)%",
        "%REQ(x-crossgate-path)%",
        # For the native service only.
        "%REQ(:authority)%",
    }


def test_every_route_is_named_after_its_owner_and_outcome(messages: list[Message]) -> None:
    routes = [one for one in messages if isinstance(one, Route)]
    assert routes
    for route in routes:
        series = parse_route_name(route.name, is_options=False)
        assert re.fullmatch(r"s\d+/1 /gateway/s\d+/1|server-level /", f"{series.api} {series.endpoint}")
        outcomes = ResponseSettings(server_level=series.api == "server-level").outcomes()
        assert Outcome(Flow(series.flow), Reason(series.reason)) in outcomes
        assert route.HasField("direct_response") != route.HasField("route")
        if series.reason.endswith(("-refused", "-missing", "-malformed", "-forbidden")):
            assert route.HasField("direct_response") != series.observed


API_LEVEL = ResponseSettings.of(EffectivePolicy(POLICY))
SERVER_LEVEL = ResponseSettings.of(server_policy("https://app.example.com"))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (API_LEVEL, Reason.ORIGIN_REFUSED),
        (SERVER_LEVEL, Reason.ORIGIN_REFUSED),
        (SERVER_LEVEL, Reason.HOST_REFUSED),
    ],
)
def test_all_flows_refuse_an_origin_or_a_host_alike(settings: ResponseSettings, reason: Reason) -> None:
    """Routes look at these before they distinguish flows."""
    preflight, request = (
        response_template(settings, Outcome(flow, reason)) for flow in (Flow.PREFLIGHT, Flow.CORS_REQUEST)
    )
    assert preflight == request


def test_a_regular_expression_of_a_policy_is_not_changed() -> None:
    policy = build_policy(allowed_origins=[{"regex": r"(?i)https://KIOSK-\d+\.example\.com"}])
    assert r"(?i)https://KIOSK-\d+\.example\.com" in regexes_of(
        compiled(catalogue([api("pets", cors=policy)]))
    )
