"""Servlet containers as native services: a process each, with two web applications, one with a secret.

``/app`` is the application behind the API. ``/admin/secret`` must never be read through it. A container runs
in a folder of its own.
"""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.ports import free_ports
from tests.prerequisites import java, jetty_home, tomcat_home

SECRET: Final = "the secret of the other application"
PAGE: Final = "a page of the application"
_SECONDS: Final = 60.0
_JAVA_OPTIONS: Final = ("-Xshare:auto", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")

_TOMCAT_SERVER: Final = """<Server port="-1">
  <Service name="Catalina">
    <Connector address="127.0.0.1" port="{strict}" maxKeepAliveRequests="-1"/>
    <Connector address="127.0.0.1" port="{permissive}" maxKeepAliveRequests="-1" allowBackslash="true"
               encodedSolidusHandling="decode" encodedReverseSolidusHandling="decode"
               relaxedPathChars="&quot;&lt;&gt;[\\]^`{{|}}"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps"/>
    </Engine>
  </Service>
</Server>
"""
_TOMCAT_WEB: Final = """<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet>
    <servlet-name>default</servlet-name>
    <servlet-class>org.apache.catalina.servlets.DefaultServlet</servlet-class>
  </servlet>
  <servlet-mapping><servlet-name>default</servlet-name><url-pattern>/</url-pattern></servlet-mapping>
  <welcome-file-list><welcome-file>index.html</welcome-file></welcome-file-list>
</web-app>
"""
_JETTY_OPTIONS: Final = (
    *("--module=http,deploy", "jetty.http.host=127.0.0.1"),
    # Serves the paths that it refuses by default, as ambiguous.
    "jetty.http.compliance=LEGACY",
)


Ports = dict[str, int]
"""The port of each configuration of a container."""


@contextmanager
def running_tomcat(folder: Path) -> Iterator[Ports]:
    """Tomcat with its defaults, and with all that it can permit in a path."""
    home = tomcat_home()
    strict, permissive = free_ports(2)
    _write_applications(folder / "webapps")
    for name in ("conf", "logs", "temp", "work"):
        (folder / name).mkdir()
    server = _TOMCAT_SERVER.format(strict=strict, permissive=permissive)
    (folder / "conf" / "server.xml").write_text(server, encoding="utf-8")
    (folder / "conf" / "web.xml").write_text(_TOMCAT_WEB, encoding="utf-8")
    command = [
        *("-cp", f"{home}/bin/bootstrap.jar{os.pathsep}{home}/bin/tomcat-juli.jar"),
        *(f"-Dcatalina.home={home}", f"-Dcatalina.base={folder}", f"-Djava.io.tmpdir={folder}/temp"),
        *("org.apache.catalina.startup.Bootstrap", "start"),
    ]
    with _running(folder, command, [strict, permissive]):
        yield {"defaults": strict, "permissive": permissive}


@contextmanager
def running_jetty(folder: Path) -> Iterator[Ports]:
    """Jetty with its legacy rules."""
    home = jetty_home()
    [port] = free_ports(1)
    _write_applications(folder / "webapps")
    command = [
        *("-jar", f"{home}/start.jar", f"jetty.home={home}", f"jetty.base={folder}"),
        *(*_JETTY_OPTIONS, f"jetty.http.port={port}"),
    ]
    with _running(folder, command, [port]):
        yield {"legacy": port}


def get(port: int, target: str) -> tuple[int, str]:
    """Status and body of the response to a request without the gateway."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.putrequest("GET", target, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode("latin-1")
    finally:
        connection.close()


def _write_applications(folder: Path) -> None:
    for application, file, content in (("app", "index.html", PAGE), ("admin", "secret", SECRET)):
        (folder / application).mkdir(parents=True)
        (folder / application / file).write_text(content, encoding="utf-8")


@contextmanager
def _running(folder: Path, arguments: Sequence[str], ports: Sequence[int]) -> Iterator[None]:
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [java(), *_JAVA_OPTIONS, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for port in ports:
            _wait_until_it_serves(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_SECONDS)


def _wait_until_it_serves(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while not _serves(port):
        output = log.read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, f"exit code {process.returncode}:\n{output}"
        assert time.monotonic() < deadline, f"does not serve:\n{output}"
        time.sleep(0.1)


def _serves(port: int) -> bool:
    """Whether both applications are there."""
    try:
        return get(port, "/app/index.html") == (200, PAGE) and get(port, "/admin/secret") == (200, SECRET)
    except (OSError, http.client.HTTPException):
        return False
