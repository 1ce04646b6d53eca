"""Middleware that enforces CORS policies in ASGI and WSGI applications, with the decisions of the gateway.

It needs the policy engine only. Reading a document needs the extra ``crossgate[document]``, which is imported
at that moment.

>>> from crossgate.middleware import CorsMiddleware, build_policy
>>> async def api(scope, receive, send): ...
>>> app = CorsMiddleware(api, build_policy(allowed_origins=["https://example.com"]))
>>> app.policy.allowed_origins
(ExactOrigin(value='https://example.com'),)
"""

from crossgate.middleware.asgi import CorsMiddleware
from crossgate.middleware.decision_event import DecisionEvent, OnDecision
from crossgate.middleware.document import FollowedApi, policy_of
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.wsgi import WsgiCorsMiddleware
from crossgate.policy import CorsPolicy, EffectivePolicy, SameOrigin, ServerPolicy, build_policy

__all__ = [
    "CorsMiddleware",
    "CorsPolicy",
    "DecisionEvent",
    "EffectivePolicy",
    "FollowedApi",
    "LivePolicy",
    "OnDecision",
    "Policy",
    "SameOrigin",
    "ServerPolicy",
    "WsgiCorsMiddleware",
    "build_policy",
    "policy_of",
]
