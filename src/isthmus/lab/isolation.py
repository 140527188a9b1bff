"""Takes the leader of a lab into a mount namespace of its own, and into a user namespace without root.

There /run is a fresh tmpfs, so /run/netns holds the lab's names and no others, and all of it goes when
the last process of the lab ends, however it ends. The leader stays in the network namespace it was
started in: what listens on 127.0.0.1 can be reached from the host.

As root it is the same without the user namespace, so a crash leaves nothing in the host's /run/netns.
"""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from isthmus import kernel
from isthmus.lab.errors import LabError

NETNS_FOLDER = Path("/run/netns")

# What a lab has of its own under /run.
_LAB_ENTRIES = frozenset({NETNS_FOLDER.name, "isthmus"})

_CAP_SYS_ADMIN = 21
_NS_GET_USERNS = 0xB701

# What forbids user namespaces, by the setting's name and the value that forbids.
_FORBIDDING_SETTINGS = (
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("user.max_user_namespaces", "0", "15000"),
    ("user.max_net_namespaces", "0", "15000"),
    ("user.max_mnt_namespaces", "0", "15000"),
)


def rootless_wanted(asked: bool, user: int) -> bool:
    """Say whether to build in a rootless lab: where that is asked for, and where there is no other way.

    `user` is the effective one. Inside a lab its user is root, and the answer False.
    """
    return asked or user != 0 or not (_may_administrate() and _namespaces_are_ours())


def _namespaces_are_ours() -> bool:
    """Root of a user namespace has no say in a mount or network namespace that is another's.

    Inside a lab the process stays in the network namespace outside: `host` is the lab's own there.
    """
    lab = Path("/run/isthmus/host").exists()
    return all(_is_ours(kind) for kind in (("mnt",) if lab else ("mnt", "net")))


def _is_ours(kind: str) -> bool:
    own = os.stat("/proc/self/ns/user").st_ino
    descriptor = os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        owner = fcntl.ioctl(descriptor, _NS_GET_USERNS)
    except PermissionError:
        # An owner that is above is not shown.
        return False
    except OSError:
        # A kernel before 4.9 does not tell; it will say no by itself.
        return True
    finally:
        os.close(descriptor)
    try:
        return os.fstat(owner).st_ino == own
    finally:
        os.close(owner)


def _may_administrate() -> bool:
    """Root in a container may lack CAP_SYS_ADMIN."""
    status = Path("/proc/self/status").read_text()
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) & (1 << _CAP_SYS_ADMIN))


def user_is_mapped(user: int) -> bool:
    """Say whether a process of this user namespace can become `user`: in a rootless lab only 0 is there."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if first <= user < first + count:
            return True
    return False


def isolate(*, rootless: bool = False, machines_run: Path | None = None) -> bool:
    """Enter the lab's own mount namespace; True where that took a user namespace (rootless).

    `rootless` has root go the way of ordinary users. At `machines_run`, a path under /run, stays what
    /run was before, and what lay there is found by its old name. Must run before the process has a second
    thread: unshare(CLONE_NEWUSER) refuses otherwise.
    """
    rootless = rootless or not _unshared_as_root()
    if rootless:
        _unshare_as_user()
    try:
        kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
        machines = os.open("/run", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        kernel.mount("tmpfs", "/run", "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=755")
        NETNS_FOLDER.mkdir(mode=0o755)
        if machines_run is not None:
            _keep(machines, machines_run)
        os.close(machines)
    except OSError as error:
        # AppArmor lets the user namespace be made and then withholds its capabilities.
        raise _refusal(f"may not mount in a namespace of its own ({error})") from error
    return rootless


def _keep(machines: int, at: Path) -> None:
    """Bind the covered /run to another place, with links to it: a resolver's file, a message bus."""
    at.mkdir(mode=0o755)
    # A convenience: a lab without it is a lab still.
    with suppress(OSError):
        kernel.mount(f"/proc/self/fd/{machines}", str(at), flags=kernel.MS_BIND | kernel.MS_REC)
        for entry in at.iterdir():
            if entry.name not in _LAB_ENTRIES:
                (at.parent / entry.name).symlink_to(entry)


def _unshared_as_root() -> bool:
    """Root in a container may lack CAP_SYS_ADMIN: then it goes the way of ordinary users."""
    if os.geteuid() != 0:
        return False
    try:
        kernel.unshare(kernel.CLONE_NEWNS)
    except PermissionError:
        return False
    return True


def _unshare_as_user() -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS)
        # Without "deny" the kernel lets no ordinary user map a group (user_namespaces(7)).
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise LabError("a lab must be started before the process has threads") from error
        raise _refusal(f"may not make a user namespace ({error})") from error


def _refusal(what: str) -> LabError:
    found = [
        f"    sysctl -w {name}={allowing}    (is {forbidding})"
        for name, forbidding, allowing in _FORBIDDING_SETTINGS
        if setting(name) == forbidding
    ]
    if found:
        advice = "this machine forbids it; as root, either start the lab or allow it:\n" + "\n".join(found)
    else:
        advice = (
            "no setting that forbids it was found (kernel.apparmor_restrict_unprivileged_userns, "
            "user.max_user_namespaces), so a container's seccomp profile may: start the lab as root "
            "outside of the container, or start the container with CAP_SYS_ADMIN"
        )
    return LabError(f"the lab {what}: {advice}")


def setting(name: str) -> str | None:
    """Read a sysctl's value; None where this kernel has no such setting."""
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return None
