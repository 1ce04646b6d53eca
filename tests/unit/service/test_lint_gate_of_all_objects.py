"""What the lint gate refuses beside policies: applications, server-level settings, public origins.

And suppressions: each covers one entry; those of earlier versions, without an entry, cover what was there.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.catalogues import api, application, catalogue, policy

from crossgate.catalogue.model import Api, Application, Catalogue, Gateway, LintSettings, Suppression
from crossgate.catalogue.reader import read_settings
from crossgate.lint.check import check_catalogue
from crossgate.policy import build_policy
from crossgate.policy.server_cors import PREFIX
from crossgate.service.changes import (
    Associate,
    Change,
    PutApi,
    PutApplication,
    PutGateway,
    PutPolicy,
    PutSettings,
    ReplaceAll,
    Restore,
    ResumeApplication,
)
from crossgate.service.objects import ObjectKind
from crossgate.service.plan import Plan, make_plan
from crossgate.service.snapshot import Snapshot

HERS = "https://www.example.com"
NO_TLS = "http://shop.example.com"
LOCAL = "http://localhost:3000"
ANYBODY, ANYBODY_TOO = r"https://.*example\.com", r"https://.*example\.org"
OPEN, CLOSED = policy(HERS, credentials=True), policy(HERS)


def plan(base: Catalogue, *changes: Change) -> Plan:
    return make_plan(Snapshot.of(1, base), changes)


def refusing(base: Catalogue, *changes: Change) -> list[tuple[str, str]]:
    return [(one.diagnostic.code, one.diagnostic.place.json_path) for one in plan(base, *changes).refusing]


def codes(found: Plan) -> list[str]:
    return [one.diagnostic.code for one in found.findings]


def settings(origins: object, *, enabled: bool = True, **more: object) -> PutSettings:
    named = {f"{PREFIX}{name}": value for name, value in more.items() if name != "lint"}
    lint = {"lint": more["lint"]} if "lint" in more else {}
    basic = {f"{PREFIX}enabled": enabled, f"{PREFIX}allowedOrigins": origins, f"{PREFIX}maxAge": 600}
    return PutSettings(read_settings({**basic, **named, **lint}))


def with_settings(change: PutSettings) -> Catalogue:
    return Catalogue(settings=change.settings)


def accepting(*allowed: Suppression) -> LintSettings:
    return LintSettings(allowed)


class TestApplications:
    SHOP = application("shop", NO_TLS)
    KIOSK = application("kiosk", LOCAL, apis=["closed/1.0"])
    BASE = catalogue([api("open", OPEN), api("closed", CLOSED)], [SHOP, KIOSK])
    AT_SHOP, AT_KIOSK = (f"$.applications.{name}.javascript_origins[0]" for name in ("shop", "kiosk"))

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (Associate("shop", "open/1.0"), ("http-origin", AT_SHOP)),
            (Associate("kiosk", "open/1.0"), ("localhost", AT_KIOSK)),
            (PutApplication(replace(KIOSK, apis=("open/1.0",))), ("localhost", AT_KIOSK)),
            (PutPolicy("closed/1.0", OPEN), ("localhost", AT_KIOSK)),
        ],
    )
    def test_origin_that_begins_to_send_credentials(self, change: Change, found: tuple[str, str]) -> None:
        assert refusing(self.BASE, change) == [found]

    def test_without_credentials_it_is_a_warning(self) -> None:
        found = plan(self.BASE, Associate("shop", "closed/1.0"))
        assert (found.refusing, codes(found)) == ((), ["http-origin"])

    def test_accepted_origin(self) -> None:
        accepted = replace(self.KIOSK, lint=accepting(Suppression("localhost", "developers only", LOCAL)))
        first = plan(self.BASE, PutApplication(accepted))
        assert (first.refusing, codes(first)) == ((), [])
        base = catalogue(self.BASE.apis.values(), [accepted])
        assert refusing(base, PutPolicy("closed/1.0", OPEN), Associate("kiosk", "open/1.0")) == []
        other = replace(accepted, javascript_origins=(LOCAL, "http://localhost:3001"), apis=("open/1.0",))
        assert refusing(base, PutApplication(other)) == [
            ("localhost", "$.applications.kiosk.javascript_origins[1]")
        ]

    def test_stored_origin_blocks_no_other_change(self) -> None:
        shop = replace(self.SHOP, apis=("open/1.0",))
        base = catalogue([api("open", OPEN), api("more", OPEN)], [shop])
        more = replace(shop, javascript_origins=(NO_TLS, HERS))
        assert refusing(base, PutApplication(more)) == []
        assert refusing(base, PutApi(replace(base.apis["open/1.0"], native_timeout=3.0))) == []
        assert refusing(base, PutPolicy("open/1.0", replace(OPEN, max_age=5))) == []
        assert refusing(base, Associate("shop", "more/1.0")) == [("http-origin", self.AT_SHOP)]

    def test_resumed_origin_counts_as_new(self) -> None:
        shop = replace(self.SHOP, apis=("open/1.0",), suspended=True)
        base = catalogue([api("open", OPEN)], [shop])
        assert refusing(base, ResumeApplication("shop")) == [("http-origin", self.AT_SHOP)]

    def test_policy_that_is_enforced_from_now_on(self) -> None:
        observed = build_policy(allowed_origins=[HERS], allow_credentials=True, mode="observe")
        shop = replace(self.SHOP, apis=("pets/1.0",))
        base = catalogue([api("pets", observed)], [shop])
        assert refusing(base, PutPolicy("pets/1.0", OPEN)) == [("http-origin", self.AT_SHOP)]
        enforced = catalogue([api("pets", OPEN)], [shop])
        assert refusing(enforced, PutPolicy("pets/1.0", observed)) == []

    def test_new_api_with_its_application(self) -> None:
        shop = replace(self.SHOP, apis=("new/1.0",))
        changes = (PutApi(api("new", OPEN)), PutApplication(shop))
        assert refusing(Catalogue(), *changes) == [("http-origin", self.AT_SHOP)]


class TestSettings:
    PLACE = f"$.settings['{PREFIX}allowedOrigins']"

    @pytest.mark.parametrize("enabled", [True, False])
    def test_origins_with_credentials(self, *, enabled: bool) -> None:
        change = settings("r:https://.* , null", enabled=enabled, supportsCredentials=True)
        found = refusing(Catalogue(), change)
        assert {("origin-unbounded", self.PLACE), ("origin-null", self.PLACE)} <= set(found)

    def test_place_of_an_entry_of_a_list(self) -> None:
        change = settings(["", HERS, f"r:{ANYBODY}"])
        assert refusing(Catalogue(), change) == [("origin-unbounded", f"{self.PLACE}[2]")]

    def test_fix_and_remedy_are_spelled_as_settings(self) -> None:
        (found,) = plan(Catalogue(), settings(f"r:{ANYBODY}")).refusing
        assert found.fix is not None
        assert found.fix.startswith("r:https://")
        assert found.diagnostic.remedy.startswith(f"Write {found.fix}; or accept it: add ")
        assert found.diagnostic.remedy.endswith(" to lint.allow of the section settings")
        read_settings({f"{PREFIX}allowedOrigins": found.fix})

    def test_rules_about_headers_and_methods(self) -> None:
        change = settings(HERS, maxAge=0, supportedHeaders=["Cookie"], exposedHeaders="Set-Cookie")
        found = plan(Catalogue(), change)
        assert {(one.diagnostic.code, one.diagnostic.place.json_path) for one in found.findings} == {
            ("header-forbidden", f"$.settings['{PREFIX}supportedHeaders'][0]"),
            ("header-content-type-missing", f"$.settings['{PREFIX}supportedHeaders']"),
            ("expose-forbidden", f"$.settings['{PREFIX}exposedHeaders']"),
            ("maxage-zero", f"$.settings['{PREFIX}maxAge']"),
        }
        remedies = " ".join(one.diagnostic.remedy for one in found.findings)
        assert f"Add Content-Type to {PREFIX}supportedHeaders" in remedies
        assert "allow_headers" not in remedies
        assert "max_age" not in remedies

    def test_star_beside_others_is_reported(self) -> None:
        assert "star-mixed" in codes(plan(Catalogue(), settings(["*", HERS])))

    def test_accepted_entry(self) -> None:
        item = {"code": "origin-unbounded", "entry": f"r:{ANYBODY}", "reason": "all of them are ours"}
        accepted = settings(f"r:{ANYBODY}", lint={"allow": [item]})
        assert refusing(Catalogue(), accepted) == []
        more = settings(f"r:{ANYBODY} r:{ANYBODY_TOO}", lint={"allow": [item]})
        assert refusing(with_settings(accepted), more) == [("origin-unbounded", self.PLACE)]

    def test_stored_settings_block_no_other_change(self) -> None:
        base = with_settings(settings(f"r:{ANYBODY}"))
        assert refusing(base, settings(f"r:{ANYBODY}", maxAge=5)) == []
        assert refusing(base, settings(f"r:{ANYBODY}", enabled=False)) == []
        assert refusing(base, settings(f"r:{ANYBODY}", supportsCredentials=True))

    def test_settings_that_are_enabled_from_now_on(self) -> None:
        base = with_settings(settings(f"r:{ANYBODY}", enabled=False))
        assert refusing(base, settings(f"r:{ANYBODY}")) == [("origin-unbounded", self.PLACE)]


class TestPublicOrigins:
    def test_they_count_as_with_credentials(self) -> None:
        change = PutGateway(Gateway(public_origins=(HERS, LOCAL)))
        assert refusing(Catalogue(), change) == [("localhost", "$.gateway.public_origins[1]")]

    def test_stored_ones_block_no_other_change(self) -> None:
        base = Catalogue(Gateway(public_origins=(LOCAL,)))
        assert refusing(base, PutGateway(Gateway(public_origins=(HERS, LOCAL)))) == []

    def test_rollback_is_never_refused(self) -> None:
        back = Restore({(ObjectKind.GATEWAY, "gateway"): Gateway(public_origins=(LOCAL,))})
        found = plan(Catalogue(), back)
        assert (found.refusing, codes(found)) == ((), ["localhost"])


class TestSuppressions:
    UNBOUND = accepting(Suppression("origin-unbounded", "of an earlier version"))
    BOUND = accepting(Suppression("origin-unbounded", "all of them are ours", ANYBODY))

    @staticmethod
    def pets(lint: LintSettings, *patterns: str) -> Api:
        origins = [{"regex": pattern} for pattern in patterns]
        others = policy("https://app.example.net", *origins)
        return replace(api("pets", replace(others, max_age=600)), lint=lint)

    def test_stored_one_without_entry_stays_valid_and_is_reported(self) -> None:
        stored = self.pets(self.UNBOUND, ANYBODY)
        found = plan(catalogue([stored]), PutApi(replace(stored, native_timeout=3.0)))
        assert (found.refusing, codes(found)) == ((), ["allowance-unbound"])
        assert ANYBODY in found.findings[0].diagnostic.remedy
        assert [one.diagnostic.code for one in check_catalogue(catalogue([stored])).findings()] == [
            "allowance-unbound"
        ]

    def test_it_covers_no_later_entry(self) -> None:
        stored = self.pets(self.UNBOUND, ANYBODY)
        change = PutApi(self.pets(self.UNBOUND, ANYBODY, ANYBODY_TOO))
        at = "$.apis['pets/1.0'].cors.allowed_origins[2]"
        assert refusing(catalogue([stored]), change) == [("origin-unbounded", at)]

    def test_new_one_without_entry_covers_nothing(self) -> None:
        assert refusing(Catalogue(), PutApi(self.pets(self.UNBOUND, ANYBODY)))
        stored = catalogue([self.pets(LintSettings(), ANYBODY)])
        assert refusing(stored, PutApi(self.pets(self.UNBOUND, ANYBODY, ANYBODY_TOO)))

    def test_one_with_entry_covers_this_entry(self) -> None:
        assert refusing(Catalogue(), PutApi(self.pets(self.BOUND, ANYBODY))) == []
        assert refusing(Catalogue(), PutApi(self.pets(self.BOUND, ANYBODY_TOO, ANYBODY)))
        stored = catalogue([self.pets(self.UNBOUND, ANYBODY)])
        assert codes(plan(stored, PutApi(self.pets(self.BOUND, ANYBODY)))) == []

    def test_removing_one_without_entry_is_refused(self) -> None:
        stored = catalogue([self.pets(self.UNBOUND, ANYBODY)])
        assert refusing(stored, PutApi(self.pets(LintSettings(), ANYBODY)))

    def test_stored_one_stays_valid_with_credentials(self) -> None:
        lint = accepting(Suppression("http-origin", "of an earlier version"))
        stored = replace(api("pets", policy(NO_TLS)), lint=lint)
        change = PutApi(replace(stored, cors=policy(NO_TLS, credentials=True)))
        assert refusing(catalogue([stored]), change) == []

    def test_finding_without_an_entry_needs_none(self) -> None:
        lint = accepting(Suppression("maxage-unset", "a test"))
        assert codes(plan(Catalogue(), PutApi(replace(api("pets", CLOSED), lint=lint)))) == []

    def test_origin_that_an_application_brings(self) -> None:
        outside = "https://shop.example.net"
        pets = replace(api("pets", policy(HERS)), trusted_domains=("example.com",))
        shop = Application("shop", (outside,))
        for lint, refused in (
            (LintSettings(), True),
            (accepting(Suppression("untrusted-domain", "of an earlier version")), True),
            (accepting(Suppression("untrusted-domain", "a partner", outside)), False),
            (accepting(Suppression("untrusted-domain", "a partner", "https://other.example.net")), True),
        ):
            base = catalogue([replace(pets, lint=lint)], [shop])
            assert bool(refusing(base, Associate("shop", "pets/1.0"))) is refused

    def test_document_of_an_earlier_version(self) -> None:
        """Applied again to the gateway that has it stored, with one more entry."""
        stored = catalogue([self.pets(self.UNBOUND, ANYBODY)])
        assert refusing(stored, ReplaceAll(stored)) == []
        more = catalogue([self.pets(self.UNBOUND, ANYBODY, ANYBODY_TOO)])
        assert len(refusing(stored, ReplaceAll(more))) == 1
