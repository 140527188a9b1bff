"""Control characters in what log formats put into heads: encoded, and every client has an answer."""

from __future__ import annotations

from base64 import b64encode

from .http_batch import compare_all
from .http_lab import Exchange
from .lab import Both

# All but NUL, at which a value is cut off.
CONTROLS = bytes((*range(1, 32), 127))
ALL = b64encode(b"<" + CONTROLS + b">\xe9%").decode()
# A blank would end a target.
UNBLANK = b64encode(b"<" + CONTROLS.replace(b"\t", b"") + b">").decode()
SPLITS = b64encode(b"a\r\nx-evil:1\r\n\r\nb").decode()
RULES = {
    "a returned field": 'http-request return status 200 hdr z "{0}"',
    "a location": "http-request redirect location /{0}",
    "a prefix": "http-request redirect prefix /{0}",
    "a scheme": "http-request redirect scheme h{0}",
    "a header that is set": 'http-request set-header x "{0}"',
    "a header that is added": 'http-request add-header x "{0}"',
    "a header that is replaced": 'http-request replace-header host .* "{0}"',
    "a header of the response": 'http-response set-header x "{0}"',
    "a header of any response": 'http-after-response set-header x "{0}"',
    "a path": "http-request set-path /{0}",
    "a query": "http-request set-query {0}",
    "a denial's field": 'http-request deny deny_status 403 hdr z "{0}"',
}


def _rows() -> list[Exchange]:
    rows = []
    for name, rule in RULES.items():
        every = UNBLANK if name in ("a path", "a query") else ALL
        for kind, text in (("all", every), ("a split", SPLITS)):
            constant = f"%[str({text}),b64dec]"
            said = rule.format(constant, constant.removeprefix("%"))
            rows.append(Exchange(f"{name}, {kind}, a constant", front=said))
            asked = f"GET / HTTP/1.1\r\nHost: a\r\nV: {text}\r\n\r\n".encode()
            kept = "http-request set-var(txn.v) req.hdr(v),b64dec\n"
            kept += rule.format("%[var(txn.v)]", "[var(txn.v)]")
            rows.append(Exchange(f"{name}, {kind}, a client's", (asked,), front=kept))
    return rows


def test_control_characters_are_encoded_in_heads(both: Both) -> None:
    compare_all(both, _rows())
