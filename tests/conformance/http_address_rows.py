"""table: `option forwardfor` and `option originalto` of a frontend and a backend together."""

from __future__ import annotations

from itertools import product

from .http_exchanges import get
from .http_lab import LOG_FORMAT, Exchange

_SPOOFED = get(fields=b"X-Forwarded-For: 9.9.9.9\r\nX-Original-To: 8.8.8.8\r\nX-O: 1\r\n")
_FOR = (
    "",
    "option forwardfor",
    "option forwardfor if-none",
    "option forwardfor except 127.0.0.0/8",
    "option forwardfor except 10.0.0.0/8",
    "option forwardfor header X-O if-none",
)
_TO = (
    "",
    "option originalto",
    "option originalto except 127.0.0.0/8",
    "option originalto except 10.0.0.0/8",
    "option originalto header X-O",
)

ADDRESSES = [
    Exchange(f"{front or 'nothing'}, then {back or 'nothing'}", (_SPOOFED,), front=front, back=back)
    for said in (_FOR, _TO)
    for front, back in product(said, said)
]
"""A frontend's line and a backend's, and a client that sends the fields itself."""

_DEFAULTS = (
    ("option forwardfor if-none", "option forwardfor", ""),
    ("option forwardfor", "option forwardfor if-none", "option forwardfor if-none"),
    ("option forwardfor except 127.0.0.0/8", "", "option forwardfor header X-O"),
    ("option forwardfor except 127.0.0.0/8", "option forwardfor", "option forwardfor header X-O"),
    ("option originalto except 127.0.0.0/8", "", "option originalto"),
)

INHERITED = [
    Exchange(
        f"{above}: {front or 'inherited'}, then {back or 'inherited'}",
        (_SPOOFED,),
        settings=f"defaults\n  mode http\n  log global\n  timeout connect 3s\n  timeout client 6s\n"
        f'  timeout server 6s\n  log-format "{LOG_FORMAT}"\n  {above}',
        front=front,
        back=back,
    )
    for above, front, back in _DEFAULTS
]
"""The same beneath a line of `defaults`, which a line of a proxy's own replaces whole."""
