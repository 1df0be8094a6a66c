# SPDX-License-Identifier: Apache-2.0
"""What processes have used of the processor."""

import os
import pathlib


def cpu_seconds(pid):
    """Of the process, and of the children it has waited for."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
    return sum(int(x) for x in fields.split()[11:15]) / os.sysconf("SC_CLK_TCK")


def postgres_cpu_seconds(world):
    total, parent = 0, world.stores.postgres_pid()
    children = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    for pid in [parent, *children.split()]:
        try:
            total += cpu_seconds(pid)
        except FileNotFoundError:  # it has just ended; its parent has its time
            pass
    return total
