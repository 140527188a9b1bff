"""A network's life by `isthmus net`: planned, applied, changed, shown, entered, taken down."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
from pathlib import Path

import pytest

from isthmus.network.spaces import Space

from .net_command import BLOCKED, DEADLINE, PAIR, done, ip, net, start, until, write
from .world import in_world, snapshot


@in_world()
def test_plan_and_diff_show_signs_and_say_by_their_status_whether_anything_differs() -> None:
    file = write(PAIR)
    planned = net("plan", file)
    assert planned.returncode == 0
    assert "+ namespace red" in planned.stdout.splitlines()
    assert planned.stdout.splitlines()[-1] == "pair: 8 to make, 0 to change, 0 to remove"
    assert "\033[" not in planned.stdout
    assert net("diff", file).returncode == 1
    told = done("apply", file).splitlines()
    assert told == [*planned.stdout.splitlines()[:-1], "pair: done (8 to make, 0 to change, 0 to remove)"]
    assert done("apply", file) == "pair: nothing to do\n"
    assert net("diff", file).returncode == 0
    write(PAIR.replace("10.0.0.2/24", "10.0.0.3/24"))
    changed = net("diff", file)
    assert changed.returncode == 1
    assert changed.stdout.splitlines()[:2] == [
        "- blue/eth0: address 10.0.0.2/24",
        "+ blue/eth0: address 10.0.0.3/24",
    ]
    assert done("apply", "-q", file) == ""
    assert done("down", file).splitlines()[-1] == "pair: gone"
    assert done("down", file) == "pair: gone\n"


def on_terminal(*words: str, environment: dict[str, str]) -> str:
    """Run a command whose output is a terminal; return what it shows."""
    ours, theirs = pty.openpty()
    process = start(*words, stdout=theirs, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    assert process.wait(DEADLINE) == 0, process.stderr.read()
    os.close(ours)
    return shown.decode()


@in_world()
def test_on_a_terminal_progress_is_one_line_and_plans_have_colours_unless_unwanted() -> None:
    file = write(PAIR)
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    assert "\033[32m+ namespace red" in on_terminal("plan", file, environment=environment)
    for unwanted in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\033[3" not in on_terminal("plan", file, environment={**environment, **unwanted})
    shown = on_terminal("apply", file, environment=environment)
    written = shown.split("\r\033[K")
    assert [each.split("]")[0] for each in written[1:9]] == [f"[{number}/8" for number in range(1, 9)]
    assert written[0] == ""
    assert written[-1] == "pair: done (8 to make, 0 to change, 0 to remove)\r\n"
    assert "\n" not in "".join(written[:-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_an_apply_undoes_it(number) -> None:
    @in_world()
    def test() -> None:
        before = snapshot()
        process = start("apply", write(BLOCKED))
        until(Path("/run/begun").exists, "the hook")
        process.send_signal(number)
        _, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == 130, errors
        assert errors == "isthmus net: stopped; what had been begun was undone\n"
        now = snapshot()
        # What a service that came to nothing printed is kept, for its user to read.
        left = [path for path in map(Path, now.pop("/run/isthmus")) if not path.is_dir()]
        assert {path.suffix for path in left} <= {".log"}
        assert now == {name: before[name] for name in now}
        done("down", "pair")
        assert not list(Path("/run/isthmus").glob("*/*"))

    test()


@in_world()
def test_down_needs_neither_its_namespaces_nor_its_file() -> None:
    before = snapshot()
    file = write(PAIR)
    done("apply", file)
    ip("netns", "del", "red")
    done("down", file)
    assert snapshot() == before
    done("apply", file)
    Path(file).unlink()
    assert done("down", "pair").splitlines()[-1] == "pair: gone"
    assert snapshot() == before


STATUSES = [
    (["true"], 0),
    (["sh", "-c", "exit 7"], 7),
    (["sh", "-c", "kill -TERM $$"], -signal.SIGTERM),
    (["no-such-command"], 127),
    (["/etc/passwd"], 126),
]


@in_world()
def test_exec_ends_as_its_command_ends() -> None:
    done("apply", write(PAIR))
    for command, status in STATUSES:
        assert net("exec", "red", "--", *command).returncode == status, command
    assert net("exec", "green", "--", "true").returncode == 1
    assert net("exec", "red").returncode == 2
    assert "10.0.0.1" in done("exec", "red", "--", "ip", "addr")
    process = start("exec", "red", "--", "sh", "-c", "echo up; exec sleep 600")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(DEADLINE) == -signal.SIGTERM


@in_world()
def test_show_and_schema_print_what_other_programs_read() -> None:
    file = write(PAIR)
    done("apply", file)
    shown = json.loads(done("show", "--format", "json", file))
    assert "red" in json.dumps(shown)
    for form, words in (("mermaid", r"^(flowchart|graph) "), ("dot", r"^(di)?graph "), ("svg", "<svg")):
        assert re.search(words, done("show", "--format", form, file), re.M), form
    assert "red" in done("show", "pair")
    assert "red" in done("show", "--wanted", file)
    assert "$schema" in json.loads(done("schema"))


@in_world()
def test_a_file_is_found_from_another_folder() -> None:
    for folder in ("/run/here", "/run/there"):
        Path(folder).mkdir()
    write("namespaces: {red: {}}\ninclude: [more.yaml]\n", "/run/there/some.yaml")
    write("namespaces: {blue: {}}\n", "/run/there/more.yaml")
    assert "some: done" in done("apply", "../there/some.yaml", cwd="/run/here")
    assert {path.name for path in Path("/run/netns").iterdir()} == {"red", "blue"}


LARGER = """
network: pair
namespaces:
  red:
    routes: [{to: 10.9.0.0/16, via: 10.0.0.9}]
    # Named, since the kernel takes a connection that it begins to watch for a new one.
    firewall: {input: {default: deny, rules: [{allow: {port: 9000/tcp}}]}}
  blue: {sysctl: {net.ipv4.ip_forward: 1}}
  green: {}
links:
  - veth:
      - in: red
        name: eth0
        addresses: [10.0.0.1/24, 10.0.0.11/24, fd00::1/64]
        mtu: 1400
        shaping: {rate: 50mbit}
      - {in: blue, name: eth0, addresses: [10.0.0.2/24], mtu: 1400}
"""


@in_world()
def test_a_connection_stays_open_while_all_around_it_changes() -> None:
    file = write(PAIR)
    done("apply", file)
    red, blue = (Space(name, Path(f"/run/netns/{name}")) for name in ("red", "blue"))
    listener = red.call(socket.create_server, ("10.0.0.1", 9000))
    near = blue.call(socket.create_connection, ("10.0.0.1", 9000), DEADLINE)
    far, _ = listener.accept()
    far.settimeout(DEADLINE)
    for text in (LARGER, PAIR):
        write(text)
        done("apply", file)
        near.sendall(b"x" * 3000)
        received = 0
        while received < 3000:
            received += len(far.recv(3000))
        far.sendall(b"y")
        assert near.recv(1) == b"y"


GIVEN = """
network: given
namespaces: {red: {}, blue: {}}
links:
  - bridge: {in: red, name: br0, mtu: 1300, forward-delay: 4s, mac: "02:00:00:00:00:0b"}
  - veth:
      - {in: red, name: p0, master: br0, mtu: 1300}
      - {in: blue, name: eth0, mtu: 1300, mac: "02:00:00:00:00:01", addresses: 10.0.0.1/24}
  - macvlan: {in: blue, name: mv0, parent: eth0, mtu: 1200, mac: "02:00:00:00:00:02"}
  - vxlan: {in: blue, name: vx0, id: 7, remote: 10.0.0.2, local: 10.0.0.1, mtu: 1250}
"""
LEFT_OPEN = re.sub(r', (mtu: \d+|mac: "[^"]*"|forward-delay: 4s|remote: [\d.]+)', "", GIVEN)


def properties() -> dict[str, tuple[object, ...]]:
    """Each interface's MTU, link address and what else a file may give or leave open."""
    told: dict[str, tuple[object, ...]] = {}
    for space in ("red", "blue"):
        for each in json.loads(ip("-n", space, "-d", "-j", "link")):
            data = each.get("linkinfo", {}).get("info_data", {})
            rest = data.get("forward_delay"), data.get("remote")
            told[each["ifname"]] = (each["mtu"], each["address"], *rest)
    return told


@in_world()
def test_what_is_taken_out_of_the_file_is_the_kernels_choice_again() -> None:
    file = write(LEFT_OPEN)
    done("apply", file)
    chosen = properties()
    write(GIVEN)
    done("apply", file)
    given = properties()
    assert [each[0] for each in given.values()] == [65536, 1300, 1300, 1300, 1200, 1250]
    write(LEFT_OPEN + 'services: {bad: {in: red, command: ["false"], ready: {tcp: 5}}}')
    assert net("apply", file).returncode == 1
    assert properties() == given
    write(LEFT_OPEN)
    assert "~ blue/eth0: address 02:00:00:00:00:01 → the kernel's choice" in done("apply", file)
    assert done("apply", file) == "given: nothing to do\n"
    left = properties()
    for name, (mtu, mac, *rest) in chosen.items():
        assert (left[name][0], *left[name][2:]) == (mtu, *rest), name
        # The kernel draws a link address for each new interface.
        assert name == "lo" or left[name][1] not in (mac, given[name][1]) or name == "p0"


NAMED = """
network: pair
namespaces: {red: {hostname: %s}, blue: {}}
links: [{veth: [{in: red, name: e0, addresses: 10.0.0.1/24}, {in: blue, name: e0}]}]
services: {waiting: {in: red, command: [sleep, "600"]}}
"""


def identity(name: str = "red") -> int:
    return Path(f"/run/netns/{name}").stat().st_ino


@in_world()
def test_a_host_name_comes_changes_and_goes_without_the_network_noticing() -> None:
    plain = (NAMED % "x").replace("hostname: x", "")
    file = write(plain)
    done("apply", file)
    before, own = identity(), socket.gethostname()
    for text, name, restarted in ((NAMED % "one", "one", 1), (NAMED % "two", "two", 0), (plain, own, 1)):
        write(text)
        assert done("plan", file).count("service waiting: restarted") == restarted
        assert done("apply", file).count("service waiting stopped") == restarted
        assert done("exec", "red", "--", "hostname") == f"{name}\n"
        assert done("apply", file) == "pair: nothing to do\n"
        bad = (
            text.replace("hostname: one", "").replace("hostname: two", "")
            if "hostname" in text
            else NAMED % "bad"
        )
        write(bad.replace("services: {", 'services: {bad: {in: blue, command: ["false"], ready: {tcp: 5}}, '))
        assert net("apply", file).returncode == 1
        assert done("exec", "red", "--", "hostname") == f"{name}\n"
    assert identity() == before
    done("down", file)
    assert not Path("/run/isthmus/uts").exists()


@pytest.mark.parametrize(
    "text", [NAMED % "one", (NAMED % "x").replace("hostname: x", "")], ids=["named", "plain"]
)
def test_the_file_that_a_crash_left_of_a_host_name_is_in_nobodys_way(text: str) -> None:
    def test() -> None:
        before = snapshot()
        file = write((NAMED % "x").replace("hostname: x", ""))
        rest = Path("/run/isthmus/uts/pair/red")
        for command in ("apply", "down"):
            done("apply", file)
            rest.parent.mkdir(parents=True, exist_ok=True)
            rest.touch()
            done(command, write(text))
            if command == "apply":
                assert done("apply", file) == "pair: nothing to do\n"
                done("down", file)
                write((NAMED % "x").replace("hostname: x", ""))
        assert not rest.exists()
        left = snapshot()
        for folder in (before, left):
            folder.pop("/run/isthmus")
        assert left == before

    in_world()(test)()
