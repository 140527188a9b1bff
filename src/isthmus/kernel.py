"""The system calls that Python 3.11 has no function for, through libc."""

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SLAVE = 0x80000
MS_SHARED = 0x100000

_MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]


def unshare(flags: int) -> None:
    """Leave the namespaces that `flags` names for new ones (unshare(2)); OSError where it may not."""
    if _libc.unshare(ctypes.c_int(flags)) != 0:
        raise _last_error("unshare")


def setns(descriptor: int, kind: int) -> None:
    """Have the calling thread enter a namespace (setns(2)); `kind` is a CLONE_ constant, 0 for any."""
    if _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)) != 0:
        raise _last_error("setns")


def unmount(target: str) -> None:
    """Take a mount away from the tree at once; it ends when its last user does (MNT_DETACH)."""
    if _libc.umount2(os.fsencode(target), ctypes.c_int(_MNT_DETACH)) != 0:
        raise _last_error(target)


def sethostname(name: str) -> None:
    """Set the host name of the calling thread's UTS namespace."""
    encoded = name.encode()
    if _libc.sethostname(encoded, ctypes.c_size_t(len(encoded))) != 0:
        raise _last_error("sethostname")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount (mount(2)); OSError names the target."""
    encoded = (source.encode(), os.fsencode(target), kind.encode() or None)
    if _libc.mount(*encoded, ctypes.c_ulong(flags), data.encode() or None) != 0:
        raise _last_error(target)


def signal_at_end_of(leader: int, number: signal.Signals) -> bool:
    """Have the kernel send this process a signal when its parent, `leader`, ends in whatever way.

    False where the parent had ended before the kernel was told: then no signal will come.
    """
    if _libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0) != 0:
        raise _last_error("prctl")
    return os.getppid() == leader


def die_with(leader: int) -> None:
    """Have this process killed when its parent, `leader`, ends; at once where it already has."""
    if not signal_at_end_of(leader, signal.SIGKILL):
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parents end (PR_SET_CHILD_SUBREAPER), to reap them."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0) != 0:
        raise _last_error("prctl")


def _last_error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), what)
