"""Services of a network by `isthmus net`: what starts, what is restarted, what ends, and when."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from isthmus.network.services import leftovers

from .net_command import DEADLINE, PAIR, done, net, until, write
from .world import in_world, snapshot


@in_world()
def test_a_service_that_does_not_start_takes_the_whole_network_back() -> None:
    before = snapshot()
    broken = PAIR + "services: {web: {in: red, command: 'sh -c \"echo no luck; false\"', ready: {tcp: 80}}}\n"
    result = net("apply", write(broken))
    assert result.returncode == 1
    for told in ("network.yaml:", "service web", "no luck"):
        assert told in result.stderr
    now = snapshot()
    left = [path for path in map(Path, now.pop("/run/isthmus")) if not path.is_dir()]
    assert {path.suffix for path in left} == {".log"}
    assert now == {name: before[name] for name in now}


SERVICES = (
    PAIR
    + """
services:
  one: {in: red, command: "sh -c 'echo $$$$ >/run/one; exec sleep 601'", ready: {command: "test -s /run/one"}}
  two:
    in: blue
    command: "sh -c 'echo $$$$ >/run/two; exec sleep 602'"
    ready: {command: "test -s /run/two"}
    pre-stop: "sh -c 'ip -brief addr show eth0 >/run/stopping'"
    post-stop: "sh -c 'ip -brief addr show eth0 >/run/stopped'"
"""
)


@in_world()
def test_only_what_changed_is_restarted_and_a_namespace_goes_after_its_services() -> None:
    file = write(SERVICES)
    done("apply", file)
    one, two = (Path(f"/run/{name}").read_text() for name in ("one", "two"))
    Path("/run/one").unlink()
    write(SERVICES.replace("sleep 601", "sleep 603"))
    done("apply", file)
    assert Path("/run/one").read_text() != one
    assert Path("/run/two").read_text() == two
    write("network: pair\nnamespaces: {red: {}}\n")
    done("apply", file)
    for hook in ("stopping", "stopped"):
        assert "10.0.0.2" in Path(f"/run/{hook}").read_text()
    assert not Path(f"/proc/{two.strip()}").exists()
    assert not Path("/run/netns/blue").exists()
    assert done("apply", file) == "pair: nothing to do\n"
    done("down", file)


@in_world()
def test_a_network_of_the_same_name_in_a_lab_of_root_keeps_its_services() -> None:
    environment = {**os.environ, "ISTHMUS_NETWORK": "pair", "ISTHMUS_SERVICE": "web"}
    lab = "mount -t tmpfs lab /run && echo ready && exec sleep 600"
    here = subprocess.Popen(["sleep", "600"], env=environment)
    elsewhere = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", lab], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert elsewhere.stdout is not None
    assert elsewhere.stdout.readline() == "ready\n"
    until(lambda: leftovers("pair") == [here.pid], "the one, and not the other")
    done("down", write(PAIR))
    assert here.wait(DEADLINE) == -signal.SIGKILL
    assert elsewhere.poll() is None
    elsewhere.kill()
