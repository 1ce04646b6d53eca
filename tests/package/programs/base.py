"""What the base installation must do: decide, serve WSGI, and name the extra that documents need."""

import logging
import sys
import threading
import urllib.error
import urllib.request
from wsgiref.simple_server import WSGIRequestHandler, make_server

import crossgate
from crossgate.diagnostics import InvalidInput
from crossgate.middleware import CorsMiddleware, WsgiCorsMiddleware, build_policy, policy_of

assert crossgate.__file__.startswith(sys.prefix), crossgate.__file__
logging.getLogger("crossgate").addHandler(logging.NullHandler())  # refusals go to standard error else
assert CorsMiddleware


class Silent(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def app(environ, start_response):
    start_response("200 OK", [])
    return [b"ok"]


policy = build_policy(allowed_origins=["https://*.example.com"], allowed_methods=["GET"])
with make_server("127.0.0.1", 0, WsgiCorsMiddleware(app, policy), handler_class=Silent) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for origin, status in (("https://shop.example.com", 200), ("https://evil.example.org", 403)):
        url = f"http://127.0.0.1:{server.server_port}/"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": origin})) as answer:
                seen = answer.status
        except urllib.error.HTTPError as error:
            seen = error.code
        assert seen == status, (origin, seen)
    server.shutdown()

try:
    policy_of("gateway.yaml", "petstore/1.0")
except InvalidInput as refused:
    assert refused.diagnostics[0].code == "extra-missing", refused.diagnostics
else:
    raise AssertionError("a document was read")
print(crossgate.__version__)
