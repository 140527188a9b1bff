"""Starting a command inside namespaces, as a user, so that it dies with the supervisor.

By fork(2) from the main thread: the signal that PR_SET_PDEATHSIG promises comes when the *thread* that
forked ends, so a helper thread inside the namespace would take its children with it; and a helper
process would cost an interpreter's start each. The process has no second thread at that moment.
"""

from __future__ import annotations

import os
import pwd
import resource
import signal
from collections.abc import Mapping
from typing import NoReturn

from isthmus import kernel
from isthmus.network.services.inside import Inside
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a command runs as."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    @classmethod
    def named(cls, name: str) -> Identity:
        """Look a user up (a name or a number); LookupError where there is none."""
        entry = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
        groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)

    @property
    def is_own(self) -> bool:
        """Whether it is who we are already, so that nothing must be given up (nor could be, rootless)."""
        return (self.uid, self.gid) == (os.getuid(), os.getgid())


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it is to be run. `output` is a descriptor for both its outputs."""

    words: tuple[str, ...]
    environment: Mapping[str, str]
    inside: Inside
    output: int
    identity: Identity | None = None
    folder: str = "/"


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked. `report` ends when the command was executed, or carries why not."""

    pid: int
    report: int


_SOFT_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)


def raise_files() -> None:
    """Allow the supervisor as many descriptors as it may have; its services get what it had itself."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (_SOFT_FILES[1], _SOFT_FILES[1]))


def spawn(command: Command) -> Child:
    """Fork and have the child execute a command, leading a session and process group of its own."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    leader = os.getpid()
    # A signal that the child caught before it executes would be told to the supervisor's own loop.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, leader, writing)
    except OSError:
        os.close(reading)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
    os.set_blocking(reading, False)
    return Child(pid, reading)


def _become(command: Command, leader: int, report: int) -> NoReturn:
    """Turn the forked child into the command; never returns."""
    doing = "start"
    try:
        signal.set_wakeup_fd(-1)
        for number in (
            signal.SIGTERM,
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGCHLD,
            signal.SIGPIPE,
            signal.SIGXFSZ,
        ):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        doing = "enter its namespace"
        command.inside.become_inhabitant()
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        os.dup2(command.output, 1)
        os.dup2(command.output, 2)
        doing = f"go to folder {command.folder}"
        os.chdir(command.folder)
        os.umask(0o022)
        resource.setrlimit(resource.RLIMIT_NOFILE, _SOFT_FILES)
        if command.identity is not None and not command.identity.is_own:
            doing = f"become user {command.identity.name}"
            os.setgroups(command.identity.groups)
            os.setgid(command.identity.gid)
            os.setuid(command.identity.uid)
        doing = "be tied to its supervisor"
        # Behind the change of user: that clears the signal (prctl(2)).
        kernel.die_with(leader)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        doing = f"run {command.words[0]}"
        os.execvpe(command.words[0], command.words, dict(command.environment))
    except OSError as error:
        os.write(report, f"cannot {doing}: {error.strerror}".encode())
    except BaseException as error:
        os.write(report, f"cannot {doing}: {error}".encode())
    finally:
        os._exit(127)
