"""A throw-away PostgreSQL server for tests: its own directory, a unix socket, no network."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from tests.prerequisites import postgresql_bin

SOCKET_NAME = ".s.PGSQL.5432"
"""The file that libpq opens in the folder given as the host."""
_USER = "crossgate"


class Server:
    """A cluster on disk, and its server while it runs."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self._directory = directory
        self._data = directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            user = pwd.getpwnam("postgres")
            os.chown(directory, user.pw_uid, user.pw_gid)
            directory.chmod(0o711)  # root of another user namespace is `nobody` here, and opens the socket
            self._as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def create(self) -> None:
        """Create the cluster."""
        options = ["--no-sync", "--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            [*self._setpriv(), self._programs / "initdb", f"--pgdata={self._data}", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
        )

    def start(self) -> None:
        """Start the server, and wait until it accepts connections."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._directory),
            # The machine does not lose power in the middle of a test.
            "fsync": "off",
            "full_page_writes": "off",
            "autovacuum": "off",
            "max_connections": "100",
            "shared_buffers": "16MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                # The server ends with the test process, even if that is killed.
                [*self._setpriv("--pdeathsig=INT"), self._programs / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd=self._directory,
            )
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError((self._directory / "log").read_text())

    def stop(self) -> None:
        """End the server at once, as a crash would; every connection breaks."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=30)
            self._process = None

    def url(self, database: str, folder: Path | None = None) -> str:
        """URL of a database; ``folder`` is that of a relay's socket, if the connection goes through one."""
        return f"postgresql://{_USER}@/{database}?host={folder or self._directory}"

    def new_database(self) -> str:
        """Create an empty database, which takes about a second; returns its name."""
        name = f"test_{uuid4().hex}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement as the cluster's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def query(self, query: sql.SQL | sql.Composed) -> list[TupleRow]:
        """Run a query as the cluster's owner; returns its rows."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return connection.execute(query).fetchall()

    @property
    def socket(self) -> Path:
        """Path of its socket."""
        return self._directory / SOCKET_NAME

    def _answers(self) -> bool:
        command: list[str | Path] = [self._programs / "pg_isready", "-q", "-t", "1", "-h", self._directory]
        return subprocess.run(command, check=False).returncode == 0

    def _setpriv(self, *more: str) -> list[str]:
        arguments = [*self._as_user, *more]
        return ["setpriv", *arguments] if arguments else []


@contextmanager
def running_server() -> Iterator[Server]:
    """A server with an empty cluster, for as long as the context lasts."""
    programs = postgresql_bin()
    # pytest's own directories are closed to the user that the server runs as.
    directory = Path(tempfile.mkdtemp(prefix="crossgate-pg-"))
    server = Server(programs, directory)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
