"""The sheet in which a refusal is allowed: its fields, the choice that they stand for, and what it shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crossgate.console.render import counted
from crossgate.policy import is_well_formed

KINDS: Final = (("exact", "Exact"), ("wildcard", "Wildcard"), ("regex", "Regex"))
_ORIGIN, _PATTERN, _APPLICATION, _POLICY = "origin", "pattern", "application", "policy"
_SHOWN: Final = 2
"""Origins that gain access and are listed before "10 more"."""


@dataclass(frozen=True, slots=True)
class AllowForm:
    """What is chosen and typed. ``what`` is ``policy`` where no origin is refused."""

    what: str
    kind: str
    value: str
    application: str
    confirm: str = ""
    message: str = ""
    accept_reason: str = ""
    next: str = ""
    json: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, str], refusal: Mapping[str, Any]) -> AllowForm:
        """From a query or a posted form; what is missing is suggested."""
        kind, value = suggested_pattern(refusal)
        what = fields.get("what", _ORIGIN)
        by_origin = refuses_origin(refusal)
        if what not in (_ORIGIN, _PATTERN, _APPLICATION):
            what = _ORIGIN
        chosen = fields.get("kind", kind)
        return cls(
            what if by_origin else _POLICY,
            chosen if chosen in dict(KINDS) else kind,
            fields.get("value", value),
            (fields.get("new_application", "") or fields.get("application", "")).strip(),
            fields.get("confirm", "").strip(),
            fields.get("message", ""),
            fields.get("accept_reason", "").strip(),
            fields.get("next", ""),
            fields.get("format") == "json",
        )

    def choice(self, accept: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body of a preview; findings to ``accept`` get the reason that was typed."""
        body: dict[str, Any] = {"policy": True}
        if self.what == _PATTERN:
            body = {"entry": {"kind": self.kind, "value": self.value}}
        elif self.what == _APPLICATION and self.application:
            body = {"application": self.application}
        if self.accept_reason and accept:
            body["accept"] = [
                {"code": one["code"], "entry": one["found"], "reason": self.accept_reason} for one in accept
            ]
        return body


def refuses_origin(refusal: Mapping[str, Any]) -> bool:
    """Whether the refused requests lack an allowed origin."""
    now = refusal.get("now") or {}
    return "origin-refused" in (now.get("reason") or refusal["reason"], refusal["reason"])


def suggested_pattern(refusal: Mapping[str, Any]) -> tuple[str, str]:
    """The proven pattern that is suggested, or an expression for the origin alone."""
    for change in refusal["changes"]:
        if change["form"] == "domain-pattern":
            entries = change["objects"][0]["after"]["cors"]["allowed_origins"]
            return "wildcard", str(entries[-1])
    origin = refusal["origin"]
    if not is_well_formed(origin):
        return "exact", ""
    return "regex", re.sub(r"([.+*?^$()\[\]{}|\\])", r"\\\1", origin)


@dataclass(frozen=True, slots=True)
class AllowEffect:
    """What the last 24 hours say."""

    turned: int
    refusals: int
    share: str
    """Per cent of the refusals that would pass, for the bar."""
    refused: int
    gains: Sequence[Mapping[str, Any]]
    more: Sequence[Mapping[str, Any]]

    @property
    def more_clients(self) -> int:
        """Clients of the origins that are not listed at first."""
        return sum(one["clients"] or 0 for one in self.more)

    @property
    def more_requests(self) -> int:
        """Their refusals."""
        return sum(one["requests"] for one in self.more)


def effect_of(preview: Mapping[str, Any]) -> AllowEffect | None:
    """The effect of a preview."""
    found = preview["effect"]
    if not found:
        return None
    share = 100 * found["turned"] / found["refusals"] if found["refusals"] else 0
    gains = found["gains"]
    return AllowEffect(
        found["turned"], found["refusals"], f"{share:.1f}%", found["refused"], gains[:_SHOWN], gains[_SHOWN:]
    )


@dataclass(frozen=True, slots=True)
class Foot:
    """What becomes of the choice, or why it cannot be made."""

    button: str
    words: str
    blocked: bool
    acceptable: bool = False
    """Whether what blocks it can be accepted with a reason."""


def foot_of(form: AllowForm, preview: Mapping[str, Any], revision: int) -> Foot:
    """The foot of the sheet."""
    button = {_ORIGIN: "Allow origin", _PATTERN: "Allow pattern", _APPLICATION: "Add to application"}.get(
        form.what, "Allow"
    )
    refused = (preview["change"] or {}).get("refused", ())
    if form.what == _APPLICATION and not form.application:
        return Foot(button, "Choose an application", blocked=True)
    if preview["errors"]:
        return Foot(button, f"{counted(len(preview['errors']), 'error')} to fix first", blocked=True)
    if refused:
        count = len(refused)
        words = f"{counted(count, 'error')}. Fix {'it' if count == 1 else 'them'}, or"
        return Foot(button, words, blocked=True, acceptable=True)
    confirm = preview["confirm"]
    if confirm and form.confirm != confirm["value"]:
        return Foot(button, "Type the origin above to allow it", blocked=True)
    return Foot(button, f"Becomes revision {revision + 1}. You can undo it.", blocked=False)
