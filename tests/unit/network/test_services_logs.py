"""What services print, kept within bounds."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from isthmus.network.services.leftovers import leftovers
from isthmus.network.services.listening import AlreadyThere, connect, listen
from isthmus.network.services.logs import SHOWN_LINES, Log, last_lines


def test_a_log_is_turned_over_before_it_grows_too_large(tmp_path):
    path = tmp_path / "deep" / "web.log"
    log = Log(path, largest=100)
    for number in range(10):
        log.write(b"%039d\n" % number)
    log.close()
    assert path.read_bytes() == b"".join(b"%039d\n" % number for number in (8, 9))
    assert (path.parent / "web.log.1").read_bytes() == b"".join(b"%039d\n" % number for number in (6, 7))
    assert sorted(os.listdir(path.parent)) == ["web.log", "web.log.1"]


def test_a_log_is_appended_to(tmp_path):
    for text in (b"one\n", b"two\n"):
        log = Log(tmp_path / "web.log")
        log.write(text)
        log.close()
    assert (tmp_path / "web.log").read_bytes() == b"one\ntwo\n"


def test_the_last_lines_are_the_services_own_since_its_start(tmp_path):
    log = Log(tmp_path / "web.log")
    log.write(b"old\n")
    log.forget()
    log.note("started")
    log.write(b"new\n")
    assert log.last() == ("new",)
    log.close()
    assert "isthmus: started" in (tmp_path / "web.log").read_text()


def test_a_log_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").write_text("")
    log = Log(tmp_path / "file" / "web.log")
    log.write(b"x\n")
    assert log.last() == ("x",)


def test_shown_lines_are_few_and_fit_for_a_terminal():
    assert last_lines(b"\x1b[2J\xff\n") == ("?[2J�",)
    assert len(last_lines(b"x\n" * 100)) == SHOWN_LINES


def test_a_network_has_one_supervisor_and_a_stale_socket_is_no_other(tmp_path):
    path = tmp_path / "net-demo.sock"
    assert connect(path) is None
    first = listen(path)
    try:
        listen(path)
    except AlreadyThere:
        pass
    else:
        raise AssertionError("two listen")
    first.close()
    assert path.exists()
    assert connect(path) is None
    second = listen(path)
    assert path.stat().st_mode & 0o777 == 0o600
    second.close()


def test_leftovers_are_told_by_their_environment_and_none_of_them_is_the_caller():
    name = f"t{os.getpid()}-leftovers"
    script = (
        "import os, sys; from isthmus.network.services.leftovers import leftovers\n"
        "print(os.environ['ISTHMUS_NETWORK'] and leftovers(os.environ['ISTHMUS_NETWORK']))"
    )
    environment = {**os.environ, "ISTHMUS_NETWORK": name, "ISTHMUS_SERVICE": "web"}
    with subprocess.Popen(["sleep", "60"], env=environment) as left:
        try:
            # The kernel shows it a moment after the program has started.
            while not Path(f"/proc/{left.pid}/environ").read_bytes():
                time.sleep(0.001)
            assert leftovers(name) == [left.pid]
            assert leftovers(name, ["web"]) == [left.pid]
            assert leftovers(name, ["db"]) == []
            done = subprocess.run(
                [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
            )
            assert done.stdout.strip() == f"[{left.pid}]"
        finally:
            left.kill()
    assert leftovers(name) == []
