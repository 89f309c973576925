"""A port for a server that has to be found at the same place after every start."""

from __future__ import annotations

import random
import socket
from typing import Final

FROM: Final = 20_000
UNTIL: Final = 30_000
"""Below the ports that systems hand out by themselves, so that nobody gets it while the server is dead."""
ATTEMPTS_MAX: Final = 100


def free_port() -> int:
    """One that nobody listens on now."""
    for port in random.SystemRandom().sample(range(FROM, UNTIL), ATTEMPTS_MAX):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")
