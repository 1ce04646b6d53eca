"""The file of `crossgate run --oidc`, and what a person's groups permit."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.source import ROOT

from crossgate.console.oidc.failure import SignInFailedError
from crossgate.console.oidc.options import OIDC, SECRET_VARIABLE, GroupRole, OidcOptions, read_oidc_options
from crossgate.console.oidc.person import caller_of
from crossgate.diagnostics import InvalidInput
from crossgate.service.permission import Role

_FILE = """\
issuer: https://login.example.com/realms/main
client_id: crossgate
client_secret_file: secret
console_url: https://console.example.com:8443/
roles:
  - {group: platform, role: admin}
  - {group: web, role: editor, apis: [petstore]}
session_hours: 8
"""
_NOW = datetime(2026, 11, 28, tzinfo=UTC)
_OPTIONS = OidcOptions(
    "https://login.example.com",
    "crossgate",
    "https://console.example.com",
    (
        GroupRole("platform", Role.ADMIN),
        GroupRole("web", Role.EDITOR, ("petstore",)),
        GroupRole("shop", Role.EDITOR, ("orders", "petstore")),
        GroupRole("everybody", Role.VIEWER),
    ),
    session_hours=8,
)


def _write(folder: Path, text: str) -> Path:
    file = folder / "oidc.yaml"
    file.write_text(text)
    (folder / "secret").write_text("s3cret\n")
    return file


def test_the_file_is_read_with_its_secret(tmp_path: Path) -> None:
    options = read_oidc_options(_write(tmp_path, _FILE), {})
    assert options.client_secret == "s3cret"
    assert options.console_url == "https://console.example.com:8443"
    assert (options.console_host, options.secure) == ("console.example.com", True)
    assert options.roles[1] == GroupRole("web", Role.EDITOR, ("petstore",))


def test_the_environment_has_precedence(tmp_path: Path) -> None:
    assert read_oidc_options(_write(tmp_path, _FILE), {SECRET_VARIABLE: "other"}).client_secret == "other"


@pytest.mark.parametrize(
    ("before", "after", "code", "line"),
    [
        ("https://login.example.com", "http://login.example.com", "oidc-issuer", 1),
        ("https://login.example.com", "https://u@login.example.com", "oidc-issuer", 1),
        ("console.example.com:8443/", "console.example.com/crossgate", "oidc-console-url", 4),
        ("role: admin", "role: root", "wrong-type", 6),
        ("role: admin", "role: admin, apis: [petstore]", "token-admin-limited", 6),
        ("session_hours: 8", "session_hours: 100", "wrong-type", 8),
        ("session_hours: 8", "scopes: [profile]", "oidc-scopes", 8),
        ("session_hours: 8", "sessionhours: 8", "unknown-key", 8),
        ("client_id: crossgate", "# none", "missing-key", None),
    ],
)
def test_an_error_has_its_line(tmp_path: Path, before: str, after: str, code: str, line: int | None) -> None:
    file = _write(tmp_path, _FILE.replace(before, after))
    with pytest.raises(InvalidInput) as refused:
        read_oidc_options(file, {})
    found = refused.value.diagnostics[0]
    assert (found.code, found.place.file) == (code, str(file))
    assert line is None or found.place.line == line


def test_a_secret_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    file = _write(tmp_path, _FILE)
    (tmp_path / "secret").unlink()
    with pytest.raises(InvalidInput):
        read_oidc_options(file, {})


def _claims(groups: Any, **others: Any) -> dict[str, Any]:
    return {"email": "ann@example.com", "groups": groups, **others}


@pytest.mark.parametrize(
    ("groups", "role", "apis"),
    [
        (["platform", "web"], Role.ADMIN, ()),
        (["web"], Role.EDITOR, ("petstore",)),
        (["web", "shop"], Role.EDITOR, ("petstore", "orders")),
        (["everybody", "web"], Role.EDITOR, ("petstore",)),
        ("everybody", Role.VIEWER, ()),
    ],
)
def test_groups_give_the_highest_role(groups: Any, role: Role, apis: tuple[str, ...]) -> None:
    caller = caller_of(_claims(groups), _OPTIONS, _NOW)
    assert (caller.role, caller.apis) == (role, apis)
    assert caller.name == "oidc:ann@example.com"
    assert caller.expires is not None
    assert (caller.expires - _NOW).total_seconds() == 8 * 3600


@pytest.mark.parametrize(
    "groups", [[], None, ["Platform"], ["platform "], [["platform"]], {"platform": 1}, 5]
)
def test_without_a_known_group_nobody_signs_in(groups: Any) -> None:
    with pytest.raises(SignInFailedError) as refused:
        caller_of(_claims(groups), _OPTIONS, _NOW)
    assert "platform, web, shop, everybody" in refused.value.remedy


@pytest.mark.parametrize("email", [None, "", 5, "a\nb", "x" * 300])
def test_without_a_usable_name_nobody_signs_in(email: Any) -> None:
    with pytest.raises(SignInFailedError):
        caller_of(_claims(["web"]) | {"email": email}, _OPTIONS, _NOW)


@pytest.mark.parametrize("verified", [False, "false", "False"])
def test_an_address_that_is_not_verified_is_no_name(verified: object) -> None:
    with pytest.raises(SignInFailedError):
        caller_of(_claims(["web"], email_verified=verified), _OPTIONS, _NOW)


def test_every_key_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "oidc.md").read_text(encoding="utf-8")
    assert all(f"`{one.name}`" in page for one in OIDC.fields)
    assert SECRET_VARIABLE in page
