"""What the policy editor shows beside its fields: verdicts, errors, findings, and what saving would do."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crossgate.console.difference import ObjectDifference, differences
from crossgate.console.policy_form import EXACT, LISTS, PolicyForm
from crossgate.console.render import as_time, counted, sentence

_PATH: Final = re.compile(r"\$\.(\w+)(?:\[(\d+)\])?.*")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,60}")
_ICONS: Final = {
    "error": ("refused", "is-bad"),
    "warning": ("warning", "is-warn"),
    "info": ("info", "muted"),
    "safe": ("ok", "is-ok"),
    "caution": ("warning", "is-warn"),
    "unsafe": ("refused", "is-bad"),
    "accepted": ("accepted", "muted"),
}
_REMOVED_BY: Final = (
    "duplicate",
    "shadowed",
    "dead-entry",
    "expose-",
    "header-response-only",
    "header-forbidden",
)
"""Beginnings of codes whose entry has no effect: removing it changes nothing else."""
_ADDED_BY: Final = {
    "header-content-type-missing": ("Add it", "add:allow_headers:Content-Type"),
    "header-star-authorization": ("Add it", "add:allow_headers:Authorization"),
    "maxage-unset": ("Use 7,200", "set:max_age:7200"),
}
_EVERY_BROWSER: Final = 600
"""Seconds for which every browser keeps a preflight's answer."""
_QUIET: Final = timedelta(days=1)
"""An entry that matched within it is not remarkable."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence beside a field, with at most one act."""

    icon: str
    tone: str
    text: str
    action: str = ""
    """The label of the act."""
    act: str = ""
    """For :meth:`PolicyForm.act`."""
    accept: str = ""
    """For an error that can be accepted: the act, which needs a reason."""
    accept_field: str = ""
    """The name of the field of the reason."""
    value: str = ""
    """What a request sent; shown after the text."""


@dataclass(frozen=True, slots=True)
class PolicyView:
    """Everything beside the fields of a draft."""

    form: PolicyForm
    verdicts: Mapping[int, Remark]
    """By the position of a row."""
    remarks: Mapping[str, Sequence[Remark]]
    """By ``row-N`` or the name of a property; empty for those that belong to no field."""
    application_origins: Sequence[Mapping[str, Any]]
    difference: Sequence[ObjectDifference] = ()
    effect: Mapping[str, Any] | None = None
    gains: int = 0
    loses: int = 0
    blocked: str = ""
    """Why it cannot be saved; empty if it can."""
    revision: int = 0
    """The one that saving would create."""
    moved: bool = False
    """Whether somebody else changed the policy since the draft was begun."""
    access: Mapping[str, Any] | None = None
    file: Mapping[str, Any] | None = None
    """In file mode: the file, the line, and its patch."""

    def of(self, name: str) -> Sequence[Remark]:
        """The remarks beside a field."""
        return self.remarks.get(name, ())

    def is_wrong(self, name: str) -> bool:
        """Whether a field has an error."""
        return any(one.icon == "refused" and not one.act.startswith("add:") for one in self.of(name))


@dataclass
class _Remarks:
    form: PolicyForm
    found: dict[str, list[Remark]] = field(default_factory=lambda: defaultdict(list))

    def place(self, path: str) -> str:
        """The field that a path of the API belongs to."""
        match = _PATH.fullmatch(path)
        if match is None:
            return ""
        name, index = match[1], match[2]
        if name == "allowed_origins" and index is not None and int(index) < len(self.form.active):
            return f"row-{self.form.active[int(index)]}"
        return name if name == "allowed_origins" or name in self.form.values else ""

    def add_error(self, one: Mapping[str, Any]) -> None:
        """An error of the API, with what to do."""
        self._put(one["path"], Remark("refused", "is-bad", f"{sentence(one['message'])} {one['remedy']}."))

    def add_finding(self, one: Mapping[str, Any]) -> None:
        """A finding of the linter, with its act."""
        icon, tone = _ICONS["error" if one["refuses"] else one["severity"]]
        action, act = self._act(one)
        accept = {
            name: one[key] for name, key in (("code", "code"), ("entry", "found")) if one[key] is not None
        }
        self._put(
            one["path"],
            Remark(
                icon,
                tone,
                self._text(one),
                action,
                act,
                f"accept:{json.dumps(accept)}" if one["refuses"] else "",
                f"reason:{one['code']}:{one['found'] or ''}",
            ),
        )

    def _text(self, one: Mapping[str, Any]) -> str:
        # A list shows all its values; the finding is about one of them.
        named = self.place(one["path"]) in LISTS and one["found"] is not None
        return f"{one['found']}: {one['message']}." if named else sentence(one["message"])

    def _put(self, path: str, remark: Remark) -> None:
        found = self.found[self.place(path)]
        if remark.icon == "refused":
            found.insert(0, remark)
        else:
            found.append(remark)

    def _act(self, one: Mapping[str, Any]) -> tuple[str, str]:
        code, place = one["code"], self.place(one["path"])
        row = place.removeprefix("row-") if place.startswith("row-") else ""
        if one.get("fix") and row:
            return f"Use {one['fix']}", f"replace:{row}:{one['fix']}"
        if code == "maxage-cap":
            seconds = 7200 if "Chromium" in one["message"] else 600 if "WebKit" in one["message"] else 86400
            return f"Use {seconds:,}", f"set:max_age:{seconds}"
        if code in _ADDED_BY:
            return _ADDED_BY[code]
        if code.startswith(_REMOVED_BY):
            if row:
                return "Remove", f"remove:{row}"
            if place in LISTS and one["found"]:
                return "Remove", f"drop:{place}:{one['found']}"
        return "", ""


def policy_view(
    form: PolicyForm, preview: Mapping[str, Any], traffic: Mapping[str, Any], etag: str = ""
) -> PolicyView:
    """The view of a draft; ``etag`` is that of the policy that is saved now."""
    remarks = _Remarks(form)
    for error in preview["errors"]:
        remarks.add_error(error)
    for one in preview["findings"]:
        remarks.add_finding(one)
    for place, one in _accepted(remarks, preview["accepted"]):
        remarks.found[place].append(one)
    for place, one in _of_traffic(form, traffic):
        remarks.found[place].append(one)
    effect, access = preview["effect"], preview["access"] or {"gains": (), "loses": ()}
    verdicts = {
        form.active[one["index"]]: _verdict(one["verdict"])
        for one in preview["origins"]
        if one["verdict"] is not None and one["index"] < len(form.active)
    }
    lost = {one["origin"]: one for one in (effect or {"loses": ()})["loses"]}
    for at, row in enumerate(form.rows):
        if row.removed:
            verdicts[at] = _removed(row.entry, row.kind, lost, access["loses"])
    problems = len(preview["errors"]) + sum(one["refuses"] for one in preview["findings"])
    return PolicyView(
        form,
        verdicts,
        dict(remarks.found),
        preview["application_origins"],
        differences(preview["objects"]),
        effect,
        len(access["gains"]),
        len(access["loses"]),
        f"{counted(problems, 'error')} to fix first" if problems else "",
        preview["base"] + 1,
        moved=bool(etag != form.etag and form.added),
        access=preview["access"],
        file=preview["file"],
    )


def empty_view(form: PolicyForm) -> PolicyView:
    """The view without a preview: of an API without a policy, or when the API cannot make one."""
    return PolicyView(form, {}, {}, ())


def _verdict(found: Mapping[str, Any]) -> Remark:
    icon, tone = _ICONS[found["safety"]]
    return Remark(icon, tone, found["words"])


def _removed(entry: object, kind: str, lost: Mapping[str, Mapping[str, Any]], loses: Sequence[str]) -> Remark:
    found = lost.get(str(entry)) if kind == EXACT else None
    if found is not None and found["clients"]:
        return Remark("warning", "is-warn", f"{counted(found['clients'], 'client')} lose access")
    if found is not None:
        return Remark("warning", "is-warn", f"{counted(found['requests'], 'request')} in 24 h lose access")
    name = f"r:{entry['regex']}" if isinstance(entry, Mapping) else entry
    if name in loses:
        return Remark("warning", "is-warn", "Loses access")
    return Remark("info", "muted", "Still allowed by another entry")


def _accepted(remarks: _Remarks, found: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Remark]]:
    for one in found:
        finding = one["finding"]
        place = "" if finding is None else remarks.place(finding["path"])
        text = f"{'No longer found' if finding is None else 'Accepted'} ({one['code']}): “{one['reason']}”."
        yield place, Remark("accepted", "muted", text, "Withdraw", f"withdraw:{one['index']}")


def _of_traffic(form: PolicyForm, traffic: Mapping[str, Any]) -> Iterator[tuple[str, Remark]]:
    for name, key in (("allowed_methods", "refused_methods"), ("allow_headers", "refused_headers")):
        allowed = {one.lower() if name == "allow_headers" else one for one in form.values[name]}
        for one in traffic.get(key, ()):
            sent, count = one["name"], one["refusals"]
            if sent in allowed or "*" in allowed or not _TOKEN.fullmatch(sent):
                continue
            text = f"{sent} refused {counted(count, 'time')}."
            yield name, Remark("refused", "is-bad", text, f"Allow {sent}", f"add:{name}:{sent}")
    if not traffic.get("any_allowed"):
        return
    entries = {one["index"]: one for one in traffic["entries"]}
    for at, row in enumerate(form.rows):
        one = entries.get(-1 if row.was is None else row.was)
        if one is None or row.removed or form.row_state(row) or not one["judged"]:
            continue
        matched = one["last_matched"]
        if matched is None:
            yield f"row-{at}", Remark("info", "muted", "No match recorded")
        elif datetime.now(UTC) - as_time(matched) > _QUIET:
            since = "" if one["revision"] is None else f" since revision {one['revision']}"
            yield f"row-{at}", Remark("info", "muted", f"Not matched{since or ' in 24 h'}")


def age_words(value: object) -> str:
    """A number of seconds as people say it: `10 min`, `2 h`, `1 day`."""
    if not isinstance(value, int):
        return ""
    parts = []
    for size, unit in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        count, value = divmod(value, size)
        if count:
            parts.append(f"{count:,} {unit}{'s' if unit == 'day' and count != 1 else ''}")
    return " ".join(parts[:2]) or "0 s"


def age_verdict(value: object) -> str:
    """Which browsers keep a preflight's answer that long; empty if a finding says it."""
    within = isinstance(value, int) and value <= _EVERY_BROWSER
    return "Within every browser\N{RIGHT SINGLE QUOTATION MARK}s limit" if within else ""
