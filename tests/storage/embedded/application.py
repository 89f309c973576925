"""A stand-in for the application: starts the server, says where, and lives until it is told or killed.

    python -m tests.storage.embedded.application DATA_DIR [BINARIES_DIR USER]

Prints one line of JSON, `{"dsn": …, "postmaster": pid}` or `{"error": name, "message": …}`; ends when its
standard input does. With USER it becomes that user for good first; by then its sources are loaded, so they may lie
where only root gets at them.
"""

import json
import os
import pwd
import sys
from pathlib import Path

from storage.embedded import EmbeddedPostgres, EmbeddedPostgresError


def main() -> None:
    binaries = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if len(sys.argv) > 3:
        become(sys.argv[3])
    server = EmbeddedPostgres(Path(sys.argv[1]), binaries_dir=binaries)
    try:
        dsn = server.start()
    except EmbeddedPostgresError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
        return
    print(json.dumps({"dsn": dsn, "postmaster": server.pid}), flush=True)
    sys.stdin.read()
    server.stop()


def become(name: str) -> None:
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


if __name__ == "__main__":
    main()
