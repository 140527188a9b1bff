"""From a configuration's text to the plan: one claim a test."""

from __future__ import annotations

import msgspec
from paper import TIMEOUTS, built, messages

from isthmus.plan import document as d

MINIMAL = """
global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend fe
  bind 127.0.0.1:8080
  default_backend be
backend be
  balance roundrobin
  server one 127.0.0.1:9001
  server two 127.0.0.1:9002 weight 3
"""


def test_a_minimal_tcp_configuration_becomes_a_plan() -> None:
    plan = built(MINIMAL).engine
    (frontend,) = plan.frontends
    (backend,) = plan.backends
    assert plan.global_.maxconn == 100
    assert frontend.binds[0].address == d.Inet("127.0.0.1", 8080)
    assert frontend.default_backend == 0
    assert frontend.timeout_client == 60_000
    assert backend.algorithm == d.Roundrobin()
    assert backend.timeout_connect == 5000
    assert [(each.name, each.id, each.weight) for each in backend.servers] == [("one", 1, 1), ("two", 2, 3)]


def test_a_plan_survives_its_journey_as_json() -> None:
    plan = built(MINIMAL).engine
    assert msgspec.json.decode(msgspec.json.encode(plan), type=d.Plan) == plan


def test_a_listen_is_a_frontend_and_a_backend_of_one_number() -> None:
    plan = built(TIMEOUTS + "listen l\n bind :80\n server s 10.0.0.1:80\n").engine
    assert plan.frontends[0].id == plan.backends[0].id == 1
    assert plan.frontends[0].default_backend == 0


def test_what_is_right_gives_no_message() -> None:
    assert messages(MINIMAL) == []
