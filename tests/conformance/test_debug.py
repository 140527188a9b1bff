"""The converter `debug`: what it writes of a value, and that the value goes on."""

from __future__ import annotations

from .http_lab import PREAMBLE
from .lab import Both, Lab

VALUES = (
    *(
        "src",
        "int(5)",
        "int(-5)",
        'str("a b")',
        "bool(true)",
        "ipv6(2001:db8::1)",
        "bin(41420043)",
        "hdr(odd)",
    ),
    *("hdr(none)", "str()", "req.hdr_cnt"),
)


def test_a_value_is_told_of_and_goes_on(both: Both) -> None:
    rules = "".join(
        f"  http-request set-var(txn.v{at}) {value},debug(v{at},{'stderr' if at % 2 else 'stdout'})\n"
        for at, value in enumerate(VALUES)
    )
    shown = "|".join(f"%[var(txn.v{at})]" for at in range(len(VALUES)))
    text = f"""
frontend f
  bind 127.0.0.1:<front>
{rules}
  http-request set-var(txn.more) int(1),debug(,stderr),add(2)
  http-request return status 200 content-type text/plain lf-string "{shown}|%[var(txn.more)]"
"""

    def traffic(lab: Lab) -> tuple[bytes, list[str], list[str]]:
        answer = lab.ask(b"GET / HTTP/1.0\r\nOdd: a\x80\tb\r\n\r\n").partition(b"\r\n\r\n")[2]
        told = lab.proxy.stderr.splitlines(), lab.proxy.stdout_path.read_text().splitlines()
        errors, lines = ([line for line in each if line.startswith("[debug]")] for each in told)
        return answer, errors, lines

    seen = both(text, traffic, preamble=PREAMBLE, logged=False)
    assert "[debug] v0: type=ipv4 <127.0.0.1>" in seen.value[2]
    assert "[debug] : type=sint <1>" in seen.value[1]
