"""A private PostgreSQL cluster for a test: where the server's programs are installed, and as whom it runs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

INSTALLED = Path("/usr/lib/postgresql")  # where Debian and Ubuntu put them, one folder for each version


def programs() -> Path | None:
    """Return the folder of PostgreSQL's programs; None where there is none, or where root has nobody to run them as."""
    found = shutil.which("pg_ctl")
    folders = sorted(INSTALLED.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    folder = Path(found).resolve().parent if found else next(reversed(folders), None)
    return folder if folder and (folder / "initdb").exists() and (os.geteuid() or _postgres()) else None


def _postgres() -> dict[str, Any]:
    """Return how a process becomes the user postgres: the server refuses to run as root."""
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@dataclass(frozen=True)
class Cluster:
    """A running cluster that listens on a socket in ``folder`` only."""

    programs: Path
    folder: Path
    user: str

    def address(self, database: str, driver: str = "postgresql") -> str:
        """Return a database's address as SQLAlchemy reads it."""
        return f"{driver}://{self.user}@/{database}?host={self.folder}"

    def run(self, program: str, *words: str) -> str:
        """Run one of PostgreSQL's programs on the cluster, and return what it prints."""
        command = [self.programs / program, "-h", self.folder, "-U", self.user, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def restored(self, database: str, dump: Path) -> str:
        """Back a database up as docs/servers.md says, restore it, and return the copy's name."""
        copy = f"{database}_restored"
        self.run("pg_dump", "--format", "custom", "--file", str(dump), database)
        self.run("createdb", copy)
        self.run("pg_restore", "--exit-on-error", "--dbname", copy, str(dump))
        return copy


@contextmanager
def running(programs: Path) -> Iterator[Cluster]:
    """Make a cluster in a folder of its own, and end it and remove it afterwards."""
    as_whom = {} if os.geteuid() else _postgres()
    folder = Path(tempfile.mkdtemp(prefix="eagle-postgres-", dir="/tmp"))  # a socket's path has to be short
    if as_whom:
        os.chown(folder, as_whom["user"], as_whom["group"])

    def control(*words: str) -> None:
        command = [programs / "pg_ctl", "--silent", "-D", "data", "-l", "log", *words]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **as_whom)

    try:
        control("init", "-o", "--username=eagle --auth=trust --no-sync --encoding=UTF8 --locale=C")
        control("start", "-o", f"-c listen_addresses= -c fsync=off -c unix_socket_directories={folder}")
        try:
            yield Cluster(programs, folder, "eagle")
        finally:
            control("stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)
