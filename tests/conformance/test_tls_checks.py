"""Health checks that shake hands: what each finds, says and sends, in one pair of proxies."""

from __future__ import annotations

import contextlib
import csv
import io
import re
import ssl
from collections import Counter
from collections.abc import Iterator

from .http_lab import until
from .lab import Both, Lab
from .tls_paper import Paper
from .wire import Behaviour, End, Origin

COLUMNS = ("status", "check_status", "check_code", "check_health", "check_desc", "last_chk")
ROWS = {
    # name: origin and options of the server line
    "believed": "web ssl verify required ca-file {ca} check",
    "anybody": "web ssl verify none check",
    "tls12": "web ssl verify required ca-file {ca} check ssl-max-ver TLSv1.2",
    "sni": "web ssl verify required ca-file {ca} check check-sni www.example.test",
    "othersni": "web ssl verify required ca-file {ca} check check-sni www.example.org",
    "serversni": "web ssl verify required ca-file {ca} check sni str(www.example.org)",
    "host": "web ssl verify required ca-file {ca} check verifyhost www.example.org",
    "snioverhost": "web ssl verify required ca-file {ca} check verifyhost b.test check-sni www.example.test",
    "alpn": "spoken ssl verify none check alpn http/1.1",
    "checkalpn": "spoken ssl verify none check alpn h9 check-alpn http/1.1",
    "noalpn": "spoken ssl verify none check check-alpn h9",
    "stranger": "stranger ssl verify required ca-file {ca} check",
    "shows": "asks ssl verify none check crt {client}",
    "showsnone": "asks ssl verify none check ssl-max-ver TLSv1.2",
    "clear": "clear ssl verify none check",
    "silent": "silent ssl verify none check",
    "closes": "closes ssl verify none check",
    "dead": "<closed> ssl verify none check",
    "without": "clear ssl verify none check no-check-ssl",
    "port": "clear ssl verify none check port <clear_port>",
    "address": "clear ssl verify none check addr 127.0.0.1",
    "portbytls": "web ssl verify none check port <web_port> check-ssl",
    "checkonly": "web check check-ssl verify required ca-file {ca}",
    "checkonlystranger": "stranger check check-ssl verify required ca-file {ca}",
    "proto": "web ssl verify none check check-proto none",
    "header": "reads check check-send-proxy",
    "headerasserver": "reads check send-proxy",
    "headerelsewhere": "reads check send-proxy port <reads_port>",
    "header2": "reads check send-proxy-v2 port <reads_port> check-send-proxy",
    "headertls": "reads check ssl verify none send-proxy-v2",
}
CONFIG = """
listen l
  bind 127.0.0.1:<front>
  option log-health-checks
  default-server inter 1s fall 1
{servers}
"""


class Heard:
    """What origins heard of checks, each thing once: the number of checks is a matter of time."""

    def __init__(self) -> None:
        self._said: dict[Origin, set[str]] = {}

    def note(self, origin: Origin, said: str) -> None:
        """Take something down."""
        self._said.setdefault(origin, set()).add(f"{origin.name}: {said}")

    def by(self, lab: Lab) -> list[str]:
        """Return what the origins of a lab heard."""
        return sorted(said for each in lab.origins.values() for said in self._said.get(each, ()))

    def secured(self, paper: Paper, name: str, alpn: str = "", clients: str = "") -> Behaviour:
        """Return an origin that shakes hands."""

        def serve(origin: Origin, end: End) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(paper[f"{name}.pem"])
            if alpn:
                context.set_alpn_protocols([alpn])
            if clients:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
            context.sni_callback = lambda _, sent, __: self.note(origin, f"sni {sent}")
            with contextlib.suppress(ssl.SSLError), context.wrap_socket(end.sock, server_side=True) as tls:
                self.note(origin, f"alpn {tls.selected_alpn_protocol()}")
                tls.recv(1)

        return serve

    def reads(self, origin: Origin, end: End) -> None:
        """Read the start of what a check sends: of a binary header all, the handshake behind it aside."""
        begun = end.sock.recv(5000)
        begun = begun[:16] if begun[:1] == b"\r" else re.sub(rb" \d{4,5}", b" N", begun)
        self.note(origin, f"{begun!r}")
        end.close()


def clear(_: Origin, end: End) -> None:
    end.sock.recv(5000)
    end.sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def silent(_: Origin, end: End) -> None:
    end.read_end()


def closes(_: Origin, end: End) -> None:
    end.close()


def rows(lab: Lab) -> Iterator[dict[str, str]]:
    text = lab.command("show stat").removeprefix("# ")
    return (row for row in csv.DictReader(io.StringIO(text)) if row["svname"] in ROWS)


def numbers(lab: Lab) -> dict[str, str]:
    """The status of each check in `show servers state`."""
    lines = (line.split() for line in lab.command("show servers state").splitlines())
    return {words[3]: words[10] for words in lines if len(words) > 14 and words[3] in ROWS}


def unworded(text: str) -> str:
    """Without the kernel's word: whether an alert or the reset behind it is seen first is chance."""
    return text.replace(" (Connection reset by peer)", "").replace(" (Broken pipe)", "")


def first_lines(lab: Lab) -> dict[str, str]:
    """The first line about each check."""
    found: dict[str, str] = {}
    for line in lab.log.lines():
        about = re.search(r"Health check for server l/(\S+) .*", line.raw)
        if about:
            said = re.sub(r"duration: \d+ms", "duration: Nms", about[0])
            found.setdefault(about[1], unworded(said))
    return found


def test_checks_by_tls_find_and_say_what_haproxys_do(both: Both, paper: Paper) -> None:
    heard = Heard()
    origins: dict[str, Behaviour | None] = {
        "web": heard.secured(paper, "site"),
        "spoken": heard.secured(paper, "site", alpn="http/1.1"),
        "stranger": heard.secured(paper, "self"),
        "asks": heard.secured(paper, "site", clients=paper["ca.crt"]),
        "clear": clear,
        "silent": silent,
        "closes": closes,
        "reads": heard.reads,
    }
    servers = []
    for name, row in ROWS.items():
        origin, options = row.split(" ", 1)
        place = origin if origin == "<closed>" else f"<{origin}>"
        servers.append(
            f"  server {name} {place} {options.format(ca=paper['ca.crt'], client=paper['client.pem'])}"
        )

    def play(lab: Lab) -> object:
        said: dict[str, list[str]] = {}

        def all_said() -> bool:
            # A star marks a check that is under way, and then HAProxy may not tell of the last one.
            for row in rows(lab):
                if row["check_status"] != "INI" and not row["check_status"].startswith("*"):
                    said[row["svname"]] = [unworded(row[column]) for column in COLUMNS]
            return len(said) == len(ROWS)

        until(lambda: len(first_lines(lab)) == len(ROWS))
        until(all_said)
        return said, numbers(lab), first_lines(lab), heard.by(lab)

    seen = both(CONFIG.format(servers="\n".join(servers)), play, origins=origins, logged=False)
    found = {name: row[1] for name, row in seen.value[0].items()}
    assert Counter(found.values()) == {"L6OK": 13, "L6RSP": 8, "L6TOUT": 1, "L4CON": 1, "L4OK": 7}
