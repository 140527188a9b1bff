import os
import socket
import sys

import pytest

from isthmus.lab.errors import LabError
from isthmus.lab.proxy import default_command, free_ports, listening_ports, running_proxy

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
   1: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1
   2: 0100007F:1F42 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 3 1
"""
# A proxy that listens on the port that its configuration holds, until it is told to stop.
LISTENER = """\
import pathlib, signal, socket, sys
listener = socket.create_server(("127.0.0.1", int(pathlib.Path(sys.argv[2]).read_text())))
print("listening", flush=True)
signal.pause()
"""


def test_only_listening_sockets_count():
    assert listening_ports(TABLE) == {8001, 8080}


def test_free_ports_are_distinct_and_can_be_bound():
    ports = free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", port))


def test_isthmus_itself_is_run_by_the_same_interpreter():
    assert default_command()[0] == sys.executable


def test_a_proxy_has_started_when_it_listens_and_stops_with_the_block(tmp_path):
    [port] = free_ports(1)
    configuration = tmp_path / "edge.cfg"
    configuration.write_text(str(port))
    with running_proxy([sys.executable, "-c", LISTENER], configuration, {os.getpid(): {port}}):
        socket.create_connection(("127.0.0.1", port), 5).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    assert (tmp_path / "edge.log").read_text() == "listening\n"


def test_a_proxy_that_ends_at_once_is_an_error_with_its_last_words(tmp_path):
    script = "import sys; print('bad line 3'); sys.exit(1)"
    with (
        pytest.raises(LabError, match=r"status 1:\n    bad line 3"),
        running_proxy([sys.executable, "-c", script], tmp_path / "a.cfg", {os.getpid(): {1}}),
    ):
        pytest.fail("it never listened")


def test_a_proxy_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with (
        pytest.raises(LabError, match="/nonexistent/proxy"),
        running_proxy(["/nonexistent/proxy"], tmp_path / "a.cfg", {}),
    ):
        pytest.fail("it cannot have started")
