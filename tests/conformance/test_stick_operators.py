"""Stick tables as operators see and change them through the stats socket, through both proxies."""

from __future__ import annotations

from .lab import Both, Lab, assert_same
from .stick_lab import ONE, PREAMBLE, SITE, Place, masked, request, says

_COMMANDS = r"""
show table
show table f
show table nothing
show table f blah
show table f key
set table f key 1.2.3.4 data.gpc0 5 data.conn_rate 9 data.conn_cnt 7
set table f key 1.2.3.5
set table f key 1.2.3.6 data.gpc0 6 data.gpt0 4294967295
show table f
show table f key 1.2.3.4
show table f key 9.9.9.9
show table f key foo
show table f data.gpc0 gt 4
show table f data.gpc0 le 5
show table f data.gpc0 ne 5
show table f data.gpc0 eq 5 data.conn_cnt lt 8
show table f data.conn_rate ge 9
show table f data.nothing eq 1
show table f data.gpc0
show table f data.gpc0 like 1
show table f data.gpc0 eq x
show table f data.server_id eq 1
set table
set table nothing key 1
set table f key
set table f key 1.2.3.4 gpc0 1
set table f key 1.2.3.4 data.gpc0
set table f key 1.2.3.4 data.gpc0 x
set table f key 1.2.3.4 data.nothing 1
set table f data.gpc0 eq 1
set table names key hello data.gpc0 1
set table names key hello2
set table names key a\ b data.http_req_cnt 3
show table names
show table names key a\ b
set table names key 1234567890 data.gpc0 8
show table names
set table names key x data.conn_cnt 1
set table arrays key ::1 data.gpc 4
set table arrays key 2001:db8::1 data.gpt 5
show table arrays
set table arrays key 1.2.3.4
show table arrays data.gpc eq 4
set table numbers key 77
set table numbers key 4294967295 data.gpc0 1
set table numbers key -1
show table numbers
clear table f data.gpc0 eq 5
show table f
clear table f key 9.9.9.9
clear table f key
clear table f key 1.2.3.5
show table f
clear table f
show table f
clear table
clear table nothing
clear table numbers key 77
show table numbers
show table
"""
COMMANDS = _COMMANDS.strip().splitlines()


def test_operators_see_and_change_the_same(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return [(line, masked(lab.command(line))) for line in COMMANDS]

    config = SITE.format(stored="gpc0,gpt0,conn_cnt,conn_rate(1h)", front="", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


def test_an_entry_in_use_is_neither_cleared_nor_forgotten(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        end = lab.connect()
        end.send(request("/200").replace(b"close", b"keep-alive"))
        end.read(20)
        seen = [
            masked(lab.command(line))
            for line in ("show table f", "clear table f key 127.0.0.1", "clear table f")
        ]
        seen.append(masked(lab.command("show table f")))
        end.close()
        return [*seen, Place(lab).shown("f")]

    config = SITE.format(stored="conn_cur,conn_cnt", front="  tcp-request connection track-sc0 src", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)
    assert "use=1" in got.value[0][1]
    assert "conn_cur=0" in got.value[-1][1]


def test_a_new_plan_keeps_what_tables_hold(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        Place(lab).ask("/200", ONE)
        seen = Place(lab).shown("f")
        lab.command("set table f key 1.2.3.4 data.gpc0 5")
        # With Isthmus another plan comes into force by that.
        lab.command("add server b/c 127.0.0.1:1")
        seen += Place(lab).shown("f")
        Place(lab).ask("/200", ONE)
        return [*seen, *Place(lab).shown("f")]

    config = SITE.format(stored="gpc0,conn_cnt", front="  tcp-request connection track-sc0 src", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)
    assert "conn_cnt=2" in got.value[-1]
