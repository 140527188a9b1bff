"""`cpu-set`, `cpu-map`, `http-err-codes`, `guid` and their kin: what is read, and what is refused."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, built, loaded, messages

from isthmus.model.processors import CpuChoice, CpuMap, CpuPart
from isthmus.model.resolvers import Family
from isthmus.plan import document


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1/all 0-3", CpuMap(None, (0, 1, 2, 3))),
        ("1 0-3", CpuMap(None, (0, 1, 2, 3))),
        ("all 2", CpuMap(None, (2,))),
        ("1/2-3 0 5,4", CpuMap((2, 3), (0, 4, 5))),
        ("1/even 0", CpuMap(tuple(range(2, 65, 2)), (0,))),
        ("auto:1/1-4 3 2 1 0", CpuMap((1, 2, 3, 4), (0, 1, 2, 3), each=True)),
        ("auto:1/all 0-63", CpuMap(tuple(range(1, 65)), tuple(range(64)), each=True)),
        ("auto:1/1- 0-", CpuMap(tuple(range(1, 65)), tuple(range(64)), each=True)),
    ],
)
def test_cpu_map_reads(line: str, expected: CpuMap) -> None:
    assert loaded(f"global\n cpu-map {line}\n").global_.cpu_map == (expected,)


def test_cpu_map_of_another_group_of_threads_says_nothing() -> None:
    assert loaded("global\n cpu-map 2/1-4 0-3\n").global_.cpu_map == ()


def test_cpu_set_keeps_the_order_of_its_directives() -> None:
    found = loaded("global\n cpu-set reset only-node 0\n cpu-set drop-thread 1-\n").global_.cpu_set
    assert found[:2] == (CpuChoice(None, False), CpuChoice(CpuPart.NODE, True, frozenset({0})))
    assert found[2].part is CpuPart.THREAD
    assert {1, 2} < found[2].numbers
    assert 0 not in found[2].numbers


@pytest.mark.parametrize(
    ("lines", "errors", "failures"),
    [
        ("http-err-codes 400,402-403", {400, 402, 403}, None),
        ("http-err-codes -400-498 +500", {499, 500}, None),
        ("http-err-codes 400-402 -401 +500,505", {400, 402, 500, 505}, None),
        ("http-fail-codes 503\n http-fail-codes +599", None, {503, 599}),
    ],
)
def test_statuses_that_count(lines: str, errors: set[int] | None, failures: set[int] | None) -> None:
    found = loaded(f"global\n {lines}\n").global_.http
    assert found.error_codes == (set(range(400, 500)) if errors is None else errors)
    assert found.failure_codes == (set(range(500, 600)) - {501, 505} if failures is None else failures)


def test_the_plan_has_the_statuses_as_ranges() -> None:
    text = "global\n http-err-codes 400-499 -404\n" + TIMEOUTS + "frontend f\n bind :80\n"
    found = built(text).engine.global_.http
    assert found.error_codes == ((400, 403), (405, 499))
    assert found.failure_codes == document.http.HttpGlobal().failure_codes


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("cpu-map 1/1-2", "E0106"),
        ("cpu-map 1/0 1", "E0150"),
        ("cpu-map auto:1/1-4 0", "E0150"),
        ("cpu-map auto:1 0", "E0150"),
        ("cpu-map 1/3-2 0", "E0150"),
        ("cpu-set", "E0106"),
        ("cpu-set only-cpu", "E0106"),
        ("cpu-set only-cpu x", "E0150"),
        ("cpu-set only-cpus 1", "E0150"),
        ("http-err-codes", "E0106"),
        ("http-err-codes 99", "E0150"),
        ("http-err-codes 404-400", "E0150"),
        ("http-err-codes +", "E0150"),
        ("http-fail-codes 600", "E0150"),
        ("thread-hard-limit 0", "E0053"),
        ("tune.renice.runtime 20", "E0053"),
        ("tune.listener.default-shards 4", "E0150"),
        ("harden.reject-privileged-ports.tcp yes", "E0150"),
        ("dns-accept-family", "E0106"),
        ("dns-accept-family ipv4,ipv5", "E0150"),
    ],
)
def test_what_is_refused(line: str, code: str) -> None:
    assert [each for each, _ in messages(f"global\n {line}\n")][:1] == [code]


def test_thread_hard_limit_holds_over_nbthread_and_says_so() -> None:
    text = f"global\n thread-hard-limit 2\n nbthread 5\n{TIMEOUTS}frontend f\n bind :80\n"
    assert ("W0195", 2) in messages(text)
    assert built(text).engine.global_.nbthread == 2


@pytest.mark.parametrize(
    ("said", "line", "shards"),
    [
        ("by-process", "", document.Count(1)),
        ("by-group", "", document.Count(1)),
        ("by-thread", "", document.ByThread()),
        ("by-process", "shards by-thread", document.ByThread()),
        ("by-thread", "shards 3", document.Count(3)),
    ],
)
def test_default_shards_are_for_lines_that_do_not_say(said: str, line: str, shards: document.Shards) -> None:
    text = f"global\n tune.listener.default-shards {said}\n{TIMEOUTS}frontend f\n bind :80 {line}\n"
    assert built(text).engine.frontends[0].binds[0].shards == shards


def test_fast_forward_without_is_without_splice() -> None:
    found = loaded("global\n tune.disable-fast-forward\n").global_
    assert found.splice is False


def test_an_algorithm_that_the_kernel_lacks_is_warned_of() -> None:
    text = TIMEOUTS + "listen l\n bind :80 cc reno\n bind :81 cc bbr\n server s 192.0.2.1:80 cc vegas\n"
    assert messages(text) == [("W0166", 7), ("W0166", 8)]
    frontend, backend = built(text).engine.frontends[0], built(text).engine.backends[0]
    assert [bind.congestion for bind in frontend.binds] == ["reno", "bbr"]
    assert backend.servers[0].congestion == "vegas"


RESOLVED = """resolvers r
 nameserver a 127.0.0.1:53
frontend f
 bind :80
 tcp-request content do-resolve(txn.ip,r) str(a.example)
"""


@pytest.mark.parametrize(
    ("said", "families", "routed"),
    [
        ("ipv4", {Family.IPV4}, False),
        ("ipv6,ipv4", {Family.IPV4, Family.IPV6}, False),
        ("auto", {Family.IPV4, Family.IPV6}, True),
        ("auto,ipv6", {Family.IPV4, Family.IPV6}, False),
    ],
)
def test_name_servers_are_asked_for_the_families_that_are_accepted(
    said: str, families: set[Family], routed: bool
) -> None:
    (section,) = built(TIMEOUTS + RESOLVED + f"global\n dns-accept-family {said}\n").resolvers
    assert (section.accept, section.accept_routed) == (families, routed)


GUIDS = """listen l
 guid one
 bind :80-81,:90 guid-prefix two
 bind :82 guid-prefix three
 server s 192.0.2.1:80 guid four
 server t 192.0.2.2:80
backend b
 guid five
 server s 192.0.2.1:80 guid six
"""


def test_guids_belong_to_proxies_listeners_and_servers() -> None:
    assert built(TIMEOUTS + GUIDS).guids == {
        ("F", "l", ""): "one",
        ("B", "l", ""): "one",
        ("L", "l", "1"): "two-0",
        ("L", "l", "2"): "two-1",
        ("L", "l", "3"): "two-2",
        ("L", "l", "4"): "three-0",
        ("S", "l", "s"): "four",
        ("B", "b", ""): "five",
        ("S", "b", "s"): "six",
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("guid five", "guid one", [("E0194", 11)]),
        ("guid six", "guid one", [("E0194", 13)]),
        ("guid six", "guid two-1", [("E0194", 13)]),
        ("guid-prefix three", "guid-prefix two", [("E0194", 8)]),
        ("guid six", "guid a/b", [("E0150", 13)]),
        ("guid six", "guid " + "x" * 128, [("E0150", 13)]),
    ],
)
def test_a_guid_has_one_owner(old: str, new: str, expected: list[tuple[str, int]]) -> None:
    assert messages(TIMEOUTS + GUIDS.replace(old, new)) == expected
