"""The first process of a test's machine: makes the place habitable for ordinary users, then waits.

Ends, and with it every process of the machine, when its standard input does: when the test is gone.
"""

import os
import signal
import sys
from pathlib import Path

from isthmus import kernel
from isthmus.lab.interfaces import raise_loopback


def open_up(needed: list[str]) -> None:
    """Lets every user reach some folders, where a folder above them is for its owner alone."""
    closed: dict[Path, list[Path]] = {}
    for folder in map(Path, needed):
        above = next((each for each in reversed(folder.parents) if not each.stat().st_mode & 0o001), None)
        if above is not None:
            closed.setdefault(above, []).append(folder)
    for above, folders in closed.items():
        opened = {folder: os.open(folder, os.O_RDONLY | os.O_DIRECTORY) for folder in folders}
        kernel.mount("tmpfs", str(above), "tmpfs", data="mode=755")
        for folder, descriptor in opened.items():
            folder.mkdir(parents=True)
            kernel.mount(f"/proc/self/fd/{descriptor}", str(folder), flags=kernel.MS_BIND | kernel.MS_REC)
            os.close(descriptor)


# Orphans of the machine become this process' children; nobody else would take their statuses.
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.umask(0o022)
if os.geteuid() == 0:
    open_up(sys.argv[1:])
# /sys shows the interfaces of the namespace in which it was mounted.
kernel.mount("sysfs", "/sys", "sysfs")
raise_loopback([])
print("ready", flush=True)
sys.stdin.read()
