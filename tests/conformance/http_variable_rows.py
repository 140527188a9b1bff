"""table: where variables of the scopes of a request and of a response are seen, and what is captured."""

from __future__ import annotations

from .http_exchanges import get, ok
from .http_lab import Exchange, Reply

_SHOWN = 'log-format "req=%[var(req.f)] res=%[var(res.g)] txn=%[var(txn.h)]"'
_REQUEST = (
    "http-request set-var(req.f) path\nhttp-request set-var(res.g) str(early)\n"
    "http-request set-var(txn.h) str(all)\nhttp-request set-header o [%[var(req.f)]_%[var(res.g)]]"
)
_RESPONSE = (
    "http-response set-header v [%[var(req.f)]_%[var(res.g)]_%[var(txn.h)]]\n"
    "http-response set-var(res.g) status\nhttp-response set-var(req.f) str(late)\n"
    "http-response set-header w [%[var(req.f)]_%[var(res.g)]]"
)
_AFTER = "http-after-response set-header x [%[var(req.f)]_%[var(res.g)]]"
_ALL = f"{_SHOWN}\n{_REQUEST}\n{_RESPONSE}\n{_AFTER}"
_SLOTS = "declare capture request len 15\ndeclare capture response len 6"


def _captured(name: str, *rules: str) -> Exchange:
    return Exchange(name, (get(fields=b"X: ff\r\n"),), front="\n".join((_SLOTS, *rules)), again=True)


VARIABLES = [
    Exchange("scopes", front=_ALL, again=True),
    Exchange("scopes of a denied request", front=f"{_ALL}\nhttp-request deny", again=True),
    Exchange("scopes of a request that the backend denies", front=_ALL, back="http-request deny"),
    Exchange("scopes of a denied response", front=_ALL, back="http-response deny"),
    Exchange("scopes of a redirect", front=f"{_ALL}\nhttp-request redirect location /%[var(req.f)]"),
    Exchange(
        "a message in its internal form",
        (get(fields=b"X: r\r\nCookie: c=1\r\n"),),
        (Reply(ok(b"X: s\r\nSet-Cookie: c=2\r\n")),),
        front="http-request set-header o %[internal.strm.is_htx]_%[internal.htx.has_eom]\n"
        "http-request set-header p %[hdr(x)]_%[cookie(c)]\n"
        "http-response set-header v %[internal.strm.is_htx]_%[hdr(x)]_%[cookie(c)]",
        again=True,
    ),
    Exchange("scopes of both sides", front=_REQUEST, back=f"{_RESPONSE}\n{_AFTER}", again=True),
    _captured("capture of a status", "http-response capture status id 0"),
    _captured("capture of an address", "http-request capture src len 15"),
    _captured("capture of a boolean", "http-request capture bool(1) len 5"),
    _captured("capture of a number", "http-request capture req.hdr(x),hex2i len 5"),
    _captured("capture of bytes", "http-request capture str(a),sha1 len 30"),
    _captured("capture of a method", "http-request capture method len 9"),
    _captured(
        "capture of a content rule",
        "tcp-request inspect-delay 1s",
        "tcp-request content capture src len 15",
        "tcp-request content capture int(12345) len 3",
    ),
]
"""Rows, each with its frontend's lines."""
