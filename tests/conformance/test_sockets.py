"""What `bind`, `server` and keep-alive lines ask of the kernel: the options of its sockets."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from . import kernel
from .lab import Both, Lab
from .wire import End

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def config(bind: str = "", server: str = "", frontend: str = "", backend: str = "") -> str:
    return f"""
frontend f
  bind 127.0.0.1:<front> {bind}
  {frontend}
  default_backend b
backend b
  {backend}
  server a <a> {server}
"""


def greeted(lab: Lab) -> End:
    client = lab.connect().send(b"x")
    assert client.read(2) == b"a\n"
    return client


def of_listeners(*options: str) -> Callable[[Lab], Any]:
    return lambda lab: kernel.listeners(lab.proxy.pid, lab.ports["front"], *options)


def of_accepted(*options: str) -> Callable[[Lab], Any]:
    def traffic(lab: Lab) -> object:
        greeted(lab)
        return kernel.accepted(lab.proxy.pid, lab.ports["front"], *options)

    return traffic


def of_connected(*options: str) -> Callable[[Lab], Any]:
    def traffic(lab: Lab) -> object:
        greeted(lab)
        return kernel.connected(lab.proxy.pid, lab.origin().port, *options)

    return traffic


@pytest.mark.parametrize(
    ("bind", "option", "value"),
    [
        ("", "defer", 0),
        ("defer-accept", "defer", 1),
        ("mss 1000", "mss", 1000),
        ("tcp-ut 5s", "user-timeout", 5000),
        ("interface lo", "device", "lo"),
        pytest.param("transparent", "transparent", 1, marks=AS_ROOT),
    ],
)
def test_an_option_of_a_bind_line_is_the_listeners(both: Both, bind: str, option: str, value: object) -> None:
    assert both(config(bind), of_listeners(option)).value == [{option: value}]


def test_tfo_gives_the_listener_a_queue_of_early_data(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        (seen,) = kernel.listeners(lab.proxy.pid, lab.ports["front"], "tfo")
        return seen["tfo"] > 0

    assert both(config("tfo"), traffic).value is True
    assert both(config(), traffic).value is False


@pytest.mark.parametrize(
    ("bind", "option", "value"),
    [("", "nodelay", 1), ("tcp-ut 5s", "user-timeout", 5000), ("", "user-timeout", 0)],
)
def test_an_accepted_connection_has_the_option(both: Both, bind: str, option: str, value: int) -> None:
    assert both(config(bind), of_accepted(option)).value == [{option: value}]


PROBING = ("keepalive", "probes", "idle", "interval")


@pytest.mark.parametrize(
    ("frontend", "kept"),
    [
        ("", 0),
        ("option tcpka", 1),
        ("option clitcpka", 1),
        ("option srvtcpka", 0),
        ("option clitcpka\n  clitcpka-cnt 4\n  clitcpka-idle 7s\n  clitcpka-intvl 9s", 1),
    ],
)
def test_keep_alive_towards_the_client(both: Both, frontend: str, kept: int) -> None:
    seen = both(config(frontend=frontend), of_accepted(*PROBING))
    assert [each["keepalive"] for each in seen.value] == [kept]
    if "cnt" in frontend:
        assert seen.value == [{"keepalive": 1, "probes": 4, "idle": 7, "interval": 9}]


@pytest.mark.parametrize(
    ("backend", "kept"),
    [
        ("", 0),
        ("option tcpka", 1),
        ("option srvtcpka", 1),
        ("option clitcpka", 0),
        ("option srvtcpka\n  srvtcpka-cnt 4\n  srvtcpka-idle 7s\n  srvtcpka-intvl 9s", 1),
    ],
)
def test_keep_alive_towards_the_server(both: Both, backend: str, kept: int) -> None:
    seen = both(config(backend=backend), of_connected(*PROBING))
    assert [each["keepalive"] for each in seen.value] == [kept]
    if "cnt" in backend:
        assert seen.value == [{"keepalive": 1, "probes": 4, "idle": 7, "interval": 9}]


@pytest.mark.parametrize(
    ("server", "backend", "option", "value"),
    [
        ("tcp-ut 5s", "", "user-timeout", 5000),
        ("", "", "user-timeout", 0),
        ("source 0.0.0.0 interface lo", "", "device", "lo"),
        ("", "source 127.0.0.7 interface lo", "device", "lo"),
        ("", "", "device", ""),
    ],
)
def test_an_option_of_a_server_is_its_connections(
    both: Both, server: str, backend: str, option: str, value: object
) -> None:
    assert both(config(server=server, backend=backend), of_connected(option)).value == [{option: value}]


@pytest.mark.parametrize(
    ("bind", "count"), [("shards 1", 1), ("shards 2", 2), ("shards by-thread", 4), ("thread 3", 1)]
)
def test_how_many_sockets_share_the_address(both: Both, bind: str, count: int) -> None:
    text = "global\n  nbthread 4\n" + config(bind)
    assert both(text, lambda lab: len(of_listeners()(lab))).value == count
