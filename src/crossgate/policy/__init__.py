"""The policy engine: CORS as pure functions, without I/O and frameworks. Public.

>>> from crossgate.policy import EffectivePolicy, Request, build_policy, decide
>>> policy = EffectivePolicy.of(build_policy(allowed_origins=["https://example.com"]))
>>> decide(policy, Request("GET", origin="https://evil.org")).status
403
"""

from crossgate.policy.cors_policy import (
    CorsPolicy,
    Mode,
    OriginArgument,
    PlainOptions,
    build_policy,
    read_policy,
)
from crossgate.policy.decide import decide
from crossgate.policy.decision import Answer, Decision, Flow, Forward, Header, Reason
from crossgate.policy.effective import EffectivePolicy
from crossgate.policy.explain import Explanation, Step, explain
from crossgate.policy.hint import Hint
from crossgate.policy.origin import Origin, is_well_formed
from crossgate.policy.origin_pattern import (
    AnyOrigin,
    ExactOrigin,
    NullOrigin,
    OriginPattern,
    RegexOrigin,
    WildcardOrigin,
    parse_exact_origin,
    parse_origin_pattern,
)
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.request import Request
from crossgate.policy.same_origin import SameOrigin
from crossgate.policy.server_cors import ServerPolicy, read_server_policy

__all__ = [
    "Answer",
    "AnyOrigin",
    "CorsPolicy",
    "Decision",
    "EffectivePolicy",
    "ExactOrigin",
    "Explanation",
    "Flow",
    "Forward",
    "Header",
    "Hint",
    "Mode",
    "NullOrigin",
    "Origin",
    "OriginArgument",
    "OriginPattern",
    "OriginSet",
    "PlainOptions",
    "Reason",
    "RegexOrigin",
    "Request",
    "SameOrigin",
    "ServerPolicy",
    "Step",
    "WildcardOrigin",
    "build_policy",
    "decide",
    "explain",
    "is_well_formed",
    "parse_exact_origin",
    "parse_origin_pattern",
    "read_policy",
    "read_server_policy",
]
