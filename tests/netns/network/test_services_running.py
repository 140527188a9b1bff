"""Services that run: in real namespaces, under a real supervisor, with real ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.network.model import (
    Hook,
    Phase,
    Proxy,
    Readiness,
    Restart,
    Service,
)
from isthmus.network.services import (
    ServiceError,
    apply_definitions,
    leftovers,
    log_path,
    read_definitions,
    read_services,
)
from isthmus.network.spaces import locate

from .services_ground import (
    Ground,
    eventually,
    grounded,
    has_users,
    shell,
    sleeper,
)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    with grounded(tmp_path) as made:
        yield made


LISTEN = (
    "import socket,sys,time; time.sleep(float(sys.argv[2])); "
    "s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(1000)"
)


def listener(name: str, port: int, after: float = 0.0, **more) -> Service:
    command = (sys.executable, "-S", "-E", "-c", LISTEN, str(port), str(after))
    return Service(name, "red", command, readiness=Readiness(tcp=("127.0.0.1", port)), **more)


def test_a_service_starts_when_what_it_needs_is_ready_and_stops_before_it(ground: Ground):
    def stopping(name: str) -> tuple[Hook, ...]:
        return (Hook(Phase.POST_STOP, shell(ground.record(name))),)

    connect = f"import socket; socket.create_connection(('127.0.0.1', 5432)); open('{ground.folder}/ok', 'w')"
    web = Service(
        "web",
        "red",
        (sys.executable, "-S", "-c", f"{connect}; import time; time.sleep(1000)"),
        needs=("db",),
        hooks=stopping("web"),
        readiness=Readiness(command=("test", "-e", f"{ground.folder}/ok")),
    )
    top = sleeper("top", "blue", needs=("web",), hooks=stopping("top"))
    ground.apply(top, web, listener("db", 5432, after=0.3, hooks=stopping("db")))
    assert ground.said == ["service db is ready", "service web is ready", "service top started"]
    ground.stop()
    assert ground.recorded == ["top", "web", "db"]


def test_what_is_not_ready_in_time_fails_the_apply_and_nothing_stays(ground: Ground):
    slow = listener("slow", 80, after=60)
    slow = replace(slow, readiness=Readiness(tcp=("127.0.0.1", 80), timeout=0.3))
    with pytest.raises(
        ServiceError, match=r"service slow: was not ready within 0\.3 s: nothing accepts at"
    ) as e:
        ground.apply(sleeper("other"), slow)
    assert "refused" in e.value.what
    assert read_services(ground.name) == []
    assert leftovers(ground.name) == []


@pytest.mark.parametrize("policy", [Restart.ON_FAILURE, Restart.ALWAYS])
def test_what_ends_is_started_again(ground: Ground, policy: Restart):
    status = 1 if policy is Restart.ON_FAILURE else 0
    script = f"{ground.record('run')}; sleep 0.2; exit {status}"
    ground.apply(Service("web", "red", shell(script), restart=policy, restart_delay=0.01))
    eventually(lambda: len(ground.recorded) >= 3, "it runs three times")


def test_what_ends_well_without_a_policy_stays_ended_until_applied_again(ground: Ground):
    job = Service("job", "red", shell(ground.record("run")))
    ground.apply(job, sleeper("web"))
    eventually(lambda: ground.states()["job"] == "ended", "the job ends")
    ground.apply(job, sleeper("web"))
    assert ground.recorded == ["run", "run"]


def test_applying_twice_changes_nothing_and_a_change_restarts_only_what_changed(ground: Ground):
    web, db = sleeper("web", needs=("db",)), sleeper("db")
    ground.apply(web, db)
    before = ground.pid("web"), ground.pid("db")
    ground.said.clear()
    ground.apply(web, db)
    assert ground.said == []
    assert (ground.pid("web"), ground.pid("db")) == before
    ground.apply(web, replace(db, environment=(("A", "b"),)))
    assert ground.pid("web") == before[0]
    assert ground.pid("db") != before[1]


def test_a_namespace_that_was_made_anew_gets_its_services_anew(ground: Ground):
    ground.apply(sleeper("web"), sleeper("far", "outside"))
    before = ground.pid("web"), ground.pid("far")
    ground.unmake()
    ground.make(ground.red, ground.blue)
    assert ground.states() == {"web": "astray", "far": "running"}
    ground.apply(sleeper("web"), sleeper("far", "outside"))
    assert ground.states() == {"web": "running", "far": "running"}
    assert ground.pid("web") != before[0]
    assert ground.pid("far") == before[1]
    assert (
        os.stat(f"/proc/{ground.pid('web')}/ns/net").st_ino
        == locate(ground.red, ground.name).net.stat().st_ino
    )


def test_services_can_be_put_back_as_they_were_read(ground: Ground):
    ground.apply(sleeper("web"), sleeper("db"))
    before, objects = read_definitions(ground.name), read_services(ground.name)
    ground.apply(sleeper("other"))
    apply_definitions(ground.name, before, ground.said.append)
    assert read_services(ground.name) == objects


def test_what_is_printed_is_logged(ground: Ground):
    hook = Hook(Phase.PRE_START, shell("echo of the hook"))
    ground.apply(Service("web", "red", shell("echo out; echo err >&2; exec sleep 1000"), hooks=(hook,)))
    path = log_path(ground.name, "web")
    eventually(lambda: "err\n" in path.read_text(), "it is logged")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("-- ")]
    assert lines == ["of the hook", "out", "err"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_service_inherits_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECRET", "of the shell")
    held = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(held, True)
    script = "env | sort | cut -d= -f1; ls -l /proc/self/fd | grep -c -e pipe -e null; pwd; umask"
    ground.apply(Service("web", "red", shell(f"({script}) > {ground.folder}/record 2>&1; exec sleep 1000")))
    os.close(held)
    expected = [
        "HOME",
        "ISTHMUS_NAMESPACE",
        "ISTHMUS_NETWORK",
        "ISTHMUS_SERVICE",
        "PATH",
        "PWD",
        "2",
        "/",
        "0022",
    ]
    eventually(lambda: ground.recorded[-1:] == ["0022"], "it is recorded")
    found = [word for word in ground.recorded if word not in ("_", "OLDPWD", "SHLVL")]
    assert found == expected
    assert os.getsid(ground.supervisor) != os.getsid(0)


def test_a_service_runs_as_its_user_with_that_users_groups_only(ground: Ground):
    if not has_users():
        pytest.skip("a lab without root has one user only")
    user = sleeper("web", user="nobody")
    ground.apply(user)
    status = Path(f"/proc/{ground.pid('web')}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "Gid:\t65534\t65534\t65534\t65534" in status
    assert "Groups:\t65534 " in status
    os.kill(ground.supervisor, signal.SIGKILL)
    eventually(lambda: leftovers(ground.name) == [], "it dies with its supervisor")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": "nonesuch"}, "there is no user nonesuch"),
        ({"command": ("nonesuch",)}, "cannot run nonesuch: No such file"),
        ({"folder": Path("/nonesuch")}, "cannot go to folder /nonesuch: No such file"),
        ({"namespace": "nonesuch"}, "cannot open namespace nonesuch"),
        ({"command": shell("exit 7")}, "ended with status 7"),
        ({"hooks": (Hook(Phase.PRE_START, ("nonesuch",)),)}, "cannot run nonesuch"),
    ],
)
def test_what_cannot_start_says_why_and_what_to_do(ground: Ground, change: dict, message: str):
    with pytest.raises(ServiceError, match=f"service web: .*{message}") as error:
        ground.apply(replace(sleeper("web"), **change))
    assert error.value.hint
    assert read_services(ground.name) == []


def test_services_share_a_namespace_and_meet_there(ground: Ground):
    check = "import socket; socket.create_connection(('127.0.0.1', 80), 3)"
    probe = Readiness(command=(sys.executable, "-S", "-c", check))
    ground.apply(listener("one", 80), listener("two", 81), sleeper("three", needs=("one",), readiness=probe))
    inodes = {os.stat(f"/proc/{ground.pid(name)}/ns/net").st_ino for name in ("one", "two", "three")}
    assert len(inodes) == 1
    with pytest.raises(ServiceError, match="not ready"):
        ground.apply(
            listener("one", 80),
            sleeper("lonely", "blue", readiness=replace(probe, timeout=0.3)),
        )


def test_a_service_sees_the_interfaces_of_its_namespace_in_sys(ground: Ground):
    space = locate(ground.red, ground.name)
    space.call(lambda: subprocess.run(["ip", "link", "add", "only-here", "type", "bridge"], check=True))
    script = f"ls /sys/class/net > {ground.folder}/record; exec sleep 1000"
    ground.apply(Service("web", "red", shell(script)))
    eventually(lambda: ground.recorded, "it is recorded")
    assert sorted(set(ground.recorded) - {"bonding_masters"}) == ["lo", "only-here"]


def test_the_proxy_is_a_service_that_is_ready_when_it_listens(ground: Ground, tmp_path: Path):
    file = tmp_path / "proxy.cfg"
    text = (
        "defaults\n  mode tcp\n  timeout connect 3s\n  timeout client 10s\n  timeout server 10s\n"
        "listen web\n  bind 127.0.0.1:8080\n  server s 127.0.0.1:80\n"
    )
    file.write_text(text)
    ground.apply(proxy=Proxy("red", (file,)))
    space = locate(ground.red, ground.name)
    space.call(lambda: socket.create_connection(("127.0.0.1", 8080), 3).close())
    pid = ground.pid("proxy")
    file.write_text(text.replace("8080", "8081"))
    ground.apply(proxy=Proxy("red", (file,)))
    assert ground.pid("proxy") != pid
    space.call(lambda: socket.create_connection(("127.0.0.1", 8081), 3).close())
    file.write_text("listen web\n  nonsense\n")
    with pytest.raises(ServiceError, match="service proxy: ended with status 1 before it was ready") as error:
        ground.apply(proxy=Proxy("red", (file,)))
    assert any("nonsense" in line for line in error.value.log)
    # What runs again reads the file as it is now: nothing else can be put back.
    assert ground.states() in ({}, {"proxy": "failed"})
