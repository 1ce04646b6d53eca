"""nginx accepts the configuration that the page about load balancers shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.certificates import good_pair
from tests.command import ROOT
from tests.ports import free_ports

PAGE = ROOT / "docs" / "how-to" / "run-behind-a-load-balancer.md"
_BLOCK = re.compile(r"^```nginx\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    good_pair().write(tmp_path)
    (shown,) = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    (port,) = free_ports(1)
    moved = shown.replace("/etc/nginx/tls", str(tmp_path)).replace("listen 443", f"listen 127.0.0.1:{port}")
    (tmp_path / "crossgate.conf").write_text(moved, encoding="utf-8")
    folders = "".join(
        f"{kind}_temp_path {tmp_path / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path / 'nginx.pid'};\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{folders}include {tmp_path / 'crossgate.conf'};\n}}\n",
        encoding="utf-8",
    )
    tested = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "test is successful" in tested.stderr, tested.stderr
