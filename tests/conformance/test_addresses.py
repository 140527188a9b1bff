"""Where a proxy listens and where it connects to: every address form of TCP mode that loopback can show."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from .lab import Both, Lab, observe
from .wire import End, Origin, greets


def config(bind: str, server: str = "<a>", more: str = "") -> str:
    return f"""
frontend f
  bind {bind}
  log-format "ci=%ci cp=%cp fi=%fi fp=%fp si=%si sp=%sp so=%[so_name] id=%[so_id]"
  default_backend b
backend b
  server a {server}
{more}
"""


def hello(end: End) -> bytes:
    heard = end.read(2)
    end.finish().read_end()
    end.close()
    return heard


@pytest.mark.parametrize(
    "bind",
    [
        "127.0.0.1:<front>",
        "ipv4@127.0.0.1:<front>",
        "*:<front>",
        ":<front>",
        "0.0.0.0:<front>",
        "localhost:<front>",
        "127.0.0.1:<front>,127.0.0.2:<front>",
        "127.0.0.1:<front> name edge id 7",
        "127.0.0.1:<front> defer-accept",
        "127.0.0.1:<front> backlog 20 mss 1000 tcp-ut 5s tfo",
        "127.0.0.1:<front> interface lo",
        ":::<front> v4v6",
    ],
)
def test_a_bind_address(both: Both, bind: str) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"x")
        return hello(client)

    seen = both(config(bind), traffic)
    assert seen.value == b"a\n"


def test_ipv6_clients_are_logged_in_their_own_form(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return hello(lab.connect(host="::1"))

    seen = both(config("ipv6@::1:<front>"), traffic)
    assert seen.value == b"a\n"
    assert seen.log.ci == "::1"


def test_v6only_refuses_ipv4(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        try:
            lab.connect().close()
        except ConnectionRefusedError:
            return "refused"
        return "accepted"

    assert both(config(":::<front> v6only"), traffic).value == "refused"


def test_a_unix_socket_listens_with_its_mode(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        path = lab.folder / "front.sock"
        return hello(lab.connect_unix(str(path))), oct(path.stat().st_mode & 0o777)

    seen = both(config("unix@<dir>/front.sock mode 640\n  bind 127.0.0.1:<front>"), traffic)
    assert seen.value == (b"a\n", "0o640")


def test_an_absolute_path_is_a_unix_socket(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return hello(lab.connect_unix(str(lab.folder / "front.sock")))

    assert both(config("<dir>/front.sock\n  bind 127.0.0.1:<front>"), traffic).value == b"a\n"


def test_a_server_on_a_unix_socket(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        origin = Origin("u", greets, str(lab.folder / "origin.sock"))
        try:
            return hello(lab.connect())
        finally:
            origin.close()

    seen = both(config("127.0.0.1:<front>", "unix@<dir>/origin.sock"), traffic)
    assert seen.value == b"u\n"


def test_a_server_on_an_abstract_socket(both: Both) -> None:
    """A listener and a server under the same abstract name: the proxy connects to itself."""
    more = """
listen inner
  bind abns@isthmus-conformance-<front>
  server a <a>
"""

    seen = both(
        config("127.0.0.1:<front>", "abns@isthmus-conformance-<front>", more),
        lambda lab: hello(lab.connect()),
        logged=False,
    )
    assert seen.value == b"a\n"


def test_a_server_by_name(both: Both) -> None:
    seen = both(config("127.0.0.1:<front>", "localhost:<a_port>"), lambda lab: hello(lab.connect()))
    assert seen.value == b"a\n"


def test_a_servers_port_may_follow_the_clients(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        origin = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        origin.bind(("127.0.0.3", lab.ports["front"] + 1))
        origin.listen()
        origin.settimeout(5)
        client = lab.connect()
        accepted, _ = origin.accept()
        accepted.close()
        origin.close()
        return client.ending()

    both(config("127.0.0.1:<front>", "127.0.0.3:+1"), traffic, logged=False)


def test_a_server_without_a_port_takes_the_clients(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        origin = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        origin.bind(("127.0.0.3", lab.ports["front"]))
        origin.listen()
        origin.settimeout(5)
        client = lab.connect()
        accepted, _ = origin.accept()
        accepted.close()
        origin.close()
        return client.ending()

    both(config("127.0.0.1:<front>", "127.0.0.3"), traffic, logged=False)


def test_the_zero_address_is_the_clients_destination(both: Both) -> None:
    """As with a transparent listener: connected to is what the client connected to, on the port given."""

    def traffic(lab: Lab) -> object:
        return hello(lab.connect(host="127.0.0.1"))

    seen = both(config("0.0.0.0:<front>", "0.0.0.0:<a_port>"), traffic)
    assert seen.value == b"a\n"


def test_a_star_is_the_clients_destination(both: Both) -> None:
    seen = both(config("0.0.0.0:<front>", "*:<a_port>"), lambda lab: hello(lab.connect()))
    assert seen.value == b"a\n"


def test_a_servers_source_address(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        heard = hello(lab.connect())
        return heard, lab.origin().ends[0].peer[0]

    seen = both(config("127.0.0.1:<front>", "<a> source 127.0.0.44"), traffic)
    assert seen.value == (b"a\n", "127.0.0.44")


def test_one_bind_line_may_name_several_addresses(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return hello(lab.connect("front")), hello(lab.connect("second"))

    text = config("127.0.0.1:<front>,127.0.0.1:<second>")
    assert both(text, traffic).value == (b"a\n", b"a\n")


def test_an_abstract_name_is_as_long_as_its_prefix_says(beyond: Both, tmp_path: Path) -> None:
    """`abns@` names are filled up with zero bytes, `abnsz@` names end where they end (HAProxy 3.1)."""
    text = config(
        "127.0.0.1:<front>,abns@isthmus-long-<front>,abnsz@isthmus-short-<front>",
        "abnsz@isthmus-origin-<front>",
    )

    def traffic(lab: Lab) -> object:
        port = lab.ports["front"]
        names = [f"\0isthmus-long-{port}".encode().ljust(108, b"\0"), f"\0isthmus-short-{port}".encode()]
        with socket.socket(socket.AF_UNIX) as origin:
            origin.bind(f"\0isthmus-origin-{port}".encode())
            origin.listen()
            origin.settimeout(5)
            for name in names:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(name)
                    accepted, _ = origin.accept()
                    accepted.close()
        return len(names)

    assert observe(beyond.candidate, tmp_path / "own", text, traffic).value == 2


def test_a_bind_line_may_name_a_range_of_ports(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        # The odd port above each of the ledger's is free.
        lab.ports["next"] = lab.ports["front"] + 1
        return hello(lab.connect("front")), hello(lab.connect("next"))

    seen = both(config("127.0.0.1:<front>-<front_next>"), traffic, logged=False)
    assert seen.value == (b"a\n", b"a\n")


# Each: what a server's address is and how it is looked for.
LOOKED_FOR = (
    "localhost:1",
    "localhost:1 init-addr libc",
    "localhost:1 init-addr last,libc",
    "localhost:1 init-addr none",
    "localhost:1 init-addr 127.0.0.5",
    "localhost:1 init-addr none,127.0.0.5",
    "nowhere.invalid:1 init-addr libc,none",
    "nowhere.invalid:1 init-addr libc,127.0.0.6",
    "nowhere.invalid:1 init-addr last,libc,none,127.0.0.6",
    "nowhere.invalid:1 init-addr last,none",
    "127.0.0.7:1 init-addr none",
)


def test_where_a_name_leads_and_what_state_it_leaves_the_server_in(both: Both) -> None:
    servers = "\n".join(f"  server s{number} {words}" for number, words in enumerate(LOOKED_FOR))

    def traffic(lab: Lab) -> object:
        rows = [row.split() for row in lab.command("show servers state looked").splitlines()]
        # srv_name, srv_addr, srv_op_state, srv_admin_state, srv_fqdn
        return [(row[3], row[4], row[5], row[6], row[17]) for row in rows[2:] if row]

    seen = both(config("127.0.0.1:<front>", "<a>", "backend looked\n" + servers), traffic, logged=False)
    assert [row[1] for row in seen.value[3:5]] == ["-", "127.0.0.5"]
