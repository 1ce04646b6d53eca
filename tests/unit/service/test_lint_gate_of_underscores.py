"""Header names with an underscore: refused on every write, and no obstacle where they are stored already."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api, catalogue

from crossgate.catalogue.document import read_document
from crossgate.catalogue.model import Catalogue, Gateway, LintSettings, Suppression
from crossgate.catalogue.reader import read_settings
from crossgate.catalogue.underscore_headers import UnderscoreHeaders
from crossgate.lint.check import check_catalogue
from crossgate.policy import CorsPolicy, build_policy
from crossgate.policy.server_cors import PREFIX
from crossgate.service.changes import Change, PutApi, PutGateway, PutPolicy, PutSettings, ReplaceAll
from crossgate.service.plan import make_plan
from crossgate.service.snapshot import Snapshot

ALLOW = Gateway(underscore_headers=UnderscoreHeaders.ALLOW)
REJECT = Gateway()
REFUSED = "requests with this header are answered 400: its name has an underscore"
REMOVED = "the gateway removes this header: programs may take it for another one"
PLACE = "$.apis['pets/1.0'].cors.allow_headers[0]"


def allowing(*headers: str) -> CorsPolicy:
    return build_policy(allowed_origins=["https://a.example.com"], allow_headers=headers, max_age=600)


def refusing(base: Catalogue, *changes: Change) -> list[tuple[str, str]]:
    found = make_plan(Snapshot.of(1, base), changes).refusing
    return [(one.diagnostic.message, one.diagnostic.place.json_path) for one in found]


def settings(*headers: str, enabled: bool = True) -> PutSettings:
    named = {"enabled": enabled, "allowedOrigins": "https://a.example.com", "maxAge": 600}
    listed = {**named, "supportedHeaders": [*headers]}
    return PutSettings(read_settings({f"{PREFIX}{name}": value for name, value in listed.items()}))


@pytest.mark.parametrize(
    ("gateway", "name", "message"),
    [
        (REJECT, "api_key", REFUSED),
        (REJECT, "x_api_key", REFUSED),
        (ALLOW, "api_key", None),
        (ALLOW, "X-My_Header", None),
        (ALLOW, "X_Api_Key", REMOVED),
        (ALLOW, "content_type", REMOVED),
        (ALLOW, "X-Forwarded_Client_Cert", REMOVED),
        (REJECT, "api-key", None),
        (REJECT, "*", None),
    ],
)
def test_a_policy_that_names_it(gateway: Gateway, name: str, message: str | None) -> None:
    base = catalogue([api("pets", allowing())], gateway=gateway)
    found = [] if message is None else [(message, PLACE)]
    assert refusing(base, PutPolicy("pets/1.0", allowing(name))) == found
    assert refusing(base, PutApi(api("pets", allowing(name)))) == found
    desired = catalogue([api("pets", allowing(name))], gateway=gateway)
    assert refusing(Catalogue(), ReplaceAll(desired)) == found


def test_settings_that_name_it() -> None:
    place = f"$.settings['{PREFIX}supportedHeaders'][1]"
    for gateway, names, messages in (
        (REJECT, ("X-One", "api_key"), [REFUSED]),
        (ALLOW, ("X-One", "api_key"), []),
        (ALLOW, ("X-One", "x_api_key"), [REMOVED]),
    ):
        for enabled in (True, False):
            found = refusing(catalogue(gateway=gateway), settings(*names, enabled=enabled))
            assert found == [(message, place) for message in messages]


@pytest.mark.parametrize("gateway", [REJECT, ALLOW], ids=["reject", "allow"])
def test_what_is_stored_blocks_no_other_change(gateway: Gateway) -> None:
    stored = api("pets", allowing("x_api_key"))
    base = catalogue([stored], gateway=gateway)
    assert refusing(base, PutApi(replace(stored, native_timeout=3.0))) == []
    assert refusing(base, PutPolicy("pets/1.0", allowing("X-One", "x_api_key"))) == []
    assert refusing(base, PutApi(api("cats", allowing()))) == []
    assert refusing(base, PutGateway(replace(gateway, public_origins=("https://gw.example.com",)))) == []
    [(_, place)] = refusing(base, PutPolicy("pets/1.0", allowing("x_api_key", "x_other")))
    assert place.endswith("[1]")


def test_the_setting_and_the_policy_in_one_change() -> None:
    base = catalogue([api("pets", allowing())])
    put = PutPolicy("pets/1.0", allowing("api_key"))
    assert refusing(base, put, PutGateway(ALLOW)) == []
    assert refusing(base, put) == [(REFUSED, PLACE)]


def test_a_gateway_that_refuses_names_from_now_on() -> None:
    base = catalogue([api("pets", allowing("api_key")), api("cats", allowing("Api-Key"))], gateway=ALLOW)
    assert refusing(base, PutGateway(REJECT)) == [(REFUSED, PLACE)]
    assert refusing(base, PutGateway(REJECT), PutPolicy("pets/1.0", allowing("Api-Key"))) == []
    accepted = LintSettings((Suppression("header-underscore", "nobody sends it", "api_key"),))
    lenient = catalogue([replace(base.apis["pets/1.0"], lint=accepted)], gateway=ALLOW)
    assert refusing(lenient, PutGateway(REJECT)) == []
    set_ = replace(base, settings=settings("api_key").settings, apis={})
    assert refusing(set_, PutGateway(REJECT)) == [
        (REFUSED, f"$.settings['{PREFIX}supportedHeaders'][0]"),
    ]


def test_a_gateway_that_accepts_names_from_now_on_is_never_refused() -> None:
    base = catalogue([api("pets", allowing("api_key", "x_api_key"))])
    assert refusing(base, PutGateway(ALLOW)) == []


def test_a_document_of_an_earlier_version_is_valid_and_reported() -> None:
    cors = "{allowed_origins: [https://a.example.com], allowed_methods: [GET], allow_headers: [api_key]}"
    native = "http://127.0.0.1:9"
    text = f"apis:\n- {{name: pets, version: '1', type: rest, native: '{native}', cors: {cors}}}\n"
    reading = read_document(text)
    assert reading.catalogue is not None
    first = check_catalogue(reading.catalogue)
    assert "header-underscore" in [one.diagnostic.code for one in first.findings()]
    changed = replace(reading.catalogue, gateway=ALLOW)
    again = check_catalogue(changed, first)
    assert "header-underscore" not in [one.diagnostic.code for one in again.findings()]
