"""What is read the short way is what the document's reader makes of it, who refuses nothing that was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from crossgate.catalogue.document import read_api, read_application, read_gateway
from crossgate.catalogue.model import Gateway
from crossgate.catalogue.plain import plain_api, plain_application, plain_gateway
from crossgate.catalogue.serialise import api_to_dict, application_to_dict, gateway_to_dict
from crossgate.diagnostics import InvalidInput

_Found = TypeVar("_Found")

_WRONG: tuple[object, ...] = (None, True, 0, 1.5, "", "x", [], ["x"], [None], {}, {"x": 1}, [["x"]])

_ORIGINS = st.lists(
    st.sampled_from(["https://a.example", "http://[::1]", "http://[0::1]", "null", "*", "https://A", 7]),
    max_size=2,
)
_TOKENS = st.lists(st.sampled_from(["GET", "x-y", "*", "TRACE", "a b", 7]), max_size=2)
_REGEX = st.sampled_from([{"regex": "https://[a-z]+"}, {"regex": "("}, {"regex": 7}, {}])
_CORS = st.fixed_dictionaries(
    {},
    optional={
        "allowed_origins": st.lists(
            st.sampled_from(["https://a.example", "https://*.b.example", "*", "null", "https://*", 7])
            | _REGEX,
            max_size=3,
        ),
        "allowed_methods": _TOKENS,
        "allow_headers": _TOKENS,
        "expose_headers": _TOKENS,
        "allow_credentials": st.sampled_from([True, False, 1, None]),
        "max_age": st.sampled_from([None, 0, 100, True, -1, 1.0, 2**31]),
        "plain_options": st.sampled_from(["refuse", "forward", "Refuse", None]),
        "mode": st.sampled_from(["enforce", "observe", [], "x"]),
        "unknown": st.just(1),
    },
)
_APIS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["pets", "a/b", "..", 7]) | st.just("pets"),
        "version": st.sampled_from(["1.0", 1.0, ""]) | st.just("1.0"),
        "type": st.sampled_from(["rest", "soap", "odata", "REST", None, []]) | st.just("rest"),
        "native": st.sampled_from(["http://a.example", "https://[::1]:8443/v2/", "ftp://a", 7])
        | st.just("http://127.0.0.1:9101/v2"),
    },
    optional={
        "native_timeout": st.sampled_from([1, 30.0, 0.001, 3600, 3601, 0, True, float("nan"), "1"]),
        "endpoints": st.lists(st.sampled_from(["/shop", "/shop/v1", "/ws", "/a/", 7]), max_size=2),
        "cors": _CORS,
        "trusted_domains": st.lists(st.sampled_from(["a.example", "localhost", "*.a", 7]), max_size=2),
        "lint": st.fixed_dictionaries(
            {},
            optional={
                "allow": st.lists(
                    st.fixed_dictionaries(
                        {"code": st.sampled_from(["localhost", "UPPER", "a\n", 7])},
                        optional={"reason": st.sampled_from(["why", "", 7]), "x": st.just(1)},
                    ),
                    max_size=2,
                ),
                "deny": st.just([]),
            },
        ),
        "unknown": st.just(1),
    },
)
_APPLICATIONS = st.fixed_dictionaries(
    {"name": st.sampled_from(["web", " web", "", 7, "x" * 201]) | st.just("web")},
    optional={
        "javascript_origins": _ORIGINS,
        "apis": st.lists(st.sampled_from(["pets/1.0", 7]), max_size=2),
        "suspended": st.sampled_from([True, False, 1, "true"]),
        "unknown": st.just(1),
    },
)
_GATEWAYS = st.fixed_dictionaries(
    {},
    optional={
        "listen": st.sampled_from(["127.0.0.1:8080", "[::1]:1", "localhost:1", "127.0.0.1:0", 7]),
        "tls": st.none()
        | st.fixed_dictionaries(
            {"certificate": st.sampled_from(["a.pem", 7])},
            optional={"key": st.just("b.pem"), "unknown": st.just(1)},
        ),
        "native_ca": st.sampled_from([None, "ca.pem", 7]),
        "public_origins": _ORIGINS,
        "unknown": st.just(1),
    },
)


@st.composite
def _entries(draw: st.DrawFn, right: st.SearchStrategy[dict[str, object]]) -> object:
    """An entry in which mostly everything has its type, and any part may be of another one."""
    entry = draw(right)
    match draw(st.integers(0, 9)):
        case 0:
            return draw(st.sampled_from(_WRONG))
        case 1 | 2 if entry:
            entry[draw(st.sampled_from(sorted(entry)))] = draw(st.sampled_from(_WRONG))
        case 3 if entry:
            del entry[draw(st.sampled_from(sorted(entry)))]
        case _:
            pass
    return entry


def _agrees(
    plain: Callable[[Mapping[str, object]], _Found | None],
    read: Callable[[object], _Found],
    written: Callable[[_Found], Mapping[str, object]],
    entry: object,
) -> None:
    """What is read plainly is what the document's reader finds; whatever that wrote is read plainly."""
    found = plain(entry)  # type: ignore[arg-type]  # a damaged database may hold anything
    try:
        expected = read(entry)
    except InvalidInput:
        assert found is None
    else:
        assert found is None or found == expected
        assert plain(written(expected)) == expected


@settings(deadline=None, max_examples=400)
@given(_entries(_APIS))
def test_an_api(entry: object) -> None:
    _agrees(plain_api, read_api, api_to_dict, entry)


@settings(deadline=None)
@given(_entries(_APPLICATIONS))
def test_an_application(entry: object) -> None:
    _agrees(plain_application, read_application, application_to_dict, entry)


@settings(deadline=None)
@given(_entries(_GATEWAYS))
def test_the_gateway(entry: object) -> None:
    _agrees(plain_gateway, read_gateway, gateway_to_dict, entry)


def test_the_gateway_as_it_is_at_first() -> None:
    assert plain_gateway(gateway_to_dict(Gateway())) == Gateway()
