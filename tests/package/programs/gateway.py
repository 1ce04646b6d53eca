"""What the extra ``gateway`` must do: ``crossgate run`` serves a request, by Envoy, and refuses another."""

import contextlib
import http.server
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

COMMAND = Path(sys.prefix, "bin", "crossgate")


class Native(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"pets")

    def log_message(self, *_):
        pass


def status(origin):
    url = f"http://127.0.0.1:{port}/gateway/petstore/1.0/pets"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": origin})) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
native = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Native)
threading.Thread(target=native.serve_forever, daemon=True).start()
Path("gateway.yaml").write_text(f"""
gateway: {{listen: "127.0.0.1:{port}"}}
apis:
  - name: petstore
    version: "1.0"
    type: rest
    native: http://127.0.0.1:{native.server_port}
    cors: {{allowed_origins: ["https://shop.example.com"], allowed_methods: [GET]}}
""")
options = ["--admin", "127.0.0.1:0", "--health", "off", "--concurrency", "1"]
with (
    Path("log").open("w") as log,
    subprocess.Popen([COMMAND, "run", "gateway.yaml", *options], stdout=log, stderr=log) as gateway,
):
    deadline = time.monotonic() + 120
    seen = None
    while seen is None and gateway.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            seen = status("https://shop.example.com")
        time.sleep(0.02)
    refused = None if seen is None else status("https://evil.example.org")
    gateway.send_signal(signal.SIGTERM)
    code = gateway.wait(60)
assert (seen, refused, code) == (200, 403, 0), (seen, refused, code, Path("log").read_text())
print(subprocess.run([COMMAND, "--version"], capture_output=True, text=True).stdout.split()[-1])
