"""Which policy actions are in force for an API: those of its own policy, and CORS of global policies.

"If there are policies applied at the global-level for the API, then those policies will override every other
policy configured at the API-level", says the product's page "Managing Scope-level ApiPolicies".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from crossgate.importers.combine import strictest
from crossgate.importers.cursor import Cursor
from crossgate.importers.found import FoundPolicy
from crossgate.importers.report import Report
from crossgate.importers.webmethods.assets import ExportAssets
from crossgate.importers.webmethods.cors_action import TEMPLATE, read_cors_action
from crossgate.importers.webmethods.scope import applies_to

_STAGE: Final = "responseProcessing"
"""The stage of the CORS policy."""
_GLOBAL: Final = "GLOBAL"


class ApiPolicies:
    """The policies of a document; each problem is reported once."""

    def __init__(self, assets: ExportAssets, report: Report) -> None:
        self._assets = assets
        self._report = report
        self._used: set[str] = set()
        self._read: dict[tuple[object, ...], FoundPolicy] = {}
        self._global = [*self._find_global()]

    def actions_of(self, api: Cursor) -> list[Cursor]:
        """The policy actions of the API's own policy, in their order."""
        policies = api["policies"]
        if not policies.exists:
            self._report.warning(
                "policies-unknown",
                "it is not known whether the API has a policy: it is imported as pass-through",
                "Import the API's own answer (GET /apis/ID), or the export archive",
                api["apiName"].place,
                api["apiName"].text,
            )
        actions: list[Cursor] = []
        for reference in policies.entries():
            policy = self._assets.policies.get(reference.text or "")
            if policy is None:
                self._warn_missing("policy", reference)
            else:
                self._used.add(reference.text or "")
                actions += self._actions(policy)
        return actions

    def cors_of(self, api: Cursor, actions: Iterable[Cursor]) -> FoundPolicy | None:
        """The CORS policy in force for the API, or what all allow that can be; None for pass-through."""
        of_scopes = [*self._cors_of_scopes(api)]
        own = [one for one in actions if one["templateKey"].value == TEMPLATE]
        applying = [(self._applies(policy, api), action) for policy, action in self._global]
        overriding = [action for applies, action in applying if applies]
        if own and overriding:
            self._report.info(
                "policy-overridden",
                "the CORS policy of the API is not in force: a global policy overrides it",
                "Check the policy of the API, which is the global one",
                own[0]["templateKey"].place,
                api["apiName"].text,
            )
        candidates = overriding or own
        # Other policies count for a part of the API, or perhaps: none of them may be stricter.
        others = [action for applies, action in applying if applies is None]
        others += [] if overriding else of_scopes
        if len(candidates) > 1:
            self._report.warning(
                "policy-twice",
                f"{len(candidates)} CORS policies apply to the API, and one is possible: the API gets what "
                "all of them allow",
                "Remove the others in the source, and export again",
                candidates[1]["templateKey"].place,
                api["apiName"].text,
            )
        if not candidates:
            return None
        return strictest([self.read_cors(one) for one in [*candidates, *others]])

    def read_cors(self, action: Cursor) -> FoundPolicy:
        """The policy of a CORS action. That of a global policy is of several APIs, and reported once."""
        key = _key(action)
        if key not in self._read:
            self._read[key] = read_cors_action(action, self._report)
        return self._read[key]

    def report_unused(self) -> None:
        """Report the CORS policies that no API of the document has."""
        attached = {_key(action) for _, action in self._global}
        for identity, policy in self._assets.policies.items():
            for action in self._actions(policy, quiet=True):
                attached.add(_key(action))
                is_cors = action["templateKey"].value == TEMPLATE
                if is_cors and identity not in self._used and not self._is_global(policy):
                    self._warn_unused(policy, action)
        for action in self._assets.actions.values():
            if action["templateKey"].value == TEMPLATE and _key(action) not in attached:
                self._warn_unused(action, action)

    def _warn_unused(self, policy: Cursor, action: Cursor) -> None:
        scope = policy["policyScope"].text
        self._report.warning(
            "policy-unused",
            "no API of the document has this CORS policy"
            + (f", whose scope is {scope}: an API of Crossgate has one policy" if scope else ""),
            "Export it with its API, or add it to an API of the document",
            (policy["policyScope"] if scope else action["templateKey"]).place,
            policy["names"][0]["value"].text,
        )

    def _find_global(self) -> Iterator[tuple[Cursor, Cursor]]:
        """The active global policies with a CORS action, and the action."""
        for policy in self._assets.policies.values():
            if not self._is_global(policy):
                continue
            active = policy["active"].value is True
            others = []
            for action in self._actions(policy, quiet=not active):
                if action["templateKey"].value != TEMPLATE:
                    others.append(action)
                elif active:
                    yield policy, action
                else:
                    self._report.info(
                        "policy-inactive",
                        "the global CORS policy is not active in the source, and left out",
                        "Add it to the policies of the APIs if it shall be in force",
                        policy["active"].place,
                        policy["names"][0]["value"].text,
                    )
            if active and others and policy["systemPolicy"].value is not True:
                keys = dict.fromkeys(one["templateKey"].text or "?" for one in others)
                self._report.warning(
                    "policy-actions-left-out",
                    "Crossgate does not do what these actions of a global policy do",
                    "Let the native services do it, or a proxy before Crossgate",
                    policy["names"].place,
                    ", ".join(keys),
                )

    @staticmethod
    def _is_global(policy: Cursor) -> bool:
        return policy["policyScope"].value == _GLOBAL or policy["global"].value is True

    def _applies(self, policy: Cursor, api: Cursor) -> bool | None:
        applies = applies_to(policy, api)
        if applies is None:
            self._report.warning(
                "policy-scope",
                "it is unclear whether the global CORS policy applies to the whole of an API: only what it "
                "allows, too, is left of the API's own policy, if it has one",
                "Add the policy to the API in the document if it applies",
                policy["scope"].place,
                f"{api['apiName'].text} {api['apiVersion'].text}",
            )
        return applies

    def _actions(self, policy: Cursor, *, quiet: bool = False) -> Iterator[Cursor]:
        for stage in policy["policyEnforcements"].entries():
            for enforcement in stage["enforcements"].entries():
                reference = enforcement["enforcementObjectId"]
                action = self._assets.actions.get(reference.text or "")
                if action is not None:
                    # The stage counts: the product enforces an action in the stage to which it belongs.
                    if action["templateKey"].value != TEMPLATE or stage["stageKey"].value == _STAGE:
                        yield action
                elif stage["stageKey"].value == _STAGE and not quiet:
                    self._warn_missing("policy action", reference)

    def _warn_missing(self, what: str, reference: Cursor) -> None:
        self._report.warning(
            "asset-missing",
            f"the {what} is not in the document: if it has CORS, that is not taken over",
            "Import it together with the API: the export archive has both",
            reference.place,
            reference.text,
        )

    def _cors_of_scopes(self, api: Cursor) -> Iterator[Cursor]:
        """The CORS actions of scopes, each of which overrides that of the API for a part of it."""
        for scope in api["scopes"].entries():
            for reference in scope["policies"].entries():
                policy = self._assets.policies.get(reference.text or "")
                self._used.add(reference.text or "")
                for action in () if policy is None else self._actions(policy, quiet=True):
                    if action["templateKey"].value == TEMPLATE:
                        self._report.warning(
                            "policy-of-scope",
                            "the CORS policy is of a scope, a part of an API: an API of Crossgate has one "
                            "policy, and gets what both allow",
                            "Split the API, or merge the policies by hand",
                            reference.place,
                            scope["name"].text,
                        )
                        yield action


def _key(asset: Cursor) -> tuple[object, ...]:
    return (*asset.path, asset.tree.file)
