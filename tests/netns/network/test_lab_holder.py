"""The lasting lab without root: as an ordinary user, and as root that asks for the ordinary way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from signal import SIGKILL

import pytest

from ..machine import DEADLINE, ROOT, Machine

ORDINARY = 23_456
OTHER = 23_457

ENSURE = "from isthmus.lab.holder import *; lab = ensure_lab(); print(lab.holder)"
INSIDE = "from isthmus.lab.holder import *; enter_lab(running_lab())\n"
MAKE = """
import os
from pathlib import Path
from isthmus import kernel
outside = os.open("/proc/self/ns/net", os.O_RDONLY)
def make(path):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    kernel.unshare(kernel.CLONE_NEWNET)
    kernel.mount("/proc/self/ns/net", str(path), flags=kernel.MS_BIND)
"""


@pytest.fixture(params=[ORDINARY, ROOT], ids=["ordinary", "root"])
def user(request: pytest.FixtureRequest) -> int:
    skip_unless_user_is_there(request.param)
    return request.param


def skip_unless_user_is_there(number: int) -> None:
    if number != ROOT and os.geteuid() != 0:
        pytest.skip("only root can become another user")


def holder_of(machine: Machine, user: int) -> int:
    return int(machine.python(user, ENSURE))


def status(machine: Machine, user: int) -> dict:
    return json.loads(machine.isthmus(user, "lab", "status", "--json").stdout)


def processes(machine: Machine) -> list[str]:
    """Every process on the machine but its first, and the one that asks."""
    told = machine.run(ROOT, "ps", "-e", "-o", "pid=,stat=,args=").stdout.splitlines()
    return [line for line in told if line.split()[0] != "1" and "ps -e" not in line]


def await_processes(machine: Machine, count: int, which: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while len(left := processes(machine)) != count:
        assert time.monotonic() < deadline, f"wanted {which}: {left}"
        time.sleep(0.02)


def kill(machine: Machine, process: int) -> None:
    assert machine.run(ROOT, "kill", "-KILL", str(process)).returncode == 0


def test_a_lab_is_started_once_and_found_again(machine, user):
    assert status(machine, user) == {"running": False}
    holder = holder_of(machine, user)
    assert holder_of(machine, user) == holder
    told = status(machine, user)
    assert told["process"] == holder
    assert told["namespaces"] == [{"name": "host"}]
    assert abs(told["since"] - time.time()) < DEADLINE


def test_many_who_want_a_lab_at_once_get_the_same(machine, user):
    started = [machine.start(user, sys.executable, "-P", "-c", ENSURE) for _ in range(6)]
    told = [process.communicate(timeout=DEADLINE) for process in started]
    assert len({output for output, _ in told}) == 1, told
    await_processes(machine, 2, "the holder and its guardian")


def test_a_holder_keeps_nothing_of_whoever_started_it(machine, user):
    reader, writer = os.pipe()
    program = [sys.executable, "-P", "-c", ENSURE]
    starter = machine.start(user, *program, pass_fds=[writer])
    os.close(writer)
    holder, errors = starter.communicate(timeout=DEADLINE)
    assert errors == ""
    with open(reader) as inherited:
        assert inherited.read() == "", "the pipe's end came although the holder lives"
    session, terminal, folder = machine.python(
        ROOT,
        f"import os; s = open('/proc/{int(holder)}/stat').read().rpartition(')')[2].split();"
        f"print(s[3], s[4], os.readlink('/proc/{int(holder)}/cwd'))",
    ).split()
    assert terminal == "0"
    assert session not in ("1", "0")
    assert folder == "/"


def test_whoever_enters_is_root_with_the_labs_run_and_the_network_outside(machine, user):
    holder_of(machine, user)
    told = machine.python(
        user,
        "import os\nos.chdir('/usr/share'); net = os.readlink('/proc/self/ns/net')\n" + INSIDE + "print("
        "os.geteuid(), os.listdir('/run/netns'), os.getcwd(), net == os.readlink('/proc/self/ns/net'))",
    )
    assert told == "0 [] /usr/share True"


def test_inside_only_root_is_there_to_run_as(machine, user):
    holder_of(machine, user)
    program = (
        INSIDE + "from isthmus.lab.isolation import user_is_mapped as there; print(there(0), there(65534))"
    )
    assert machine.python(user, program) == "True False"


def test_a_function_for_outside_is_called_there_though_nobody_may_enter_it(machine, user):
    holder_of(machine, user)
    told = machine.python(
        user,
        INSIDE + "import os\nfrom isthmus.network.spaces import *\n"
        "where = lambda: os.readlink('/proc/thread-self/ns/net')\nhere = where()\n"
        "print(Space('outside', OUTSIDE_PATH).call(where) == here,"
        "Space('host', LAB_HOST).call(where) != here)",
    )
    assert told == "True True"


def test_a_lab_may_be_entered_twice_and_found_from_its_own_namespaces(machine, user):
    holder = holder_of(machine, user)
    told = machine.isthmus(
        user, "lab", "enter", "--rootless", "host", "--", sys.executable, "-c",
        "from isthmus.lab.holder import *; lab = find_lab(); enter_lab(lab); print(lab.alive())",
    )  # fmt: skip
    assert told.stdout == "True\n", told.stderr
    assert holder_of(machine, user) == holder


def test_in_the_host_of_a_lab_interfaces_can_be_made_and_seen(machine, user):
    holder_of(machine, user)
    script = "ip link add one type veth peer name two && ls /sys/class/net && ip -br link show lo"
    done = machine.isthmus(user, "lab", "enter", "--rootless", "--", "sh", "-c", script)
    assert done.stdout.split()[:3] == ["lo", "one", "two"], done.stderr
    assert "LOOPBACK,UP" in done.stdout
    outside = machine.run(user, "ip", "-br", "link").stdout
    assert "one" not in outside


def test_what_listens_inside_the_lab_is_reached_from_outside_of_it(machine, user):
    holder_of(machine, user)
    program = (
        INSIDE + "import socket\ns = socket.create_server(('127.0.0.1', 0))\n"
        "print(s.getsockname()[1], flush=True)\ns.accept()[0].sendall(b'inside')"
    )
    listening = machine.start(user, sys.executable, "-P", "-c", program)
    port = listening.stdout.readline().strip()
    dial = f"import socket; print(socket.create_connection(('127.0.0.1', {port})).recv(10).decode())"
    assert machine.python(user, dial) == "inside"
    listening.communicate(timeout=DEADLINE)


def test_a_process_with_threads_is_told_that_it_enters_too_late(machine, user):
    holder_of(machine, user)
    told = machine.python(
        user,
        "import threading\nfrom isthmus.lab.holder import *\nfrom isthmus.lab.errors import LabError\n"
        "stay = threading.Event(); threading.Thread(target=stay.wait, daemon=True).start()\n"
        "try: enter_lab(running_lab())\nexcept LabError as error: print(error)",
    )
    assert told == "a lab must be entered before the process has threads"


def test_entering_without_a_lab_is_a_clear_error(machine, user):
    done = machine.isthmus(user, "lab", "enter", "--rootless", "--", "true")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("isthmus lab: no lab is running: ")
    assert machine.isthmus(user, "lab", "status").returncode == 1


def test_namespaces_are_listed_with_the_networks_that_keep_them(machine, user):
    holder_of(machine, user)
    machine.python(user, INSIDE + MAKE + "make('/run/netns/red'); make('/run/isthmus/net/shop/red')")
    told = status(machine, user)
    assert told["namespaces"] == [
        {"name": "host"},
        {"name": "red"},
        {"name": "shop/red", "network": "shop"},
    ]
    assert told["networks"] == ["shop"]
    assert "  shop/red  shop\n" in machine.isthmus(user, "lab", "status").stdout
    done = machine.isthmus(user, "lab", "enter", "--rootless", "shop/red", "--", "ip", "-br", "link")
    assert done.stdout.split()[:2] == ["lo", "DOWN"], done.stderr
    done = machine.isthmus(user, "lab", "enter", "--rootless", "shop/rad", "--", "true")
    assert done.stderr == "isthmus lab: there is no namespace `shop/rad`: did you mean `shop/red`?\n"


LASTING = ("lab", "enter", "--rootless", "--", "sh", "-c", "echo on; unshare -U sleep 1000 & sleep 1000")


def start_lasting(machine: Machine, user: int) -> subprocess.Popen[str]:
    """A shell in the lab with two children, one of which has left for a user namespace of its own."""
    started = machine.start(user, sys.executable, "-P", "-m", "isthmus.cli", *LASTING)
    assert started.stdout.readline() == "on\n", started.stderr.read()
    return started


def test_a_holder_that_is_killed_leaves_nothing(machine, user):
    holder = holder_of(machine, user)
    inside = start_lasting(machine, user)
    kill(machine, holder)
    inside.communicate(timeout=DEADLINE)
    await_processes(machine, 0, "none")
    assert status(machine, user) == {"running": False}
    assert holder_of(machine, user) != holder, "and a new one can be had"


def test_stopping_ends_what_is_inside_and_says_so(machine, user):
    holder_of(machine, user)
    inside = start_lasting(machine, user)
    assert status(machine, user)["processes"] >= 2
    done = machine.isthmus(user, "lab", "stop")
    assert done.returncode == 0, done.stderr
    assert "sleep 1000" in done.stdout
    assert done.stdout.endswith("the lab has stopped\n")
    inside.communicate(timeout=DEADLINE)
    await_processes(machine, 0, "none")


def test_stopping_twice_is_no_error(machine, user):
    holder_of(machine, user)
    assert machine.isthmus(user, "lab", "stop").stdout == "the lab has stopped\n"
    again = machine.isthmus(user, "lab", "stop")
    assert (again.returncode, again.stdout) == (0, "no lab is running\n")


def test_taking_a_network_down_is_no_error_where_its_lab_has_gone(machine, user):
    done = machine.isthmus(user, "net", "down", "--rootless", "web")
    assert (done.returncode, done.stdout) == (0, "web: gone\n"), done.stderr
    assert status(machine, user) == {"running": False}


SUPERVISOR = """
import os, signal, time
child = os.fork()
if child == 0:
    signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"child was asked\\n"))
    os.write(1, b"on\\n")
    while True: signal.pause()
def stop(*_):
    os.write(1, b"supervisor was asked\\n")
    os.kill(child, signal.SIGKILL); os.waitpid(child, 0); os._exit(0)
signal.signal(signal.SIGTERM, stop)
while True: time.sleep(100)
"""


def test_stopping_leaves_the_order_to_whoever_started_the_processes(machine, user):
    holder_of(machine, user)
    program = INSIDE + SUPERVISOR
    inside = machine.start(user, sys.executable, "-P", "-c", program)
    assert inside.stdout.readline() == "on\n"
    assert machine.isthmus(user, "lab", "stop").returncode == 0
    assert inside.communicate(timeout=DEADLINE)[0] == "supervisor was asked\n"
    assert inside.returncode == 0


def test_who_does_not_stop_when_asked_is_killed(machine, user):
    holder_of(machine, user)
    inside = machine.start(
        user, sys.executable, "-P", "-m", "isthmus.cli",
        "lab", "enter", "--rootless", "--", "sh", "-c", "trap '' TERM; echo on; sleep 1000; sleep 1000",
    )  # fmt: skip
    assert inside.stdout.readline() == "on\n"
    machine.python(
        user,
        "import os; from isthmus.lab.holder import *; from isthmus.lab.members import *\n"
        "lab = running_lab()\n"
        "end_members(os.open(f'/proc/{lab.holder}/ns/user', 0), spared=[lab.holder], grace=0.1)",
    )
    inside.communicate(timeout=DEADLINE)
    assert inside.returncode == -SIGKILL
    assert status(machine, user)["running"], "the spared one lives"


def test_a_lifeline_tells_of_the_holders_end(machine, user):
    holder = holder_of(machine, user)
    program = (
        INSIDE + "import select, signal\nlab = find_lab()\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(lab.alive(), flush=True); select.select([lab.lifeline], [], [])\n"
        "print(lab.alive(), flush=True)"
    )
    watcher = machine.start(user, sys.executable, "-P", "-c", program)
    assert watcher.stdout.readline() == "True\n"
    kill(machine, holder)
    assert watcher.communicate(timeout=DEADLINE)[0] == "False\n"


def test_who_stays_inside_a_lab_that_has_ended_is_told_to_leave(machine, user):
    holder = holder_of(machine, user)
    program = (
        INSIDE + "import select, signal\nfrom isthmus.lab.errors import LabError\nlab = find_lab()\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('on', flush=True); select.select([lab.lifeline], [], [])\n"
        "try: ensure_lab()\nexcept LabError as error: print(error)"
    )
    left = machine.start(user, sys.executable, "-P", "-c", program)
    assert left.stdout.readline() == "on\n"
    kill(machine, holder)
    told = left.communicate(timeout=DEADLINE)[0]
    assert told == "the lab that this process is in has ended: leave it, and start anew outside\n"


def test_labs_of_two_users_and_root_do_not_meet(machine):
    skip_unless_user_is_there(ORDINARY)
    holders = {number: holder_of(machine, number) for number in (ORDINARY, OTHER, ROOT)}
    assert len(set(holders.values())) == 3
    machine.python(ORDINARY, INSIDE + MAKE + "make('/run/netns/red')")
    assert {"name": "red"} not in status(machine, OTHER)["namespaces"]
    assert machine.isthmus(ORDINARY, "lab", "stop").returncode == 0
    assert {number for number in holders if status(machine, number)["running"]} == {OTHER, ROOT}


def test_a_name_that_another_user_has_taken_is_an_error_that_says_who(machine):
    skip_unless_user_is_there(ORDINARY)
    squatter = machine.start(
        OTHER, sys.executable, "-c",
        f"import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind('\\0isthmus-lab-{ORDINARY}')\n"
        "s.listen(); print('on', flush=True); sys.stdin.read()",
    )  # fmt: skip
    assert squatter.stdout.readline() == "on\n"
    done = machine.isthmus(ORDINARY, "lab", "status")
    assert done.returncode == 1
    assert f"of user {OTHER} has taken the name" in done.stderr
    squatter.communicate(timeout=DEADLINE)


def test_another_users_question_gets_no_answer(machine):
    skip_unless_user_is_there(ORDINARY)
    holder_of(machine, ORDINARY)
    told = machine.python(
        OTHER,
        "import socket; s = socket.socket(socket.AF_UNIX)\n"
        f"s.connect('\\0isthmus-lab-{ORDINARY}')\nprint(s.recv(1))",
    )
    assert told == "b''"


def test_where_user_namespaces_are_forbidden_it_names_the_settings(machine):
    done = machine.run(
        ROOT, sys.executable, "-P", "-c",
        "from isthmus.lab.holder import *; from isthmus.lab.errors import LabError\n"
        "try: ensure_lab()\nexcept LabError as error: print(error)",
        without=("--bounding-set=-all", "--inh-caps=-all"),
    )  # fmt: skip
    assert "may not make a user namespace" in done.stdout, done.stderr
    assert "user.max_user_namespaces" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    await_processes(machine, 0, "none")
