"""`show stat`, `show info` and their kin: columns where tools look for them."""

from __future__ import annotations

import csv
import json

import msgspec
import pytest
from instances import CONFIGURATION, Operator

from isthmus.engine.caches import CachedFacts, CacheFacts
from isthmus.engine.report import (
    ClientCounters,
    FrontendFacts,
    ListenerFacts,
    NamespaceFacts,
    SessionFacts,
    Snapshot,
)
from isthmus.engine.served import ServerFacts
from isthmus.runtime.stat_columns import COLUMNS, HEADER

HAPROXY_2_6 = (
    "# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,"
    "weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,"
    "rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,"
    "hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,"
    "last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,"
    "check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,"
    "conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,"
    "qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,"
    "uweight,agg_server_status,agg_server_check_status,agg_check_status,"
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.strip().removeprefix("# ").splitlines()))


def test_the_columns_of_haproxy_stand_where_tools_expect_them() -> None:
    assert HEADER.startswith(HAPROXY_2_6)
    assert HEADER.endswith(",-,netns,guid,\n")


def test_every_proxy_and_server_has_its_line_in_haproxys_order() -> None:
    found = [(each["pxname"], each["svname"], each["type"]) for each in rows(Operator().ask("show stat"))]
    assert found == [
        ("f", "FRONTEND", "0"),
        ("b", "s1", "2"),
        ("b", "s2", "2"),
        ("b", "s3", "2"),
        ("b", "BACKEND", "1"),
        ("l", "FRONTEND", "0"),
        ("l", "x1", "2"),
        ("l", "BACKEND", "1"),
    ]


def test_every_line_has_as_many_cells_as_the_header() -> None:
    lines = Operator().ask("show stat").strip().splitlines()
    assert {line.count(",") for line in lines} == {HEADER.count(",")}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ("f 1 -1", ["FRONTEND"]),
        ("2 1 -1", ["FRONTEND"]),
        ("-1 4 1", ["s1", "x1"]),
        ("b 4 2", ["s2"]),
        ("b 2 0", ["BACKEND"]),
        ("b 6 -1", ["s1", "s2", "s3", "BACKEND"]),
        ("f 8 -1", ["first"]),
        ("-1 foo -1", []),
    ],
)
def test_a_part_of_the_statistics_can_be_asked_for(arguments: str, names: list[str]) -> None:
    assert [each["svname"] for each in rows(Operator().ask(f"show stat {arguments}"))] == names


def test_listeners_of_a_proxy_with_socket_stats_have_lines_behind_its_frontend() -> None:
    operator = Operator(text=CONFIGURATION.replace("listen l\n", "listen l\n  option socket-stats\n"))
    names = [(each["pxname"], each["svname"]) for each in rows(operator.ask("show stat"))]
    assert names[-4:] == [("l", "FRONTEND"), ("l", "sock-1"), ("l", "x1"), ("l", "BACKEND")]
    assert ("f", "first") not in names
    assert [each["svname"] for each in rows(operator.ask("show stat l 1 -1"))] == ["FRONTEND"]


def test_a_proxy_that_is_not_there_is_said() -> None:
    assert Operator().ask("show stat nope 1 -1") == "No such proxy.\n\n"


def test_servers_in_maintenance_and_servers_down_can_be_left_out() -> None:
    operator = Operator()
    operator.ask("disable server b/s1;set server b/s2 health down")
    assert [each["svname"] for each in rows(operator.ask("show stat no-maint b 4 -1"))] == ["s2", "s3"]
    assert [each["svname"] for each in rows(operator.ask("show stat up b 4 -1"))] == ["s3"]


def test_the_typed_form_names_object_place_tags_and_type() -> None:
    lines = Operator().ask("show stat typed").splitlines()
    assert lines[0] == "F.2.0.0.pxname.1:KNS:str:f"
    assert "S.3.3.18.weight.1:MaP:u32:20" in lines


def test_the_json_form_holds_the_same_values() -> None:
    (frontend, *_) = json.loads(Operator().ask("show stat json"))
    assert frontend[0] == {
        "objType": "Frontend",
        "proxyId": 2,
        "id": 0,
        "field": {"pos": 0, "name": "pxname"},
        "processNum": 1,
        "tags": {"origin": "Key", "nature": "Name", "scope": "Service"},
        "value": {"type": "str", "value": "f"},
    }


def test_a_cell_with_a_comma_is_quoted() -> None:
    operator = Operator()
    facts = operator.native.facts
    odd = ServerFacts(name='a,"b"', id=9, status="UP")
    backend = msgspec.structs.replace(facts.backends[0], servers=(odd,))
    operator.native.facts = Snapshot(backends=(backend,))
    assert 'b,"a,""b""",' in operator.ask("show stat")


def test_columns_have_distinct_names_and_whole_tags() -> None:
    assert len({each.name for each in COLUMNS}) == len(COLUMNS)
    assert {len(each.tags) for each in COLUMNS} == {3}


def test_info_tells_haproxys_fields_and_whose_version_it_is() -> None:
    lines = dict(line.split(": ", 1) for line in Operator().ask("show info").strip().splitlines())
    assert lines["Name"] == "HAProxy"
    assert "isthmus" in lines["Version"]
    assert lines["Nbthread"] == "2"
    assert lines["node"] == "vm"
    assert "description" not in lines


def test_info_has_a_typed_and_a_json_form() -> None:
    assert "3.Nbthread.1:CGS:u32:2" in Operator().ask("show info typed").splitlines()
    found = json.loads(Operator().ask("show info json"))
    assert found[3]["value"] == {"type": "u32", "value": 2}


def test_namespaces_are_listed_with_their_state() -> None:
    operator = Operator()
    red = NamespaceFacts(name="red", path="/run/netns/red", present=True, listed=True, inode=7, listeners=2)
    blue = NamespaceFacts(name="blue", path="/run/netns/blue", optional=True, error="No such file")
    operator.native.facts = Snapshot(namespaces=(red, blue))
    header, first, second, _ = operator.ask("show namespaces").split("\n", 3)
    assert (
        header == "# name path state optional listed inode reentered sockets ready listeners sessions error"
    )
    assert first == "red /run/netns/red present no yes 7 0 0 0 2 0 -"
    assert second == "blue /run/netns/blue absent yes no 0 0 0 0 0 0 No_such_file"


def test_binds_that_refused_proxy_headers_follow_the_namespaces() -> None:
    operator = Operator()
    refused = ClientCounters(bad_proxy_headers=5, unlisted_namespaces=2)
    binds = (
        ListenerFacts(name="sock-1", namespace="red", counters=refused),
        ListenerFacts(name="plain"),
        ListenerFacts(name="public", counters=ClientCounters(bad_proxy_headers=1)),
    )
    operator.native.facts = Snapshot(frontends=(FrontendFacts(name="f", listeners=binds),))
    _, header, first, second = operator.ask("show namespaces").strip().split("\n")
    assert header == "# frontend bind namespace bad_proxy_headers unlisted_namespaces"
    assert (first, second) == ("f sock-1 red 5 2", "f public - 1 0")


def test_caches_are_shown_with_their_objects_and_without_addresses() -> None:
    operator = Operator()
    read = CachedFacts(turn=1, hash=7, variant=0, size=1025, users=2, expires=60)
    idle = CachedFacts(turn=26, hash=2**32 - 1, variant=0x1F, size=1024, users=0, expires=-3)
    operator.native.cached = [CacheFacts("one", 4096, (read, idle)), CacheFacts("two", 8192, ())]
    assert operator.ask("show cache").rstrip("\n").split("\n") == [
        "0x1: one (shctx:0x1, available blocks:2)",
        "0x1 hash:7 vary:0x0000000000000000 size:1025 (2 blocks), refcount:2, expire:60",
        "0x1a hash:4294967295 vary:0x000000000000001f size:1024 (1 blocks), refcount:0, expire:-3",
        "0x2: two (shctx:0x2, available blocks:8)",
    ]


def test_sessions_are_listed_and_one_can_be_picked(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator()
    one = SessionFacts(id=26, src="10.0.0.1:1234", frontend="f", backend="b", server="s1", age_ms=61_000)
    monkeypatch.setattr(operator.native, "sessions", lambda: msgspec.json.encode([one]))
    line = operator.ask("show sess")
    assert line.startswith("0x1a: proto=tcpv4 src=10.0.0.1:1234 fe=f be=b srv=s1 ")
    assert " age=1m01s " in line
    assert operator.ask("show sess 0x1a").startswith("0x1a: id=26 proto=tcpv4 source=10.0.0.1:1234\n")
    assert operator.ask("show sess 0x1b") == "Session not found.\n\n"
