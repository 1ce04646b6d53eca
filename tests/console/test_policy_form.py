"""The policy editor's form: fields in, a policy out; two people's changes together."""

from __future__ import annotations

from typing import Any

from crossgate.console.policy_form import PolicyForm

API: dict[str, Any] = {
    "name": "pets",
    "cors": {
        "allowed_origins": [
            "https://a.example",
            "https://*.b.example",
            {"regex": "https://c[0-9]\\.example"},
        ],
        "allowed_methods": ["GET", "POST", "HEAD"],
        "allow_headers": ["X-Trace"],
        "max_age": 86400,
    },
    "lint": {"allow": [{"code": "http-origin", "entry": "http://k.example", "reason": "old"}]},
}


def form() -> PolicyForm:
    return PolicyForm.of(API, '"1"')


def fields(found: PolicyForm, *more: tuple[str, str]) -> list[tuple[str, str]]:
    """The fields as the template writes them."""
    result = [("state", found.state)]
    for row in found.rows:
        was = "" if row.was is None else str(row.was)
        mark = f"{was}-removed" if row.removed else was
        result += [("kind", row.kind), ("origin", row.text), ("row", mark)]
    for name in ("allowed_methods", "allow_headers", "expose_headers"):
        result += [(name, one) for one in found.values[name]]
    if found.values["allow_credentials"]:
        result.append(("allow_credentials", "on"))
    age = found.values["max_age"]
    return [
        *result,
        ("max_age", "" if age is None else str(age)),
        ("mode", found.values["mode"]),
        ("plain_options", found.values["plain_options"]),
        *more,
    ]


def test_a_form_reads_back_as_the_policy_that_it_shows() -> None:
    found = PolicyForm.read(fields(form()))
    assert found == form()
    assert found.policy == API["cors"]
    assert found.changes == 0


def test_rows_are_removed_restored_and_added() -> None:
    removed = form().act("remove:1")
    assert [removed.row_state(row) for row in removed.rows] == ["", "removed", ""]
    assert PolicyForm.read(fields(removed)) == removed
    assert "https://*.b.example" not in removed.policy["allowed_origins"]
    assert removed.act("restore:1") == form()
    pasted = PolicyForm.read(fields(form(), ("new_origin", "https://d.example\nhttps://e.example:*, null")))
    assert [row.kind for row in pasted.rows[3:]] == ["exact", "port", "null"]
    assert pasted.changes == 3
    assert pasted.act("remove:3").changes == 2
    regex = PolicyForm.read(fields(form(), ("new_kind", "regex"), ("new_origin", "https://x")))
    assert regex.policy["allowed_origins"][3] == {"regex": "https://x"}


def test_lists_keep_their_order_and_take_what_is_typed() -> None:
    typed = PolicyForm.read(
        fields(form(), ("allowed_methods", "PATCH"), ("allow_headers_more", "X-A, X-B x-trace,"))
    )
    assert typed.policy["allowed_methods"] == ["GET", "POST", "HEAD", "PATCH"]
    assert typed.policy["allow_headers"] == ["X-Trace", "X-A", "X-B", "x-trace"]
    assert typed.changes == 2
    assert typed.act("drop:allowed_methods:PATCH").policy["allowed_methods"] == ["GET", "POST", "HEAD"]
    assert form().act("add:allowed_methods:PUT").policy["allowed_methods"][-1] == "PUT"


def test_what_is_no_number_goes_to_the_api_as_it_is() -> None:
    found = PolicyForm.read([(name, "x1" if name == "max_age" else one) for name, one in fields(form())])
    assert found.policy["max_age"] == "x1"
    assert form().act("set:max_age:7200").policy["max_age"] == 7200


def test_acceptances_are_withdrawn_and_added() -> None:
    withdrawn = form().act("withdraw:0")
    assert (withdrawn.lint, withdrawn.changes) == ({"allow": []}, 1)
    accept = 'accept:{"code": "localhost", "entry": "http://localhost"}'
    accepted = form().act(accept, [("reason:localhost:http://localhost", " for now ")])
    assert accepted.lint == {
        "allow": [
            *API["lint"]["allow"],
            {"code": "localhost", "entry": "http://localhost", "reason": "for now"},
        ]
    }


def test_two_peoples_changes_come_together_and_conflicts_are_decided() -> None:
    mine = form().act("remove:0").act("set:max_age:600").act("add:allowed_methods:PATCH")
    mine = PolicyForm.read(fields(mine, ("new_origin", "https://mine.example")))
    policy = API["cors"]
    theirs = {
        **API,
        "cors": {
            **policy,
            "allowed_origins": [*policy["allowed_origins"], "https://theirs.example"],
            "allowed_methods": ["GET", "PUT", "POST"],
            "max_age": 7200,
            "mode": "observe",
        },
    }
    merged = mine.merged(theirs, '"2"')
    assert merged.etag == '"2"'
    assert merged.policy == {
        "allowed_origins": [
            *policy["allowed_origins"][1:],
            "https://theirs.example",
            "https://mine.example",
        ],
        "allowed_methods": ["GET", "PUT", "POST", "PATCH"],
        "allow_headers": ["X-Trace"],
        "max_age": 600,
        "mode": "observe",
    }
    assert [(one.name, one.was, one.theirs, one.mine) for one in merged.conflicts] == [
        ("max_age", 86400, 7200, 600)
    ]
    assert PolicyForm.read(fields(merged)).conflicts == merged.conflicts
    kept = merged.act("theirs:max_age")
    assert (kept.policy["max_age"], kept.conflicts) == (7200, ())
    used = merged.act("mine:max_age")
    assert (used.policy["max_age"], used.conflicts) == (600, ())


def test_an_api_without_a_policy_has_an_empty_form() -> None:
    found = PolicyForm.of({"name": "parcels"}, "")
    assert (found.added, found.base, found.changes) == (False, None, 0)
