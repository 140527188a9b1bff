"""What `isthmus check` tells about rules that may be unsafe."""

from __future__ import annotations

import pytest
from paper import dangers, messages

HEAD = "defaults\n mode http\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
FRONTEND = HEAD + "frontend f\n bind :1\n"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (" http-request deny if { path_beg /admin }\n", [("D0460", 8)]),
        (" http-request tarpit if { src 10.0.0.1 } or { path /admin }\n", [("D0460", 8)]),
        (" acl admin url_beg /admin\n http-request reject if admin\n", [("D0460", 9)]),
        (" http-request deny unless { path_beg /public }\n", [("D0460", 8)]),
        (" http-request return status 403 if { path_beg /admin }\n", [("D0460", 8)]),
        (" http-request return status 200 if { path /up }\n", []),
        (" http-request auth if { path /admin }\n", [("D0460", 8)]),
        (
            " http-request normalize-uri fragment-strip\n http-request deny if { path /a }\n",
            [("D0460", 9)],
        ),
        (" http-request deny if { src 10.0.0.1 }\n", []),
        (" http-request set-log-level silent if { path /up }\n", []),
        (
            " http-request normalize-uri path-merge-slashes\n http-request deny if { path_beg /admin }\n",
            [],
        ),
        (
            " http-request deny if { path /a }\n http-request normalize-uri path-strip-dot\n"
            " http-request deny if { path /b }\n",
            [("D0460", 8)],
        ),
        (" http-request set-header X-Real-IP %[src]\n", [("D0461", 8)]),
        (" http-request set-header X-A a if FALSE\n http-request set-header x-a b\n", [("D0461", 8)]),
        (" http-request add-header X-User a\n", [("D0461", 8)]),
        (" option originalto\n", [("D0461", 8)]),
        (" unique-id-format a\n unique-id-header X-U\n", [("D0461", 9)]),
        (" unique-id-format a\n unique-id-header U\n", []),
        (" http-request set-header Host a\n", []),
        (" http-request del-header X-Real-IP\n", []),
        (" option forwardfor\n", [("D0461", 8)]),
        (" option forwardfor\n option http-restrict-req-hdr-names preserve\n", [("D0461", 8)]),
        (" option forwardfor\n option http-restrict-req-hdr-names delete\n", []),
        (" http-request set-header X-A a\n option http-restrict-req-hdr-names reject\n", []),
    ],
)
def test_what_is_told(lines: str, told: list[tuple[str, int]]) -> None:
    assert dangers(FRONTEND + lines) == told


@pytest.mark.parametrize(("option", "told"), [("preserve", [("D0461", 11)]), ("delete", [])])
def test_a_backend_is_safe_behind_frontends_that_restrict_names(option: str, told: list[object]) -> None:
    text = FRONTEND + f" option http-restrict-req-hdr-names {option}\n default_backend b\n"
    assert dangers(text + "backend b\n http-request set-header X-A a\n") == told


def test_a_line_of_defaults_is_told_of_once() -> None:
    text = HEAD.replace("mode http", "mode http\n option forwardfor")
    assert dangers(text + "frontend f\n bind :1\nfrontend g\n bind :2\n") == [("D0461", 3)]


def test_a_start_says_nothing_of_it() -> None:
    assert messages(FRONTEND + " option forwardfor\n") == []


def test_a_proxy_in_mode_tcp_has_no_such_dangers() -> None:
    assert dangers(FRONTEND + " mode tcp\n option forwardfor\n") == []
