"""A host whose one origin many people share."""

from __future__ import annotations

from collections.abc import Iterator

from crossgate.diagnostics import Severity
from crossgate.lint.proof import FactCode
from crossgate.lint.proof_violations import facts
from crossgate.lint.rule import Example, Rule, Violation
from crossgate.lint.subject import Subject


def _find(subject: Subject) -> Iterator[Violation]:
    yield from facts(
        subject, FactCode.SHARED_HOST, "the entry admits {example}, at which anybody can publish a page"
    )


RULE = Rule(
    code="shared-host",
    title="Anybody can publish a page with this origin",
    severity=Severity.ERROR,
    rationale=(
        "A storage service serves the buckets of all its customers under paths of one host, such as "
        "https://storage.googleapis.com/bucket/page.html. An origin has no path, so a page in an attacker's "
        "bucket has the same origin as yours. The hosts and their sources are in "
        "`src/crossgate/lint/proof/shared_domains.py`."
    ),
    remedy="Serve the page from a domain of your own, or from the bucket's own host name",
    find=_find,
    bad=(
        Example({"allowed_origins": ["https://storage.googleapis.com"]}),
        Example({"allowed_origins": ["https://s3.eu-central-1.amazonaws.com"]}),
        Example({"allowed_origins": [{"regex": "https://objectstorage\\.[a-z0-9-]+\\.oraclecloud\\.com"}]}),
    ),
    good=(
        Example({"allowed_origins": ["https://my-bucket.storage.googleapis.com"]}),
        Example({"allowed_origins": ["https://app.example.com"]}),
    ),
)
