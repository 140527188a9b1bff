"""The stats socket: the answers that scripts read."""

from __future__ import annotations

from .lab import Both, Lab, assert_same
from .wire import dial_unix, greets

TWO = """
frontend f
  bind 127.0.0.1:<front>
  maxconn 1000
  default_backend b
backend b
  balance roundrobin
  server a <a> weight 2 maxconn 50
  server b <b> backup
"""
ORIGINS = {"a": greets, "b": greets}
# What does not depend on the clock or on the version.
COLUMNS = (
    *("pxname", "svname", "qcur", "qmax", "scur", "smax", "slim", "stot", "bin", "bout", "dreq", "dresp"),
    *("ereq", "econ", "eresp", "wretr", "wredis", "status", "weight", "act", "bck", "pid", "iid", "sid"),
    "rate_lim",
    *(
        "throttle",
        "lbtot",
        "tracked",
        "type",
        "qlimit",
        "mode",
        "algo",
        "dcon",
        "dses",
        "wrew",
        "connect",
        "reuse",
    ),
)


def table(text: str) -> dict[str, dict[str, str]]:
    lines = text.strip().splitlines()
    names = lines[0].removeprefix("# ").rstrip(",").split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:]]
    return {f"{row['pxname']}/{row['svname']}": {name: row[name] for name in COLUMNS} for row in rows}


def test_show_stat_begins_with_haproxys_columns(both: Both) -> None:
    def traffic(lab: Lab) -> list[str]:
        return lab.command("show stat").splitlines()[0].split(",")

    expected, got = both.apart(TWO, traffic, origins=ORIGINS)
    assert_same(expected.value[:90], got.value[:90])


def test_show_stat_counts_what_happened(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.names(3)
        lab.log.wait(3)
        return {name: row for name, row in table(lab.command("show stat")).items() if name[0] in "fb"}

    seen = both(TWO, traffic, origins=ORIGINS)
    assert seen.value["b/a"]["stot"] == "3"


def test_show_stat_of_failures(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  maxconn 1000
  tcp-request connection reject if { src 127.0.0.9 }
  tcp-request content reject if { src 127.0.0.8 }
  default_backend b
backend b
  retries 1
  timeout connect 200
  option redispatch
  server dead <closed>
  server dead2 <closed>
"""

    def traffic(lab: Lab) -> object:
        for source in ("127.0.0.9", "127.0.0.8", "127.0.0.7"):
            lab.connect(source=source).ending()
        lab.log.wait(2)
        return {name: row for name, row in table(lab.command("show stat")).items() if name[0] in "fb"}

    both(text, traffic, origins=ORIGINS)


def test_show_stat_tells_the_rate_that_a_frontend_is_limited_to(both: Both) -> None:
    text = (
        TWO
        + """
frontend limited
  bind 127.0.0.1:<limited>
  rate-limit sessions 7
  default_backend b
"""
    )

    def traffic(lab: Lab) -> object:
        rows = table(lab.command("show stat"))
        return {name: row["rate_lim"] for name, row in rows.items() if name.endswith("/FRONTEND")}

    seen = both(text, traffic, origins=ORIGINS)
    assert seen.value == {"f/FRONTEND": "0", "limited/FRONTEND": "7"}


LIMIT_COMMANDS = (
    *("server", "server b/a", "server b/a x", "server b/a 1x", "server b/nosuch 3", "server nosuch/a 3"),
    *("server b 3", "server b/a 7", "frontend", "frontend f", "frontend f -1", "frontend nosuch 1"),
    *("frontend b 1", "frontend f 5", "global", "global 1500", "global 500"),
)


def test_set_maxconn_answers_and_is_shown(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = [lab.command(f"set maxconn {words}") for words in LIMIT_COMMANDS]
        limits = {name: row["slim"] for name, row in table(lab.command("show stat")).items()}
        info = [line for line in lab.command("show info").splitlines() if "axconn:" in line]
        return answers, limits["f/FRONTEND"], limits["b/a"], info

    seen = both("global\n  maxconn 1000\n" + TWO, traffic, origins=ORIGINS)
    assert seen.value[1:] == ("5", "7", ["Maxconn: 500", "Hard_maxconn: 1000"])


def test_shutdown_sessions_server_answers(both: Both) -> None:
    places = ("", "b", "b/nosuch", "nosuch/a", "b/a")

    def traffic(lab: Lab) -> object:
        return [lab.command(f"shutdown sessions server {place}") for place in places]

    both(TWO, traffic, origins=ORIGINS)


# Not random: whether it comes back to the same server is chance, with HAProxy too.
BALANCES = (
    ("source", "", 2, 1),
    ("source", "", 2, 2),
    ("source", "", 3, 1),
    ("source", "hash-type consistent", 2, 1),
    ("source", "hash-type consistent", 3, 2),
    ("leastconn", "", 2, 1),
    ("first", "", 2, 1),
    ("first", "", 1, 1),
    ("static-rr", "", 2, 1),
    ("roundrobin", "", 3, 1),
)


def test_show_stat_of_redispatches_that_come_back_to_the_same_server(both: Both) -> None:
    """A map-based hash leads to the same server again: that is no choice of balancing's."""
    text = ""
    for number, (balance, kind, servers, interval) in enumerate(BALANCES):
        text += f"""
listen f{number}
  bind 127.0.0.1:<front{number}>
  balance {balance}
  {kind}
  retries 3
  timeout connect 50
  option redispatch {interval}
"""
        text += "".join(f"  server s{at} <closed>\n" for at in range(servers))

    def traffic(lab: Lab) -> object:
        for number in range(len(BALANCES)):
            lab.connect(f"front{number}").ending()
        lab.log.wait(len(BALANCES))
        rows = table(lab.command("show stat")).items()
        names = ("stot", "lbtot", "wretr", "wredis", "econ", "connect")
        seen = {name: tuple(row[each] for each in names) for name, row in rows if name[0] == "f"}
        return {f"{BALANCES[int(name[1 : name.index('/')])]} {name}": row for name, row in seen.items()}

    both(text, traffic, origins=ORIGINS)


def test_states_and_weights_set_are_shown(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = [
            lab.command(line)
            for line in (
                "set server b/a weight 50%",
                "get weight b/a",
                "set server b/b state drain",
                "disable server b/a",
                "set server b/a state nonsense",
                "set server b/nosuch state ready",
                "set server nosuch/a state ready",
                "set server b/a weight 300",
                "set server b/a weight -1",
            )
        ]
        rows = table(lab.command("show stat"))
        return answers, {
            name: (rows[name]["status"], rows[name]["weight"]) for name in ("b/a", "b/b", "b/BACKEND")
        }

    both(TWO, traffic, origins=ORIGINS, logged=False)


def without_the_time(line: str) -> str:
    """Column 10 of a server's line is the time since its last change."""
    return " ".join("N" if number == 9 else word for number, word in enumerate(line.split(" ")))


def test_show_servers_state(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lines = lab.command("show servers state").splitlines()
        # Column 10 is the time since the last change; the 26th, the namespace, HAProxy has not.
        return [
            lab.mask(" ".join("N" if n == 9 else word for n, word in enumerate(line.split(" ")[:25])))
            for line in lines
            if not line.startswith("#")
        ]

    both(TWO, traffic, origins=ORIGINS)


INFO = (
    "Name",
    "Version",
    "Nbthread",
    "Process_num",
    "Pid",
    "Uptime",
    "Uptime_sec",
    "Maxsock",
    "Maxconn",
    "CurrConns",
)


def test_show_info_has_haproxys_names(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        names = [line.split(":")[0] for line in lab.command("show info").splitlines()]
        return [name for name in INFO if name in names]

    seen = both(TWO, traffic, origins=ORIGINS)
    assert seen.value == list(INFO)


def test_several_commands_on_one_line(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return lab.command("disable server b/a; enable server b/a; get weight b/a")

    both(TWO, traffic, origins=ORIGINS, logged=False)


def test_prompt_keeps_the_connection(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        end = dial_unix(lab.stats_path)
        end.send(b"prompt\n")
        first = end.read(3)
        end.send(b"get weight b/a\n")
        second = end.read(len("2 (initial 2)\n\n> "))
        end.send(b"quit\n")
        rest = end.read_end()
        end.close()
        return first, second, rest

    both(TWO, traffic, origins=ORIGINS)


def test_an_unknown_command_says_so(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return lab.command("nosuch").splitlines()[0][:16]

    both(TWO, traffic, origins=ORIGINS)
