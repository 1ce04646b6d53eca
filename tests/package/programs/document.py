"""What the extra ``document`` must do: the middleware enforces the policy of an API in a document."""

import logging
import sys
from pathlib import Path

import crossgate
from crossgate.middleware import WsgiCorsMiddleware, policy_of

assert crossgate.__file__.startswith(sys.prefix), crossgate.__file__
logging.getLogger("crossgate").addHandler(logging.NullHandler())  # refusals go to standard error else
statuses = []


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


Path("gateway.yaml").write_text("""
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:9101/v2
    cors: {allowed_origins: ["https://shop.example.com"], allowed_methods: [GET]}
""")
enforced = WsgiCorsMiddleware(app, policy_of("gateway.yaml", "petstore/1.0"))
for origin in ("https://shop.example.com", "https://evil.example.org"):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_ORIGIN": origin, "HTTP_HOST": "localhost"}
    b"".join(enforced(environ, lambda status, *_: statuses.append(status[:3])))
assert statuses == ["200", "403"], statuses
print(crossgate.__version__)
