"""Crossgate's enforcement inside a Python application: ASGI and WSGI, decision for decision the gateway's.

Needs nothing but the policy engine. Reading a document needs the extra ``crossgate[document]``, and imports
it only then.

>>> from crossgate.middleware import CorsMiddleware, build_policy
>>> async def api(scope, receive, send): ...
>>> app = CorsMiddleware(api, build_policy(allowed_origins=["https://example.com"]))
>>> app.policy.allowed_origins
(ExactOrigin(value='https://example.com'),)
"""

from crossgate.middleware.asgi import CorsMiddleware
from crossgate.middleware.document import FollowedApi, policy_of
from crossgate.middleware.live import LivePolicy, Policy
from crossgate.middleware.wsgi import WsgiCorsMiddleware
from crossgate.policy import CorsPolicy, EffectivePolicy, ServerPolicy, build_policy

__all__ = [
    "CorsMiddleware",
    "CorsPolicy",
    "EffectivePolicy",
    "FollowedApi",
    "LivePolicy",
    "Policy",
    "ServerPolicy",
    "WsgiCorsMiddleware",
    "build_policy",
    "policy_of",
]
