"""Exit codes and examples of each verb, for ``--help`` and for the reference page.

Every verb can also end with 130 (interrupted) and 141 (the reader of its output has closed it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_REFUSED: Final = "wrong usage, or the gateway refuses or cannot be reached"
_DONE_OR_REFUSED: Final[Mapping[int, str]] = {0: "done", 2: _REFUSED}


@dataclass(frozen=True, slots=True)
class VerbNotes:
    """What a verb's arguments and options do not say."""

    examples: Mapping[str, str]
    """What each does, and its command."""
    exit_codes: Mapping[int, str] = field(default_factory=lambda: _DONE_OR_REFUSED)


_SERVES: Final = {
    0: "stopped by a signal",
    1: "failed while it ran, or could not serve its listener: the log says why",
    2: "wrong usage, or the document, the store or an address cannot be used",
}
_CHANGED: Final = {
    0: "done; with --wait every node runs the revision",
    1: "with --wait: a node rejected a resource or did not answer, or none is connected. The revision stays",
    2: f"{_REFUSED}: nothing is changed",
}

VERB_NOTES: Final[Mapping[str, VerbNotes]] = {
    "run": VerbNotes(
        {
            "Serve and follow a document": "crossgate run gateway.yaml",
            "Serve a store, changed by the API": "crossgate run --data /var/lib/crossgate",
        },
        _SERVES,
    ),
    "serve": VerbNotes(
        {
            "The control plane of a PostgreSQL store": (
                "crossgate serve --database postgresql://crossgate@db/crossgate --xds 127.0.0.1:18000"
            )
        },
        _SERVES,
    ),
    "node": VerbNotes(
        {"An Envoy for the control plane on this machine": "crossgate node --control-plane 127.0.0.1:18000"},
        _SERVES,
    ),
    "check": VerbNotes(
        {
            "One document": "crossgate check gateway.yaml",
            "All documents of a repository, without the files of the gateway's machine": (
                "crossgate check --no-files gateway/"
            ),
            "Findings for a code-scanning service": "crossgate check --format sarif gateway/ > out.sarif",
            "What another program writes": "./generate-apis | crossgate check -",
        },
        {
            0: "no findings above severity info",
            1: "findings",
            2: "a document is invalid, a file of the gateway cannot be used, a native service has an address"
            " that is not allowed or, with --reach, it cannot be reached",
        },
    ),
    "explain": VerbNotes(
        {
            "A preflight": (
                "crossgate explain gateway.yaml --api petstore/1.0 --origin https://a.example"
                " --request-method PUT"
            ),
            "A request that a gateway has refused": (
                "crossgate explain --request-id 3f0c1c1e-8a53-4c3c-9a3a-0b1d3f4b5a6c"
            ),
        },
        {0: "explained, whatever the decision is", 2: _REFUSED},
    ),
    "refusals": VerbNotes(
        {
            "Those of an API in the last day": "crossgate refusals --api petstore/1.0 --since 24h",
            "Follow them": "crossgate refusals --state open --follow",
        },
        {0: "no group is open", 1: "some are", 2: _REFUSED},
    ),
    "refusals show": VerbNotes(
        {"One group with suggested changes": "crossgate refusals show 06707b5348ac4000"},
        {0: "it is not open", 1: "it is", 2: _REFUSED},
    ),
    "refusals allow": VerbNotes(
        {"Make the second suggested change": "crossgate refusals allow 06707b5348ac4000 --change 2"}
    ),
    "refusals dismiss": VerbNotes(
        {"Keep refusing it": "crossgate refusals dismiss 06707b5348ac4000 --reason bot --note 'a scanner'"}
    ),
    "refusals reopen": VerbNotes({"Undo a decision": "crossgate refusals reopen 06707b5348ac4000"}),
    "stats": VerbNotes(
        {"An API in the last week, by hour": "crossgate stats --api petstore/1.0 --since 7d --by-hour"}
    ),
    "prove": VerbNotes(
        {
            "A wildcard": "crossgate prove 'https://*.example.com'",
            "An expression": r"crossgate prove --regex 'https://.*example\.com'",
        },
        {0: "proved", 1: "any other verdict", 2: "wrong usage"},
    ),
    "schema": VerbNotes(
        {"For an editor": "crossgate schema > gateway.schema.json"}, {0: "printed", 2: "wrong usage"}
    ),
    "completion": VerbNotes(
        {
            "bash, in ~/.bashrc": "source <(crossgate completion bash)",
            "zsh, in ~/.zshrc after compinit": "source <(crossgate completion zsh)",
            "fish": "crossgate completion fish > ~/.config/fish/completions/crossgate.fish",
        },
        {0: "printed", 2: "wrong usage"},
    ),
    "import": VerbNotes(
        {
            "A description of an API, with the origin of its pages": (
                "crossgate import openapi.yaml --origin https://app.example.com -o gateway.yaml"
            ),
            "The same again, after the description has changed": (
                "crossgate import openapi.yaml --update -o gateway.yaml"
            ),
            "Every route of another gateway": "crossgate import kong kong.yaml -o gateway.yaml",
            "What it would change in a running gateway": "crossgate import openapi.yaml --plan",
        },
        {
            0: "everything is taken over; with --plan, it changes nothing",
            1: "a warning: something could not be taken over exactly; with --plan, also changes",
            2: "wrong usage, an invalid document, or a refusal: nothing is written",
        },
    ),
    "plan": VerbNotes(
        {
            "All documents of a directory": "crossgate plan gateway/",
            "What a team's directory would add, change and remove": (
                "crossgate plan teams/checkout/ --prune --selector team=checkout"
            ),
        },
        {0: "no changes", 1: "changes", 2: "a document, the gateway or the linter refuses"},
    ),
    "apply": VerbNotes(
        {
            "All documents of a directory, on every node": "crossgate apply gateway/ --prune --wait",
            "Those of one team": "crossgate apply teams/checkout/ --prune --selector team=checkout",
            "What was planned on revision 41": "crossgate apply gateway/ --base 41 -m 'Allow the new shop'",
        },
        _CHANGED,
    ),
    "export": VerbNotes(
        {
            "All": "crossgate export > gateway.yaml",
            "As it was at revision 41": "crossgate export --revision 41",
            "The objects of one team": "crossgate export --selector team=checkout",
        }
    ),
    "revisions": VerbNotes(
        {
            "The newest 50": "crossgate revisions --limit 50",
            "Who changed an API": "crossgate revisions --api petstore/1.0",
            "One with its changes": "crossgate revisions 41",
        }
    ),
    "rollback": VerbNotes(
        {"Restore revision 41 on every node": "crossgate rollback 41 --wait -m 'The shop failed'"}, _CHANGED
    ),
    "nodes": VerbNotes(
        {"All": "crossgate nodes"},
        {
            0: "every node runs the newest revision",
            1: "one does not, or no node is connected",
            2: _REFUSED,
        },
    ),
    "console": VerbNotes({"A link for 10 minutes": "crossgate console"}),
    "store backup": VerbNotes(
        {"While the gateway runs": "crossgate store backup --data /var/lib/crossgate crossgate.backup"},
        {0: "the copy is complete and checked", 2: "wrong usage, or the store or the file cannot be used"},
    ),
    "token create": VerbNotes(
        {
            "For a pipeline that changes everything": "crossgate token create ci --role admin --days 90",
            "For one team's APIs": "crossgate token create ci-checkout --role editor --apis 'checkout-*'",
            "Without a gateway, in its store": (
                "crossgate token create rescue --role admin --data /var/lib/crossgate"
            ),
        }
    ),
    "token list": VerbNotes({"All": "crossgate token list"}),
    "token revoke": VerbNotes({"One": "crossgate token revoke ci"}),
}
"""By the words of the verb."""
