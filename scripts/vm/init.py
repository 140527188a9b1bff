"""The first process of the virtual machine: readies it, runs the tests, says how they ended, halts.

Runs inside only. The host side (run.py) waits for the two lines that start with `isthmus-vm:`.
"""

import contextlib
import ctypes
import os
import subprocess
import sys
import traceback
from pathlib import Path

# The kernel's numbers (x86-64), for which Python has no functions.
SYS_INIT_MODULE = 175
SYS_REBOOT = 169
REBOOT_MAGIC = (0xFEE1DEAD, 0x28121969)
REBOOT_POWER_OFF = 0x4321FEDC

# None on /tmp: the clone may lie there. All files are in memory anyway.
FILE_SYSTEMS = (
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/run"),
)
# A console that is read by a program, and no place to keep anything.
PYTEST = ("-ra", "--color=no", "-p", "no:cacheprovider")
# A test that hangs says where, well before the whole machine is stopped.
PYTEST_HANG = ("-o", "faulthandler_timeout=60")
LIBC = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> None:
    """Raise OSError where a call to the C library failed."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), what)


def mount(kind: str, place: str) -> None:
    """Mount a file system that stands on no device."""
    checked(LIBC.mount(kind.encode(), place.encode(), kind.encode(), 0, None), f"mount {place}")


def load_modules() -> None:
    """Load the modules in the order that their file names give."""
    for path in sorted(Path("/modules").iterdir()):
        content = path.read_bytes()
        size = ctypes.c_ulong(len(content))
        checked(LIBC.syscall(SYS_INIT_MODULE, content, size, b""), f"load {path.name}")
        path.unlink()


def ready() -> None:
    """Do what a distribution's first process would do, as far as tests notice."""
    for kind, place in FILE_SYSTEMS:
        mount(kind, place)
    os.chmod("/tmp", 0o1777)
    os.symlink("/proc/self/fd", "/dev/fd")
    load_modules()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def pytest() -> int:
    """Run the tests; return pytest's exit status."""
    words = [sys.executable, "-m", "pytest", *PYTEST, *PYTEST_HANG, *sys.argv[1:], "tests/vm"]
    tests = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    # Orphans come to the first process, which must bury them.
    while True:
        pid, status = os.wait()
        if pid == tests.pid:
            return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Run to the end and halt, whatever happens: nobody could log in to look."""
    status = 70
    try:
        ready()
        print("isthmus-vm: begin", flush=True)
        status = pytest()
    except BaseException:
        traceback.print_exc()
    print(f"isthmus-vm: end {status}", flush=True)
    with contextlib.suppress(OSError):
        os.sync()
    LIBC.syscall(SYS_REBOOT, *map(ctypes.c_uint, REBOOT_MAGIC), ctypes.c_uint(REBOOT_POWER_OFF), None)


if __name__ == "__main__":
    main()
