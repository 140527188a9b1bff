"""Which connections are logged at all, and when."""

from __future__ import annotations

import pytest

from .ending_lab import config
from .lab import Both, Lab
from .sink import whole_line
from .test_logs import BARE, greeted, slashed_timers


def test_dontlognull_hides_a_connection_without_data(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.connect()
        lab.origin().accept().finish()
        first.read_end()
        first.close()
        second = lab.connect().send(b"x")
        origin = lab.origin().accept()
        origin.read(1)
        second.close()
        origin.read_end()
        origin.close()
        lab.log.wait(1)

    seen = both(config("option dontlognull"), traffic, origins={"a": None})
    assert [line.U for line in seen.logs] == ["1"]


def test_dontlognull_hides_a_client_that_only_listened(both: Both) -> None:
    """A server that greets first makes a probe no less of one."""

    def traffic(lab: Lab) -> object:
        got = lab.greeting()
        lab.ask(b"x")
        lab.log.wait(1)
        return got

    seen = both(config("option dontlognull"), traffic)
    assert [line.U for line in seen.logs] == ["1"]


def test_dontlog_normal_hides_what_went_well(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.command("disable server b/a")
        return lab.greeting()

    seen = both(config("option dontlog-normal"), traffic)
    assert [line.ts for line in seen.logs if "ts=" in line.raw] == ["SC"]


def test_logasap_logs_when_the_server_is_connected(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        client.read(2)
        lab.log.wait(1)
        before_the_end = len(lab.log.lines())
        client.send(b"more").finish()
        client.read_end()
        return before_the_end

    seen = both(config("option logasap"), traffic)
    assert seen.value == 1


def test_logasap_with_tcplog(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        client.read(2)
        lab.log.wait(1)
        client.finish().read_end()

    both(
        config("option tcplog\n  option logasap"),
        traffic,
        normal=slashed_timers,
        preamble=BARE.format(log="local0"),
    )


def test_logasap_when_the_connection_fails(both: Both) -> None:
    both(config("option logasap", "retries 0", "<closed>"), greeted)


def test_error_log_format_is_for_connections_without_a_session(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front> accept-proxy name edge
  error-log-format "error %ci %f %ft %fc_err=%[fc_err] %[fc_err_str]"
  default_backend b
backend b
  server a <a>
"""
    text = text.replace("%fc_err=", "err=")

    def traffic(lab: Lab) -> object:
        ended = lab.connect().send(b"GET / HTTP/1.0\r\n\r\n").ending()
        lab.log.wait(1)
        return ended

    both(text, traffic, normal=whole_line)


def test_the_bind_lines_name_is_in_the_error_log(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front> accept-proxy name edge
"""

    def traffic(lab: Lab) -> object:
        ended = lab.connect().send(b"GET / HTTP/1.0\r\n\r\n").ending()
        lab.log.wait(1)
        return ended

    seen = both(text, traffic, normal=whole_line)
    assert " f/edge: " in seen.log.raw


@pytest.mark.parametrize(
    "options", ["option dontlognull", "option log-separate-errors", "option dontlog-normal"]
)
def test_options_and_connections_without_a_session(both: Both, options: str) -> None:
    text = f"""
frontend f
  bind 127.0.0.1:<front> accept-proxy
  {options}
"""

    def traffic(lab: Lab) -> object:
        lab.connect().finish().ending()
        return lab.connect().send(b"GET / HTTP/1.0\r\n\r\n").ending()

    both(text, traffic, normal=whole_line, ordered=False)
