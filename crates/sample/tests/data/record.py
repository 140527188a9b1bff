"""Records what a real HAProxy makes of expressions.

Reads expressions, one on a line, from `expressions.txt` and writes `haproxy.tsv`: the expression, a
tab, and the value as Python's repr of bytes, or `!` where HAProxy refuses the expression. Each value is
what `%[...]` writes into the body of an HTTP response. Reads ACLs from `acls.txt` and writes `acls.tsv`
likewise, with `yes`, `no` or `!`. Run it with Debian's HAProxy 2.6 in the path.
"""

import http.client
import pathlib
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable

HERE = pathlib.Path(__file__).parent

CONFIG = """
global
    log stdout local0 emerg
    presetenv ISTHMUS_TEST value
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend main
    bind 127.0.0.1:{port}
    http-request set-var(txn.number) int(7)
    http-request set-var(txn.word) str(word)
    http-request set-var(txn.bytes) bin(48692c)
    http-request set-var(txn.address) src
"""

RETURN = "    http-request return status 200 content-type text/plain"
ACL = RETURN + " string yes if {{ path /{index} }} {{ {acl} }}\n"
ELSE = RETURN + " string no\n"
RULE = RETURN + " lf-file {file} if {{ path /{index} }}\n"


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepted(config: str, directory: pathlib.Path) -> bool:
    """Whether HAProxy takes a configuration."""
    path = directory / "haproxy.cfg"
    path.write_text(config)
    done = subprocess.run(["haproxy", "-c", "-f", str(path)], capture_output=True, check=False)
    return done.returncode == 0


def ask(port: int, index: int) -> bytes:
    """Get what HAProxy answers for the rule of an index."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", f"/{index}")
    return connection.getresponse().read()


def expression_rule(expression: str, index: int, directory: pathlib.Path) -> str:
    """Make a rule that answers with the value of an expression."""
    file = directory / f"{index}.txt"
    file.write_text(f"%[{expression}]")
    return RULE.format(file=file, index=index)


def acl_rule(acl: str, index: int, directory: pathlib.Path) -> str:
    """Make a rule that answers `yes` when an ACL holds."""
    return ACL.format(acl=acl, index=index)


def record(
    lines: list[str], make: Callable[[str, int, pathlib.Path], str], directory: pathlib.Path
) -> list[tuple[str, str]]:
    """Ask a HAProxy about each line: what it answered, or `!` where it refused the line."""
    port = free_port()
    head = CONFIG.format(port=port)
    candidates = {index: make(line, index, directory) for index, line in enumerate(lines)}
    rules = {index: rule for index, rule in candidates.items() if accepted(head + rule, directory)}
    assert accepted(head + "".join(rules.values()) + ELSE, directory)
    process = subprocess.Popen(["haproxy", "-db", "-f", str(directory / "haproxy.cfg")])
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        return [(line, repr(ask(port, index)) if index in rules else "!") for index, line in enumerate(lines)]
    finally:
        process.terminate()
        process.wait()


def lines_of(name: str) -> list[str]:
    """Read the lines of a file, without comments."""
    lines = (HERE / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def main() -> None:
    """Write both files anew."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        rows = record(lines_of("expressions.txt"), expression_rule, directory)
        (HERE / "haproxy.tsv").write_text("".join(f"{line}\t{value}\n" for line, value in rows))
        rows = record(lines_of("acls.txt"), acl_rule, directory)
        answers = "".join(line + "\t" + value.strip("b'") + "\n" for line, value in rows)
        (HERE / "acls.tsv").write_text(answers)


if __name__ == "__main__":
    main()
