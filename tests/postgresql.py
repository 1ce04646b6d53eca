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
"""What libpq looks for in the folder that is given as the host."""
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
            directory.chmod(0o711)  # a root of another user namespace is nobody here, and wants its socket
            self._as_user = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

    def create(self) -> None:
        """Make the cluster."""
        options = ["--no-sync", "--auth=trust", f"--username={_USER}", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            [*self._setpriv(), self._programs / "initdb", f"--pgdata={self._data}", *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._directory,
        )

    def start(self) -> None:
        """Start the server; it answers when this returns."""
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
                # Whatever becomes of the tests, the server ends with them.
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
        """Where a database is; ``folder`` is that of a socket which leads to the server's own."""
        return f"postgresql://{_USER}@/{database}?host={folder or self._directory}"

    def new_database(self) -> str:
        """The name of a new, empty database. It takes a second or so."""
        name = f"test_{uuid4().hex}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def execute(self, statement: sql.SQL | sql.Composed) -> None:
        """Run one statement as the cluster's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def ask(self, query: sql.SQL | sql.Composed) -> list[TupleRow]:
        """The rows of a query, asked by the cluster's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return connection.execute(query).fetchall()

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._directory / SOCKET_NAME

    def _answers(self) -> bool:
        asked: list[str | Path] = [self._programs / "pg_isready", "-q", "-t", "1", "-h", self._directory]
        return subprocess.run(asked, check=False).returncode == 0

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
