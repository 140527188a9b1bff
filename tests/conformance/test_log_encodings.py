"""Log formats in JSON and CBOR, wherever one may stand; HAProxy has them since 3.0, so only we are run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from .http_lab import PREAMBLE, Await, Client, Script
from .http_lab import Reply as Answer
from .lab import Both, Lab, observe

SENT = b'GET /a"b?c=d HTTP/1.1\r\nHost: a\r\nX-Name: caf\xc3\xa9 \xff\r\n\r\n'
CONFIG = """
frontend f
  bind 127.0.0.1:<front>
  capture request header X-Name len 20
  unique-id-format "%{+json}o %(c)ci %(n:str)fp"
  http-request set-var-fmt(txn.b) "%{+cbor,+bin}o %(a)[int(5)]"
  http-response set-header x-vars "%[var(txn.b),hex] %{+json}[src] %{+json}[var(txn.none)]"
  http-response set-header x-id %ID
  log-format "%{+json}o text %(request)r %(status)ST %(text:str)ST %(bytes)B %(ok:bool)[int(1)] %(names)hrl"
  log-format-sd "%{+cbor}o %(s)ST"
  log <log> format rfc5424 local1
  default_backend b
backend b
  server s <a>
frontend early
  bind 127.0.0.1:<front2> accept-proxy
  error-log-format "%{+json}o %(client)ci %(error)[fc_err_str] %(none)[var(txn.x)]"
  default_backend b
"""


def test_an_encoding_works_wherever_a_format_may_stand(beyond: Both, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.play([SENT, Await(1)])
        client.last()
        lab.log.wait(2)
        lab.connect("front2").send(b"no PROXY header\r\n\r\n").ending()
        lab.log.wait(3)
        return client.end.received

    seen = observe(
        beyond.candidate,
        tmp_path / "own",
        CONFIG.replace("log <log> format", "log global\n  log <log> format"),
        traffic,
        preamble=PREAMBLE,
        origins={"a": Script((Answer(),))},
    )
    assert b'x-vars: BF616105FF "127.0.0.1" null\r\n' in seen.value
    port = re.search(rb'x-id: {"c": "127.0.0.1", "n": "(\d+)"}\r\n', seen.value)
    assert port, seen.value
    lines = [line.raw for line in seen.logs]
    told = json.loads(lines[0][lines[0].index("{") :].encode("latin-1"))
    assert told == {
        "request": 'GET /a"b?c=d HTTP/1.1',
        "status": 200,
        "text": "200",
        "bytes": len(seen.value),
        "ok": True,
        "names": ["caf\u00e9 \u00ff"],
    }
    assert " BF617318C8FF {" in lines[1]
    early = json.loads(lines[2][lines[2].index("{") :])
    assert early["client"] == "127.0.0.1"
    assert early["none"] is None
    assert "PROXY" in early["error"]
