"""A PostgreSQL for tests, of Debian's package, in a folder of its own.

    python -m tests.services.postgres start    prints the address; also kept in .services/postgres
    python -m tests.services.postgres stop

Only processes of this machine can reach it (a socket in that folder), and nothing asks for a password.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NOTE = Path(__file__).parents[2] / ".services" / "postgres"
CURE = "apt-get install postgresql   (or set DEIXIS_TEST_POSTGRES=postgresql://user@host/database)"


def binaries() -> Path | None:
    """Returns the folder of initdb and pg_ctl; None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: path.parts[-3])
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


def address() -> str:
    """Returns the address of the database for tests; empty where none was started."""
    if named := os.environ.get("DEIXIS_TEST_POSTGRES"):
        return named
    return NOTE.read_text("utf-8").strip() if NOTE.is_file() else ""


def start() -> str:
    """Returns the address of a database that was started now.

    Raises:
        SystemExit: PostgreSQL is not installed, or does not start; the cure is in the message.
    """
    tools = binaries()
    if tools is None:
        raise SystemExit(f"PostgreSQL is not installed: {CURE}")
    folder = Path(tempfile.mkdtemp(prefix="deixis-pg-"))
    user = getpass.getuser()
    if os.getuid() == 0:  # the server refuses to run as root
        user = "postgres"
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    data = folder / "data"
    _run(user, folder, tools / "initdb", "-D", data, "-U", "deixis", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
    _run(user, folder, tools / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", options, "start")
    made = f"postgresql://deixis@/postgres?host={folder}"
    NOTE.parent.mkdir(exist_ok=True)
    NOTE.write_text(made, "utf-8")
    return made


def stop() -> None:
    """Stops the database that `start` started, and removes its folder."""
    made, tools = address(), binaries()
    folder = Path(made.partition("host=")[2])
    if not made or tools is None or not folder.name.startswith("deixis-pg-"):
        return
    user = "postgres" if os.getuid() == 0 else getpass.getuser()
    _run(user, folder, tools / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)
    NOTE.unlink(missing_ok=True)


def _run(user: str, folder: Path, *command: object) -> None:
    options = {"user": user} if os.getuid() == 0 else {}
    with (folder / "out").open("a") as out:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, stdout=out, stderr=out, check=False, **options
        )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{(folder / 'out').read_text()[-800:]}")


if __name__ == "__main__":
    if sys.argv[1:] == ["stop"]:
        stop()
    else:
        print(start())
