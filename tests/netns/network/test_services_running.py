"""Services that run: in real namespaces, under a real supervisor, with real ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from isthmus import kernel
from isthmus.network.model import (
    Hook,
    HookPlace,
    Namespace,
    Network,
    Phase,
    Proxy,
    Readiness,
    Restart,
    Service,
)
from isthmus.network.services import (
    ServiceError,
    apply_definitions,
    apply_services,
    leftovers,
    log_path,
    read_definitions,
    read_services,
    stop_services,
    wanted_services,
)
from isthmus.network.services.paths import socket_path
from isthmus.network.spaces import OWN_FOLDER, Space, locate

DEADLINE = 20.0
LISTEN = (
    "import socket,sys,time; time.sleep(float(sys.argv[2])); "
    "s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(1000)"
)


def eventually(holds: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def shell(script: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script)


def may_make_namespaces() -> bool:
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True)
    return tried.returncode == 0 and os.access("/run", os.W_OK)


def has_users() -> bool:
    """Whether there are other users than ours, which a lab without root does not have."""
    return Path("/proc/self/uid_map").read_text().split()[2] != "1"


BREAKDOWN = """
import subprocess, sys
from pathlib import Path
from isthmus.network.services import stop_services
stop_services(sys.argv[1], print)
for path in sys.argv[2:]:
    subprocess.run(["umount", "-l", path], stderr=subprocess.DEVNULL)
    Path(path).unlink(missing_ok=True)
    if not any(Path(path).parent.glob("*")):
        Path(path).parent.rmdir()
"""


class Ground:
    """A network's name, its namespaces, a folder to record in; gone when the test is."""

    def __init__(self, folder: Path) -> None:
        self.name = f"t{os.getpid()}"
        self.folder = folder
        self.said: list[str] = []
        self._made: list[Path] = []
        self.red = Namespace("red", named=False, hostname="alpha")
        self.blue = Namespace("blue", named=False)
        self._watch = self._watched()

    def _watched(self) -> subprocess.Popen[bytes]:
        """Supervisors outlive who starts them: this process ends them where the tests are killed."""
        paths = [str(path) for each in (self.red, self.blue) for path in self._paths(each)]
        words = [sys.executable, "-c", BREAKDOWN, self.name, *paths]
        return subprocess.Popen(
            ["/bin/sh", "-c", 'read _ || exec "$@"', "sh", *words],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _paths(self, namespace: Namespace) -> list[Path]:
        space = locate(namespace, self.name)
        return [space.net, *([space.uts] if space.uts else [])]

    def close(self) -> None:
        self._watch.communicate(b"well\n", DEADLINE)

    def make(self, *namespaces: Namespace) -> None:
        for each in namespaces:
            space = locate(each, self.name)
            thread = threading.Thread(target=self._make, args=(each, space))
            thread.start()
            thread.join()

    def _make(self, namespace: Namespace, space: Space) -> None:
        kernel.unshare(kernel.CLONE_NEWNET | (kernel.CLONE_NEWUTS if space.uts else 0))
        if space.uts:
            kernel.sethostname(namespace.hostname or "")
            self._bind("/proc/thread-self/ns/uts", space.uts)
        self._bind("/proc/thread-self/ns/net", space.net)
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def _bind(self, source: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        kernel.mount(source, str(target), flags=kernel.MS_BIND)
        self._made.append(target)

    def unmake(self) -> None:
        for each in self._made:
            kernel.unmount(str(each))
            each.unlink()
        self._made.clear()

    def network(self, *services: Service, **more) -> Network:
        return Network(self.name, (self.red, self.blue), services=services, **more)

    def apply(self, *services: Service, **more) -> None:
        apply_services(self.network(*services, **more), self.said.append)

    def stop(self) -> None:
        stop_services(self.name, self.said.append)

    def record(self, word: str) -> str:
        """A piece of shell that records a word."""
        return f"echo {word} >> {self.folder}/record"

    @property
    def recorded(self) -> list[str]:
        path = self.folder / "record"
        return path.read_text().split() if path.exists() else []

    def pid(self, service: str) -> int:
        """The process of a service, by what it has in its environment."""
        leaders = [each for each in leftovers(self.name, [service]) if os.getsid(each) == each]
        assert len(leaders) == 1, (service, leaders)
        return leaders[0]

    @property
    def supervisor(self) -> int:
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(socket_path(self.name)))
            found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int.from_bytes(found[:4], sys.byteorder)

    def states(self) -> dict[str, str]:
        return {each.name: each.state for each in read_services(self.name)}


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    if not may_make_namespaces():
        pytest.skip("neither root nor a lab: may not make namespaces (test_services_rootless.py makes a lab)")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    made = Ground(tmp_path)
    made.make(made.red, made.blue)
    yield made
    try:
        stop_services(made.name, made.said.append)
    except ServiceError as error:
        print(error)
    made.unmake()
    assert leftovers(made.name) == []
    for folder in ("net", "uts"):
        if (OWN_FOLDER / folder / made.name).exists():
            (OWN_FOLDER / folder / made.name).rmdir()
    left = [str(path) for path in OWN_FOLDER.glob(f"**/*{made.name}*")]
    assert left == []
    made.close()


def sleeper(name: str, namespace: str = "red", **more) -> Service:
    return Service(name, namespace, ("sleep", "1000"), **more)


def listener(name: str, port: int, after: float = 0.0, **more) -> Service:
    command = (sys.executable, "-S", "-E", "-c", LISTEN, str(port), str(after))
    return Service(name, "red", command, readiness=Readiness(tcp=("127.0.0.1", port)), **more)


def test_the_hooks_of_a_life_run_in_order_each_where_it_belongs(ground: Ground):
    where = '$(hostname) $(test "$(readlink /proc/self/ns/net)" = "$OUT" && echo outside || echo inside)'
    environment = (("OUT", os.readlink("/proc/self/ns/net")),)
    hooks = tuple(
        Hook(phase, shell(ground.record(f"{phase} {where}")), place)
        for phase in Phase
        for place in (
            (HookPlace.SERVICE, HookPlace.HOST) if phase is Phase.PRE_START else (HookPlace.SERVICE,)
        )
    )
    web = Service(
        "web",
        "red",
        shell(f"{ground.record('runs')}; exec sleep 1000"),
        hooks=hooks,
        environment=environment,
        readiness=Readiness(command=shell(f"grep -q runs {ground.folder}/record"), interval=0.02),
    )
    ground.apply(web)
    outside = [socket.gethostname(), "outside"]
    assert ground.recorded == [
        *("initialize", "alpha", "inside", "pre-start", "alpha", "inside", "pre-start", *outside),
        *("runs", "post-start", "alpha", "inside"),
    ]
    assert read_services(ground.name) == wanted_services(ground.network(web))
    ground.stop()
    assert ground.recorded[-6:] == ["pre-stop", "alpha", "inside", "post-stop", "alpha", "inside"]
    assert read_services(ground.name) == []


def test_initialize_runs_once_in_a_networks_life_even_if_the_supervisor_is_killed(ground: Ground):
    first = sleeper("web", hooks=(Hook(Phase.INITIALIZE, shell(ground.record("init"))),))
    ground.apply(first)
    ground.apply(replace(first, stop_timeout=2.0))
    os.kill(ground.supervisor, signal.SIGKILL)
    eventually(lambda: leftovers(ground.name) == [], "the services end")
    ground.apply(first)
    assert ground.recorded == ["init"]
    ground.stop()
    ground.apply(first)
    assert ground.recorded == ["init", "init"]


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


@pytest.mark.parametrize("phase", [Phase.INITIALIZE, Phase.PRE_START, Phase.POST_START])
def test_a_hook_that_fails_puts_everything_back(ground: Ground, phase: Phase):
    stays, goes, old = sleeper("stays"), sleeper("goes"), sleeper("changes")
    ground.apply(stays, goes, old)
    before = read_services(ground.name)
    pid = ground.pid("stays")
    bad = sleeper("bad", needs=("changes",), hooks=(Hook(phase, shell("echo because; exit 3")),))
    with pytest.raises(ServiceError, match=f"service bad: {phase} hook .* ended with status 3") as error:
        ground.apply(stays, replace(old, stop_timeout=3.0), bad)
    assert error.value.log == ("because",)
    assert "\n  | because\n" in str(error.value)
    assert sorted(read_services(ground.name), key=str) == sorted(before, key=str)
    assert ground.pid("stays") == pid
    assert leftovers(ground.name, ["bad"]) == []


def test_a_stop_hook_that_fails_is_told_and_the_service_is_stopped_or_put_back(ground: Ground):
    web = sleeper("web", hooks=(Hook(Phase.PRE_STOP, shell("echo never; exit 4")),))
    ground.apply(web, sleeper("db"))
    with pytest.raises(ServiceError, match="pre-stop hook"):
        ground.apply(sleeper("db"))
    assert ground.states() == {"web": "running", "db": "running"}
    with pytest.raises(ServiceError, match="status 4") as error:
        ground.stop()
    assert error.value.log == ("never",)
    assert leftovers(ground.name) == []
    assert "never" in log_path(ground.name, "web").read_text()


def test_a_hook_that_takes_too_long_is_killed_with_all_it_started(ground: Ground):
    hook = Hook(Phase.PRE_START, shell("sleep 1000 & sleep 1000"), timeout=0.3)
    with pytest.raises(ServiceError, match=r"did not end within 0\.3 s"):
        ground.apply(sleeper("web", hooks=(hook,)))
    eventually(lambda: leftovers(ground.name) == [], "the hook's processes end")


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


def sleeping(mark: int) -> list[str]:
    """The sleeping processes, wherever they are, that carry this test's number."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if words[:2] == [b"sleep", str(mark).encode()]:
                found.append(entry.name)
    return found


def test_a_killed_supervisor_leaves_no_process(ground: Ground):
    mark = 100000 + os.getpid()
    # One child in the group, one in a session of its own, one in the group that hid its environment.
    script = f"sleep {mark} & setsid -f sleep {mark}; env -i sleep {mark} & exec sleep {mark}"
    ground.apply(Service("web", "red", shell(script)))
    eventually(lambda: len(sleeping(mark)) == 4, "all run")
    os.kill(ground.supervisor, signal.SIGKILL)
    eventually(lambda: sleeping(mark) == [], "all end")
    assert read_services(ground.name) == []


def test_services_die_with_the_supervisor_even_where_its_guard_died_before(ground: Ground):
    ground.apply(sleeper("web"), sleeper("db", user="nobody" if has_users() else None))
    supervisor = ground.supervisor
    guards = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    mine = {str(ground.pid("web")), str(ground.pid("db"))}
    for pid in {*guards} - mine:
        os.kill(int(pid), signal.SIGKILL)
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: leftovers(ground.name) == [], "the kernel ends them")


def test_a_stop_ends_what_left_the_process_group(ground: Ground):
    mark = 200000 + os.getpid()
    ground.apply(Service("web", "red", shell(f"sleep {mark} & setsid -f sleep {mark}; exec sleep {mark}")))
    eventually(lambda: len(sleeping(mark)) == 3, "all run")
    ground.stop()
    assert sleeping(mark) == []
    assert "left behind" not in " ".join(ground.said)


def test_what_ignores_the_stop_is_killed(ground: Ground):
    script = f"trap '{ground.record('asked')}' TERM; while :; do sleep 0.05; done"
    ground.apply(Service("web", "red", shell(script), stop_timeout=0.3))
    ground.stop()
    assert ground.recorded == ["asked"]


def test_a_supervisor_that_is_asked_to_end_stops_its_services_in_order(ground: Ground):
    def stopping(name: str) -> tuple[Hook, ...]:
        return (Hook(Phase.POST_STOP, shell(ground.record(name))),)

    ground.apply(sleeper("web", needs=("db",), hooks=stopping("web")), sleeper("db", hooks=stopping("db")))
    os.kill(ground.supervisor, signal.SIGTERM)
    eventually(lambda: not socket_path(ground.name).exists(), "the supervisor ends")
    assert ground.recorded == ["web", "db"]


def test_a_client_that_is_killed_has_its_change_undone(ground: Ground):
    ground.apply(sleeper("web"))
    program = (
        "import sys; from isthmus.network.services.client import *; from isthmus.network.services import *\n"
        "from isthmus.network.services.definition import ReadinessDefinition as R\n"
        f"d = read_definitions({ground.name!r})\n"
        "slow = Definition('slow', 'outside', ('sleep', '1000'), readiness=R(command=('false',)))\n"
        f"apply_definitions({ground.name!r}, (*d, slow), print)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as client:
        eventually(lambda: leftovers(ground.name, ["slow"]), "the slow one starts")
        client.kill()
    eventually(lambda: not leftovers(ground.name, ["slow"]), "it is undone")
    eventually(lambda: ground.states() == {"web": "running"}, "the other one stays")


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


def test_a_stop_without_a_supervisor_kills_what_a_crash_left(ground: Ground):
    environment = {"PATH": "/bin:/usr/bin", "ISTHMUS_NETWORK": ground.name, "ISTHMUS_SERVICE": "web"}
    left = subprocess.Popen(["sleep", "1000"], env=environment)
    threading.Thread(target=left.wait).start()
    ground.stop()
    assert left.wait(DEADLINE) == -signal.SIGKILL
    assert ground.said == ["killed 1 process that a crash left behind"]
    ground.said.clear()
    ground.stop()
    assert ground.said == []
