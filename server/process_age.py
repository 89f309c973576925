"""How long this process has been there, the interpreter's own start included."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/self/stat")
_START_FIELD = 19
"""Of the fields after the program's name in parentheses (proc(5): the 22nd of all)."""
_HERE_SINCE_S = time.monotonic()


def process_age_s() -> float:
    """Seconds since the process began; where the system does not tell, since this module was imported."""
    try:
        text = _STAT.read_text()
    except OSError:
        return time.monotonic() - _HERE_SINCE_S
    ticks = int(text.rpartition(")")[2].split()[_START_FIELD])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
