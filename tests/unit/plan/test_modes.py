"""What modes allow: connections of a frontend in mode tcp that become HTTP, and what is told of the rest."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, built, messages

SITE = """frontend f
 mode tcp
 bind 127.0.0.1:8080
 {rules}
 default_backend {backend}
backend web
 mode http
 server s 127.0.0.1:9001
backend raw
 mode tcp
 server s 127.0.0.1:9001
"""


def site(rules: str = "", backend: str = "raw") -> str:
    return TIMEOUTS + SITE.format(rules=rules.replace("\n", "\n "), backend=backend)


def codes(text: str) -> list[str]:
    return [code for code, _ in messages(text)]


@pytest.mark.parametrize(
    ("rules", "backend", "switches"),
    [
        ("", "raw", False),
        ("", "web", True),
        ("use_backend web if { src 10.0.0.1 }", "raw", True),
        ("use_backend %[src]", "raw", True),
        ("tcp-request content switch-mode http if HTTP", "raw", True),
    ],
)
def test_a_frontend_switches_where_a_rule_or_a_backend_wants_http(
    rules: str, backend: str, switches: bool
) -> None:
    (frontend,) = built(site(rules, backend)).engine.frontends
    assert frontend.switches is switches
    assert (frontend.http is not None) is switches


def test_what_becomes_http_without_a_backend_for_it_is_warned_of() -> None:
    text = site("tcp-request content switch-mode http if HTTP")
    assert codes(text) == ["W0186"]
    assert codes(site("tcp-request content switch-mode http if HTTP", "web")) == []


def test_rules_for_requests_are_used_where_connections_may_become_http() -> None:
    rules = "http-request set-header X y\noption forwardfor\ncapture request header Host len 9"
    assert codes(site(rules)) == ["W0181"] * 3
    assert codes(site(rules, "web")) == []
    (frontend,) = built(site(rules, "web")).engine.frontends
    assert frontend.http is not None
    assert len(frontend.http.common.request_rules) == 1


def test_a_monitor_and_the_refusal_of_http2_are_for_mode_http_alone() -> None:
    rules = "monitor-uri /up\noption disable-h2-upgrade"
    assert codes(site(rules, "web")) == ["W0181"] * 2
    (frontend,) = built(site(rules, "web")).engine.frontends
    assert frontend.http is not None
    assert frontend.http.monitor_uri is None


def test_a_frontend_in_mode_http_has_no_backend_in_mode_tcp() -> None:
    text = site("", "raw").replace("mode tcp", "mode http", 1)
    assert codes(text) == ["E0185"]
