"""A change that allows refusals is previewed and made over REST, with what was seen and what was typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.console_site import Site, running_site

PREVIEW = "https://pr-417.preview.example.com"
PROVEN = r"https://pr-[0-9]+\.preview\.example\.com"
UNSAFE = r"https://pr-[0-9]+.preview.example.com"


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as running:
        yield running


def path_of(site: Site, origin: str, api: str = "petstore/1.0") -> str:
    items = site.api.viewer.get("/v1/refusals", params={"limit": 100}).json()["items"]
    return next(f"/v1/refusals/{one['id']}" for one in items if (one["origin"], one["api"]) == (origin, api))


def preview(site: Site, path: str, **choice: Any) -> dict[str, Any]:
    response = site.api.viewer.post(f"{path}/preview", json=choice)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def allow(site: Site, path: str, seen: dict[str, Any] | None = None, **choice: Any) -> httpx.Response:
    headers = {"If-Match": "*" if seen is None else seen["if_match"]}
    return site.api.editor.post(f"{path}/allow", json=choice, headers=headers)


def codes(response: httpx.Response) -> list[str]:
    return [one["code"] for one in response.json()["diagnostics"]]


def regex(value: str) -> dict[str, str]:
    return {"kind": "regex", "value": value}


def test_an_unsafe_pattern_is_refused_and_its_fix_allows_all_previews(site: Site) -> None:
    path = path_of(site, PREVIEW)
    unsafe = preview(site, path, entry=regex(UNSAFE))
    assert (unsafe["valid"], unsafe["errors"]) == (False, [])
    assert [one["code"] for one in unsafe["change"]["refused"]] == ["origin-unbounded"]
    assert unsafe["proof"]["fix"] == PROVEN
    assert codes(allow(site, path, unsafe, entry=regex(UNSAFE))) == ["origin-unbounded"]
    proven = preview(site, path, entry=regex(PROVEN))
    assert proven["valid"]
    assert proven["proof"]["verdict"]["words"] == "Only example.com"
    effect = proven["effect"]
    assert (effect["turned"], effect["refused"]) == (1204 + 842, 0)
    assert [(one["origin"], one["requests"]) for one in effect["gains"]] == [
        (PREVIEW, 1204),
        ("https://pr-398.preview.example.com", 842),
    ]
    made = allow(site, path, proven, entry=regex(PROVEN), sentence=proven["change"]["sentence"])
    assert made.status_code == 200, made.text
    assert made.json()["refusal"]["state"] == "allowed"
    policy = site.api.viewer.get("/v1/apis/petstore/1.0/policy").json()
    assert policy["allowed_origins"][-1] == {"regex": PROVEN}
    assert policy["allow_headers"] == ["Content-Type", "X-Trace"]


def test_a_finding_is_accepted_with_a_reason_bound_to_its_entry(site: Site) -> None:
    path = path_of(site, PREVIEW)
    accept = [{"code": "origin-unbounded", "entry": UNSAFE, "reason": "a test"}]
    assert preview(site, path, entry=regex(UNSAFE), accept=accept)["valid"]
    assert allow(site, path, entry=regex(UNSAFE), accept=accept).status_code == 200
    api = site.api.viewer.get("/v1/apis/petstore/1.0").json()
    assert accept[0] in api["lint"]["allow"]


def test_an_entry_that_misses_the_origin_or_is_invalid_is_refused_with_its_place(site: Site) -> None:
    path = path_of(site, PREVIEW)
    missed = preview(site, path, entry={"kind": "exact", "value": "https://other.example.com"})
    assert [one["code"] for one in missed["errors"]] == ["still-refused"]
    assert missed["proof"]["verdict"]["words"] == "Only this origin"
    invalid = preview(site, path, entry={"kind": "exact", "value": "other.example.com"})
    assert [(one["code"], one["path"]) for one in invalid["errors"]] == [("origin-invalid", "$.entry")]
    assert codes(allow(site, path, entry={"kind": "exact", "value": "other.example.com"})) == [
        "origin-invalid"
    ]


def test_the_origin_is_added_to_an_application_existing_or_new(site: Site) -> None:
    path = path_of(site, PREVIEW)
    seen = preview(site, path, application="partner-portal")
    assert (seen["valid"], seen["proof"]["verdict"]["words"]) == (True, "Only this origin")
    assert allow(site, path, seen, application="partner-portal").status_code == 200
    assert PREVIEW in site.api.viewer.get("/v1/applications/partner-portal").json()["javascript_origins"]
    other = path_of(site, "https://pr-398.preview.example.com")
    seen = preview(site, other, application="previews")
    assert seen["change"]["sentence"].endswith("and associate it with petstore/1.0")
    assert allow(site, other, seen, application="previews").status_code == 200
    made = site.api.viewer.get("/v1/applications/previews").json()
    assert (made["javascript_origins"], made["apis"]) == (
        ["https://pr-398.preview.example.com"],
        ["petstore/1.0"],
    )
    suspended = preview(site, path_of(site, "http://localhost:5173", "payments/3.0"), application="kiosk")
    assert [one["code"] for one in suspended["errors"]] == ["application-suspended"]


def test_methods_and_headers_are_added_to_the_policy(site: Site) -> None:
    path = path_of(site, "https://app.example.com")
    seen = preview(site, path, policy=True)
    assert seen["change"]["sentence"] == "Add PATCH to allowed_methods of petstore/1.0"
    assert (seen["proof"], seen["confirm"]) == (None, None)
    assert allow(site, path, seen, policy=True).status_code == 200
    path = path_of(site, "https://admin.example.com", "orders/2.1")
    assert preview(site, path, headers=["x-request-id", "x y"])["errors"] != []
    assert allow(site, path, headers=["x-request-id", "x-more"]).status_code == 200
    policy = site.api.viewer.get("/v1/apis/orders/2.1/policy").json()
    assert policy["allow_headers"] == ["Content-Type", "x-request-id", "x-more"]


@pytest.mark.parametrize(
    ("origin", "api", "value"),
    [
        ("https://shop.exarnple.com", "payments/3.0", "https://shop.exarnple.com"),
        ("null", "orders/2.1", "null"),
    ],
)
def test_a_look_alike_and_null_must_be_typed(site: Site, origin: str, api: str, value: str) -> None:
    path = path_of(site, origin, api)
    accept = [{"code": "origin-null", "entry": "null", "reason": "a test"}] if origin == "null" else []
    choice = {"policy": True, "accept": accept}
    seen = preview(site, path, **choice)
    assert seen["confirm"]["value"] == value, seen
    for typed in ("", "yes"):
        refused = allow(site, path, seen, **choice, confirm=typed)
        assert (refused.status_code, codes(refused)) == (422, ["confirmation-needed"])
        assert f"Send {value} in confirm" in refused.json()["diagnostics"][0]["remedy"]
    assert allow(site, path, seen, **choice, confirm=value).status_code == 200


def test_a_shared_domain_must_be_typed(site: Site) -> None:
    path = path_of(site, "https://storefront-git-main-acme.vercel.app")
    entry = {"kind": "wildcard", "value": "https://*.vercel.app"}
    assert preview(site, path, entry=entry)["confirm"]["value"] == "https://*.vercel.app"
    assert preview(site, path, policy=True)["confirm"] is None


def test_a_suggestion_that_moved_is_not_made(site: Site) -> None:
    path = path_of(site, PREVIEW)
    changes = site.api.viewer.get(path).json()["changes"]
    moved = allow(site, path, change=2, sentence=changes[0]["sentence"])
    assert (moved.status_code, codes(moved)) == (412, ["suggestion-moved"])
    assert allow(site, path, change=1, sentence=changes[0]["sentence"]).status_code == 200


def test_a_choice_is_refused_if_the_policy_changed_since_the_preview(site: Site) -> None:
    path = path_of(site, PREVIEW)
    seen = preview(site, path, policy=True)
    other = path_of(site, "https://pr-398.preview.example.com")
    assert allow(site, other, policy=True).status_code == 200
    assert allow(site, path, seen, policy=True).status_code == 412


def test_a_viewer_previews_and_does_not_allow(site: Site) -> None:
    path = path_of(site, PREVIEW)
    headers = {"If-Match": "*"}
    assert site.api.viewer.post(f"{path}/allow", json={}, headers=headers).status_code == 403
    assert site.api.viewer.post("/v1/refusals/0000/preview", json={}).status_code == 404
