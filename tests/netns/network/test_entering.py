"""Commands inside a namespace: what they see, and what becomes of signals and exit statuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from signal import SIGKILL, SIGTERM, SIGUSR1

import pytest

from ..machine import DEADLINE, ROOT, Machine, reason_without_machine

PREPARE = """
import os, signal, sys
from pathlib import Path
from isthmus import kernel
from isthmus.network.entering import EnteringError, exec_in
from isthmus.network.spaces import OUTSIDE_PATH, Space
def make(kind, flag, path, then=lambda: None):
    child = os.fork()
    if child == 0:
        kernel.unshare(flag); then(); Path(path).touch()
        kernel.mount(f"/proc/self/ns/{kind}", path, flags=kernel.MS_BIND)
        os._exit(0)
    os.waitpid(child, 0)
kernel.mount("tmpfs", "/run", "tmpfs")
make("net", kernel.CLONE_NEWNET, "/run/red")
make("uts", kernel.CLONE_NEWUTS, "/run/name", lambda: kernel.sethostname("alpha"))
red = Space("red", Path("/run/red"), Path("/run/name"))
outside = Space("outside", OUTSIDE_PATH)
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    reason = reason_without_machine()
    if reason:
        pytest.skip(reason)
    made = Machine()
    yield made
    made.close()


def start(machine: Machine, text: str) -> subprocess.Popen[str]:
    # In a mount namespace of its own, so that tests on one machine do not meet.
    return machine.start(ROOT, "unshare", "--mount", "--", sys.executable, "-P", "-c", PREPARE + text)


def outcome(machine: Machine, text: str) -> str:
    output, errors = start(machine, text).communicate(timeout=DEADLINE)
    return output + errors


def test_a_command_sees_the_interfaces_and_the_host_name_of_its_namespace(machine):
    machine.run(ROOT, "ip", "link", "add", "here", "type", "veth", "peer", "name", "there")
    shown = "print(exec_in(red, ['sh', '-c', 'ls /sys/class/net; ip -br link; uname -n']), flush=True)"
    assert outcome(machine, shown).split()[:2] == ["lo", "lo"]
    told = outcome(machine, shown)
    assert "here" not in told
    assert told.endswith("alpha\n0\n")
    assert outcome(machine, "exec_in(outside, ['ls', '/sys/class/net'])").split() == ["here", "lo", "there"]


def test_the_callers_own_namespaces_and_mounts_stay_as_they_were(machine):
    told = outcome(
        machine,
        "before = [os.readlink(f'/proc/self/ns/{kind}') for kind in ('net', 'mnt', 'uts')]\n"
        "mounts = Path('/proc/self/mountinfo').read_text(); exec_in(red, ['true'])\n"
        "print(before == [os.readlink(f'/proc/self/ns/{kind}') for kind in ('net', 'mnt', 'uts')],"
        "mounts == Path('/proc/self/mountinfo').read_text())",
    )
    assert told == "True True\n"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -KILL $$"], 128 + SIGKILL),
        (["no-such-command"], 127),
        (["/etc/passwd"], 126),
    ],
)
def test_the_exit_status_is_the_commands_as_a_shell_has_it(machine, command, status):
    assert outcome(machine, f"print(exec_in(red, {command}))").splitlines()[0] == str(status)


def test_a_command_that_is_not_there_is_told(machine):
    told = outcome(machine, "exec_in(red, ['no-such-command'])")
    assert told == "isthmus: no-such-command: there is no such command\n"


def test_a_namespace_that_is_absent_is_an_error_that_names_it(machine):
    told = outcome(
        machine,
        "try: exec_in(Space('blue', Path('/run/blue')), ['true'])\n"
        "except EnteringError as error: print(error)",
    )
    assert told.startswith("namespace blue cannot be entered: ")
    assert "/run/blue" in told


@pytest.mark.parametrize("number", [SIGTERM, SIGUSR1])
def test_signals_are_passed_on_to_the_command(machine, number):
    name = number.name.removeprefix("SIG")
    told = outcome(
        machine,
        f"print(exec_in(red, ['sh', '-c', 'trap \"echo caught; exit 5\" {name}; kill -{name} $PPID; "
        "while :; do sleep 0.01; done']), flush=True)",
    )
    assert told == "caught\n5\n"


def test_a_command_does_not_ignore_the_signals_that_python_ignores(machine):
    told = outcome(machine, "exec_in(red, ['grep', 'SigIgn', '/proc/self/status'])")
    assert int(told.split()[1], 16) & 1 << 12 == 0, "SIGPIPE"


def test_a_namespaces_files_of_etc_are_laid_over_the_machines(machine):
    told = outcome(
        machine,
        "kernel.mount('none', '/', flags=kernel.MS_REC | kernel.MS_PRIVATE)\n"
        "Path('/run/etc/red').mkdir(parents=True); Path('/run/etc/red/hostname').write_text('own\\n')\n"
        "Path('/run/etc/red/no-such-file-in-etc').touch()\n"
        "import isthmus.network.entering as entering; entering._ETC_FOLDER = Path('/run/etc')\n"
        "exec_in(red, ['cat', '/etc/hostname'])",
    )
    assert told == "own\n"


def test_a_function_is_called_where_its_space_is_also_from_inside_another(machine):
    told = outcome(
        machine,
        "where = lambda: os.readlink('/proc/thread-self/ns/net')\nhere = where()\n"
        "print(outside.call(where) == here, red.call(where) != here, red.call(outside.call, where) == here)",
    )
    assert told == "True True True\n"
