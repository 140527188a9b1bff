"""Stick tables between namespaces: tenants with the same address are not one client."""

from __future__ import annotations

import re

import pytest

from .wire import Origin, eventually, greeting

SAME = "10.0.0.10"
CLIENT = "10.0.0.10"


@pytest.fixture
def tenants(ground):
    """Two tenants that both own 10.0.0.10, and whose clients come from there."""
    return {name: ground.add(name, SAME) for name in ("red", "blue")}


def config(options: str) -> str:
    return f"""
frontend f
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  tcp-request connection track-sc0 src table t
  tcp-request connection reject if {{ sc0_conn_cnt gt 2 }}
  default_backend b
backend b
  server s 127.0.0.1:80
backend t
  stick-table type ip size 100 expire 1h {options} store conn_cnt,conn_cur
"""


def calls(namespace) -> str:
    """Who answers a call, or that nobody does."""
    try:
        return greeting(namespace, SAME, 8000).split(" ")[0]
    except (OSError, AssertionError, IndexError):
        return ""


def entries(proxy) -> list[str]:
    def settled() -> list[str]:
        lines = [line.partition(" ")[2] for line in proxy.command("show table t").splitlines()[1:] if line]
        return lines if all("use=0" in line for line in lines) else []

    lines = eventually(settled, "entries that nobody tracks")
    return [re.sub(r"exp=[1-9][0-9]*", "exp=N", line) for line in lines]


def test_tenants_with_the_same_address_are_counted_apart(ground, isthmus, tenants):
    Origin(ground.default, "127.0.0.1", 80, name="default")
    proxy = isthmus(config(""))
    assert [calls(tenants["red"]) for _ in range(3)] == ["default", "default", ""]
    assert [calls(tenants["blue"]) for _ in range(2)] == ["default", "default"]
    assert entries(proxy) == [
        f"key={CLIENT} netns=blue use=0 exp=N conn_cnt=2 conn_cur=0",
        f"key={CLIENT} netns=red use=0 exp=N conn_cnt=3 conn_cur=0",
    ]
    proxy.command(f"clear table t key {CLIENT}")
    assert len(entries(proxy)) == 2
    proxy.command(f"clear table t key {CLIENT} netns red")
    assert entries(proxy) == [f"key={CLIENT} netns=blue use=0 exp=N conn_cnt=2 conn_cur=0"]
    assert calls(tenants["red"]) == "default"


def test_a_shared_table_takes_them_for_one_client_as_haproxy_does(ground, isthmus, tenants):
    Origin(ground.default, "127.0.0.1", 80, name="default")
    proxy = isthmus(config("netns shared"))
    assert [calls(tenants[name]) for name in ("red", "blue", "red", "blue")] == ["default", "default", "", ""]
    assert entries(proxy) == [f"key={CLIENT} use=0 exp=N conn_cnt=4 conn_cur=0"]
