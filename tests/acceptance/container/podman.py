"""Podman with a storage of its own, as root and without a daemon or systemd."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from tests.acceptance.debian import root_archive
from tests.package.distributions import ROOT
from tests.prerequisites import program

import crossgate

FOLDER: Final = ROOT / "deploy" / "container"
IMAGE: Final = f"localhost/crossgate:{crossgate.__version__}"
POSTGRESQL: Final = "localhost/postgresql-stand-in:17"
_CONFIGURATION: Final = """
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[network]
network_backend = "netavark"
[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
"""
_POSTGRESQL: Final = """
FROM {base}
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \\
 && apt-get update && apt-get install --yes --no-install-recommends postgresql \\
 && install --directory --owner=999 --group=999 --mode=0700 /var/lib/postgresql/data \\
 && install --directory --owner=999 --group=999 --mode=3777 /var/run/postgresql
ENV PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data/pgdata
VOLUME /var/lib/postgresql/data
CMD ["sh", "-ec", "[ -e $PGDATA ] || {{ initdb --encoding=UTF8 --auth-host=scram-sha-256 \\
--username=$POSTGRES_USER --pwfile=$POSTGRES_PASSWORD_FILE; \\
echo 'host all all all scram-sha-256' >>$PGDATA/pg_hba.conf; \\
echo \\"CREATE DATABASE $POSTGRES_USER\\" | postgres --single postgres; }}; exec postgres -h '*'"]
"""
"""A stand-in for the image of PostgreSQL, which needs a registry: Debian's package, the same variables."""


@dataclass(frozen=True, slots=True)
class Podman:
    """Runs podman, with its storage in a folder."""

    folder: Path

    @property
    def words(self) -> list[str]:
        """The command, with its options."""
        storage = ["--root", str(self.folder / "storage"), "--runroot", str(self.folder / "run")]
        networks = ["--network-config-dir", str(self.folder / "networks")]
        return [str(program("podman")), *storage, *networks, "--storage-driver", "overlay"]

    @property
    def environment(self) -> dict[str, str]:
        """What configures it: limits that this machine allows, and no systemd."""
        configuration = self.folder / "containers.conf"
        files, processes = (
            resource.getrlimit(one)[1] for one in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC)
        )
        configuration.write_text(_CONFIGURATION.format(files=files, processes=min(processes, 4096)))
        return {**os.environ, "CONTAINERS_CONF": str(configuration)}

    def __call__(self, *arguments: str, input_text: str = "") -> str:
        """Run a command; returns what it prints."""
        return self._run([*self.words, *arguments], input_text)

    def inspect(self, name: str) -> Any:
        """What is known of a container or an image."""
        return json.loads(self("inspect", name))[0]

    def build_images(self) -> None:
        """The base from Debian's packages, the image as ``make image`` builds it, and a PostgreSQL."""
        containerfile = (FOLDER / "Containerfile").read_text(encoding="utf-8")
        base = containerfile.partition("ARG BASE=")[2].split()[0]
        self("import", "--quiet", str(root_archive("trixie")), base)
        # This machine may reach its package index through a proxy with an authority of its own.
        pip = self.folder / "pip.conf"
        pip.write_text("[global]\ncert = /etc/host-authorities.pem\n")
        mounts = {
            pip: "/etc/pip.conf",
            Path("/etc/ssl/certs/ca-certificates.crt"): "/etc/host-authorities.pem",
        }
        options = ["--isolation=chroot", "--pull=never", "--network=host"]
        options += [f"--volume={path}:{inside}:ro" for path, inside in mounts.items()]
        make = ["make", "image", f"PODMAN={' '.join(self.words)}", f"BUILD={' '.join(options)}"]
        self._run(make)
        self._run([*self.words, "build", *options, "--tag", POSTGRESQL, "-"], _POSTGRESQL.format(base=base))

    def run_native(self, network: str) -> None:
        """A native service in a network: http://pets:8000."""
        place = [f"--network={network}", "--network-alias=pets", f"--name=native-{network}"]
        python = "--entrypoint=/opt/crossgate/bin/python"
        self("run", "--detach", *place, python, IMAGE, "-m", "http.server", "8000")

    def compose(self, file: Path, *arguments: str, **variables: str) -> str:
        """Run podman-compose with a compose file, in which these variables are set."""
        command = [
            str(Path(sys.executable).with_name("podman-compose")),
            "--podman-path",
            str(self._wrapper()),
        ]
        return self._run([*command, "--file", str(file), *arguments], variables=variables)

    def _wrapper(self) -> Path:
        """Podman with its options as one program."""
        wrapper = self.folder / "podman"
        wrapper.write_text(f'#!/bin/sh\nexec {" ".join(self.words)} "$@"\n')
        wrapper.chmod(0o755)
        return wrapper

    def _run(
        self, command: list[str], input_text: str = "", variables: Mapping[str, str] = MappingProxyType({})
    ) -> str:
        ran = subprocess.run(
            command,
            input=input_text,
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            env={**self.environment, **variables},
            timeout=1800,
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
        return ran.stdout


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until it holds; fails after two minutes."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
