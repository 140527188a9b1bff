"""The parts of the plan: numbers, addresses, health checks, limits, the process."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from paper import TIMEOUTS, built, messages

from isthmus.plan import CheckTarget
from isthmus.plan import document as d
from isthmus.plan.names import Numbers


def backend(lines: str) -> d.Backend:
    return built(TIMEOUTS + f"backend b\n{lines}").engine.backends[0]


def server(line: str) -> d.Server:
    return backend(f" server s {line}\n").servers[0]


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        # Seen on HAProxy 2.6: what has a number of its own moves the next one on as well.
        ([0, 0, 0], [1, 2, 3]),
        ([2, 0, 0, 0, 9, 0, 0], [2, 3, 4, 5, 9, 7, 8]),
        ([0, 1, 0, 0, 0], [2, 1, 4, 5, 6]),
        ([0, 0, 2, 0], [1, 3, 2, 5]),
    ],
)
def test_numbers_are_given_as_haproxy_gives_them(given: list[int], numbers: list[int]) -> None:
    allotted = Numbers(given)
    assert [allotted.number(each) for each in given] == [numbers[i] for i in range(len(given))]


def test_a_stats_socket_takes_the_first_number_of_a_proxy() -> None:
    plan = built("global\n stats socket /run/x\n" + TIMEOUTS + "frontend a\n bind :1\n")
    assert plan.engine.frontends[0].id == 2
    assert plan.runtime.sockets[0].level == "operator"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1:80", d.ServerInet("10.0.0.1", d.FixedPort(80))),
        ("10.0.0.1", d.ServerInet("10.0.0.1", d.ClientPort(0))),
        ("10.0.0.1:+10", d.ServerInet("10.0.0.1", d.ClientPort(10))),
        ("*", d.ServerInet(None, d.ClientPort(0))),
        ("*:9001", d.ServerInet(None, d.FixedPort(9001))),
        ("*:-1", d.ServerInet(None, d.ClientPort(-1))),
        ("0.0.0.0:0", d.ServerInet(None, d.ClientPort(0))),
        ("[::1]:80", d.ServerInet("::1", d.FixedPort(80))),
        ("origin.test:80", d.ServerInet("192.0.2.7", d.FixedPort(80))),
        ("ipv6@origin.test:80", d.ServerInet("2001:db8::7", d.FixedPort(80))),
        ("nowhere.test:80 init-addr libc,none", d.ServerUnresolved("nowhere.test", d.FixedPort(80))),
        ("nowhere.test:80 init-addr libc,10.9.9.9", d.ServerInet("10.9.9.9", d.FixedPort(80))),
        ("/run/a.sock", d.ServerLocal(d.Unix("/run/a.sock"))),
        ("abns@a", d.ServerLocal(d.Abstract("a", False))),
        ("abnsz@a", d.ServerLocal(d.Abstract("a", True))),
    ],
)
def test_a_server_is_where_its_line_says(text: str, address: d.ServerAddress) -> None:
    assert server(text).address == address


def test_a_server_is_reached_in_the_namespace_that_its_line_says() -> None:
    plan = built(
        TIMEOUTS + "namespace_list\n namespace blue\nlisten l\n bind :1 namespace red\n"
        " server a 10.0.0.1:1\n server b 10.0.0.1:1 namespace blue\n server c 10.0.0.1:1 namespace *\n"
    ).engine
    assert [each.name for each in plan.namespaces] == ["blue", "red"]
    assert plan.namespace_list == (0,)
    assert plan.frontends[0].binds[0].namespace == 1
    namespaces = [each.namespace for each in plan.backends[0].servers]
    assert namespaces == [d.DefaultNamespace(), d.FixedNamespace(0), d.ClientNamespace()]


def test_a_namespace_that_one_line_calls_optional_is_optional() -> None:
    plan = built(TIMEOUTS + "frontend f\n bind :1 namespace red\n bind :2 namespace red optional\n").engine
    assert plan.namespaces == (d.Namespace("red", "/run/netns/red", True),)


@pytest.mark.parametrize(
    ("options", "maxconn", "minconn"),
    [
        ("maxconn 10", 10, 0),
        ("minconn 5", 5, 0),
        ("minconn 5 maxconn 3", 5, 0),
        ("minconn 5 maxconn 30", 30, 5),
    ],
)
def test_minconn_is_the_limit_where_maxconn_is_not_above_it(options: str, maxconn: int, minconn: int) -> None:
    found = server(f"10.0.0.1:1 {options}")
    assert (found.maxconn, found.minconn) == (maxconn, minconn)


def test_fullconn_is_a_tenth_of_what_the_frontends_can_bring() -> None:
    plan = built(
        "global\n maxconn 1001\n" + TIMEOUTS + "frontend a\n bind :1\n default_backend x\n"
        "frontend b\n bind :2\n maxconn 500\n use_backend x if TRUE\nbackend x\nbackend y\n"
        "backend z\n fullconn 7\n"
    ).engine
    assert [each.fullconn for each in plan.backends] == [151, 1, 7]


def test_send_proxy_v2_wins_over_version_1_and_takes_its_options() -> None:
    header = server("10.0.0.1:1 send-proxy send-proxy-v2 proxy-v2-options crc32c,cert-cn").proxy_header
    assert header == d.ProxyHeader(2, crc32c=True, ssl=True, ssl_parts=("cert-cn",))
    assert server("10.0.0.1:1 send-proxy-v2 no-send-proxy-v2").proxy_header is None


def test_a_field_of_a_proxy_header_is_a_format() -> None:
    header = server("10.0.0.1:1 send-proxy-v2 set-proxy-v2-tlv-fmt(0xE1) hello").proxy_header
    assert header is not None
    assert header.tlvs == (d.ProxyTlv(0xE1, (d.Literal("hello"),)),)


def test_a_check_goes_to_the_server_in_its_namespace_unless_told_otherwise() -> None:
    plan = built(
        TIMEOUTS + "backend b\n default-server check inter 1s\n server a 10.0.0.1:1 namespace red\n"
        " server b 10.0.0.1 addr 10.0.0.9 port 99 fastinter 100ms\n server c 10.0.0.1:1 no-check\n"
        " server d 10.0.0.1:1 namespace * check-namespace blue\n"
    )
    a, b, last = plan.health.checks
    assert a.target == CheckTarget(d.Inet("10.0.0.1", 1), "/run/netns/red")
    assert b.target == CheckTarget(d.Inet("10.0.0.9", 99), None)
    assert (b.inter, b.fastinter, b.downinter, b.rise, b.fall) == (1000, 100, 1000, 2, 3)
    assert last.target == CheckTarget(d.Inet("10.0.0.1", 1), "/run/netns/blue")
    assert [each.checked for each in plan.engine.backends[0].servers] == [True, True, False, True]


def test_a_tracking_server_is_checked_by_another_one_s_check() -> None:
    found = backend(
        " server a 10.0.0.1:1 check\n server b 10.0.0.1:1 track a\n server c 10.0.0.1:1 track b/b\n"
    )
    assert [each.track for each in found.servers] == [None, (0, 0), (0, 1)]
    assert all(each.checked for each in found.servers)


def test_queue_timeout_falls_back_to_the_connect_timeout() -> None:
    assert backend("").timeout_queue == 1000
    assert backend(" timeout queue 5s\n").timeout_queue == 5000


def test_variables_of_the_process_are_expressions() -> None:
    plan = built('global\n set-var proc.a int(3)\n set-var-fmt proc.b "x y"\n').engine
    assert plan.global_.variables == (
        ("proc.a", d.Expression(d.Call("int", (d.ArgInt(3),)))),
        ("proc.b", d.Expression(d.Call("str", (d.ArgStr("x y"),)))),
    )


def test_an_address_of_a_name_is_looked_up_once_for_a_template() -> None:
    found = backend(" server-template s 3 origin.test:80\n")
    assert [each.name for each in found.servers] == ["s1", "s2", "s3"]
    assert {each.address for each in found.servers} == {
        d.ServerInet(str(ip_address("192.0.2.7")), d.FixedPort(80))
    }


def test_unix_bind_sets_what_unix_sockets_of_bind_lines_leave_open() -> None:
    # Seen on HAProxy 2.6: the prefix is text, and abstract sockets have none.
    text = "global\n unix-bind prefix /run mode 660 user web group web\n stats socket /s\n" + TIMEOUTS
    plan = built(text + "frontend f\n bind /a,unix@/b mode 600 uid 0\n bind /c\n bind abns@d\n bind :80\n")
    assert [(each.address, each.mode, each.uid, each.gid) for each in plan.engine.frontends[0].binds] == [
        (d.Unix("/run/a"), 0o600, 0, 34),
        (d.Unix("/run/b"), 0o600, 0, 34),
        (d.Unix("/run/c"), 0o660, 33, 34),
        (d.Abstract("d", False), None, None, None),
        (d.Inet("0.0.0.0", 80), None, None, None),
    ]
    assert plan.runtime.sockets[0].mode is None
    assert messages("global\n unix-bind\n") == [("E0106", 2)]


def test_a_disabled_proxy_is_not_judged() -> None:
    assert messages("frontend f\n disabled\n default_backend nowhere\n") == []
