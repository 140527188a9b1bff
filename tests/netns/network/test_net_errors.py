"""What `isthmus net` refuses, what it says then, and that nothing is touched."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from .net_command import BLOCKED, PAIR, done, ip, net, start, until, write
from .world import in_world, snapshot

WRONG = """
network: wrong
namespaces: {red: {hostnme: a}}
links:
  - veth: [{in: red, name: eth0, addresses: [10.0.0.300/24]}, {in: nowhere, name: eth0}]
"""


@in_world()
def test_every_error_of_a_wrong_file_is_told_with_its_place_and_nothing_is_touched() -> None:
    before, file = snapshot(), write(WRONG)
    for command in ("plan", "diff", "apply", "down", "check", "show"):
        result = net(command, file)
        assert result.returncode == 1
        for told in ("network.yaml:3:", "network.yaml:5:", "hostname", "10.0.0.300", "nowhere"):
            assert told in result.stderr, command
    assert snapshot() == before


@in_world()
def test_a_privilege_that_is_missing_is_named_before_anything_is_touched() -> None:
    # Without CAP_SYS_ADMIN it would go into a lab, and be root there.
    before = snapshot()
    result = net("apply", write(PAIR), without=("--bounding-set=-net_admin", "--inh-caps=-net_admin"))
    assert result.returncode == 1
    assert "CAP_NET_ADMIN is missing" in result.stderr
    assert snapshot() == before


KINDS = [
    ("dummy", "links: [{dummy: {in: red, name: d0}}]"),
    ("8021q", "links: [{bridge: {in: red, name: b0}}, {vlan: {in: red, name: v0, parent: b0, id: 5}}]"),
    ("sch_netem", "links: [{veth: [{in: red, name: a, shaping: {delay: 10ms}}, {in: red, name: b}]}]"),
]


@pytest.mark.parametrize(("module", "text"), KINDS, ids=[each[0] for each in KINDS])
def test_a_kernel_feature_that_is_missing_is_named_before_anything_is_touched(module, text) -> None:
    @in_world()
    def test() -> None:
        before = snapshot()
        result = net("apply", write(f"namespaces: {{red: {{}}}}\n{text}\n"))
        if result.returncode == 0:
            pytest.skip(f"this kernel has {module}")
        assert module in result.stderr
        assert "E2302" in result.stderr
        assert snapshot() == before

    test()


CONFLICTS = [
    ("an interface", ["link", "add", "b0", "type", "bridge"], "bridge: {in: host, name: b0}", "interface b0"),
    ("a namespace", ["netns", "add", "red"], "bridge: {in: red, name: b0}", "namespace red"),
]


@pytest.mark.parametrize(("what", "made", "link", "told"), CONFLICTS, ids=[each[0] for each in CONFLICTS])
def test_what_somebody_else_has_is_told_with_its_place_and_left(what, made, link, told) -> None:
    @in_world()
    def test() -> None:
        ip(*made)
        before = snapshot()
        file = write(f"namespaces: {{red: {{}}}}\nlinks:\n  - {link}\n")
        for command in ("apply", "plan", "diff"):
            result = net(command, file)
            assert result.returncode == 1
            assert told in result.stderr
            assert "network.yaml:" in result.stderr
        done("down", file)
        assert snapshot() == before

    test()


@in_world()
def test_a_process_to_attach_to_that_is_not_there_is_told() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    before = snapshot()
    file = write(f"network: n\nnamespaces: {{red: {{attach: {{pid: {gone.pid}}}}}, blue: {{}}}}\n")
    result = net("apply", file)
    assert result.returncode == 1
    assert f"attach red to is not there: there is no process {gone.pid}" in result.stderr
    assert "network.yaml:2" in result.stderr
    assert snapshot() == before


UNUSABLE = """
network: unusable
namespaces:
  red: {}
  file: {attach: {path: /etc/hostname}}
  gone: {attach: {path: /run/gone}}
  same: {attach: {path: /proc/self/ns/net}}
  keep: {attach: {path: /run/netns/keep}}
  kept: {attach: {path: /run/kept}}
links:
  - device: {in: red, name: eth0, device: card}
"""


@in_world()
def test_all_that_cannot_be_attached_or_moved_in_is_told_before_anything_is_touched() -> None:
    ip("netns", "add", "keep")
    Path("/run/kept").symlink_to("/run/netns/keep")
    before, file = snapshot(), write(UNUSABLE)
    for command in ("plan", "apply"):
        result = net(command, file)
        assert result.returncode == 1
        for line, told in (
            (5, "attach file to is not there: /etc/hostname is not a network namespace"),
            (6, "attach gone to is not there: there is no /run/gone"),
            (7, "attach same to is the same namespace as host: use that name alone"),
            (9, "attach kept to is the same namespace as keep: use that name alone"),
            (11, "there is no device card in host to move to red"),
        ):
            assert told in result.stderr
            assert f"network.yaml:{line}:" in result.stderr
    assert snapshot() == before


@in_world()
def test_root_of_a_user_namespace_that_owns_no_more_gets_a_lab() -> None:
    before, file = snapshot(), write(PAIR)
    isthmus = shlex.join([sys.executable, "-P", "-m", "isthmus.cli"])
    words = f"{isthmus} net apply {file}; {isthmus} lab stop"
    result = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", words], capture_output=True, text=True
    )
    assert "pair: done" in result.stdout, result.stderr
    assert "the lab has stopped" in result.stdout
    assert snapshot() == before


@in_world()
def test_a_folder_of_a_networks_name_is_not_in_the_way_of_the_name() -> None:
    Path("/run/here/pair").mkdir(parents=True)
    done("apply", write(PAIR))
    assert done("down", "pair", cwd="/run/here").endswith("pair: gone\n")


@in_world()
def test_of_two_applies_at_once_one_is_told_of_the_other() -> None:
    file = write(BLOCKED)
    first = start("apply", file)
    until(Path("/run/begun").exists, "the hook")
    for command in ("apply", "down"):
        second = net(command, file)
        assert second.returncode == 1
        assert "another `isthmus net` is changing pair now" in second.stderr
    first.kill()
    first.wait()
    done("down", file)


@in_world()
def test_a_proxy_that_cannot_run_is_told_by_plan_too_at_its_place() -> None:
    before = snapshot()
    write("frontend f\n  bnd :80\n", "/run/wrong.cfg")
    for file, told in (("wrong.cfg", "wrong.cfg:2:3: E0100"), ("gone.cfg", "cannot read")):
        path = write(f"network: proxied\nnamespaces: {{red: {{}}}}\nproxy: {{in: red, files: [{file}]}}\n")
        for command in ("plan", "diff", "apply"):
            result = net(command, path)
            assert result.returncode == 1
            assert told in result.stderr
            assert "network.yaml:3:8: E2305" in result.stderr
    Path("/run/wrong.cfg").unlink()
    Path("/run/network.yaml").unlink()
    assert snapshot() == before
