"""What tests about HTTP need: some of its fetches, and files with answers."""

from __future__ import annotations

import dataclasses

from isthmus.keywords.vocabulary import AclKeyword, Converter, Fetch, Parameter, Place, Vocabulary
from isthmus.model.expression import MatchMethod, SampleType

FILES = {
    "503.http": b"HTTP/1.0 503 Nope\r\nContent-Type: text/plain\r\n\r\nno\n",
    "lines.http": b"HTTP/1.1 503 Nope\nx: y\n\nno\n",
    "empty": b"",
    "case.txt": b"# odd peers\n\n x-a X-A \ncontent-type Content-Type\n",
    "badcase.txt": b"a b\n",
    "page.txt": b"hello %[src]\n",
    "plain.txt": b"hello",
    "nohead.http": b"HTTP/1.0 503 Nope\r\n",
    "long.http": b"HTTP/1.0 503 Nope\r\nContent-Length: 10\r\n\r\nno\n",
    "services.py": (
        b"from isthmus.services import Request, Response, service\n"
        b"@service('hello')\n"
        b"def hello(request: Request) -> Response:\n"
        b"    return Response(body='hello')\n"
        b"@service\n"
        b"async def later(request): return Response()\n"
    ),
    "broken.py": b"from isthmus.services import service\n\nservice('x y')(print)\n",
    "noservices.py": b"x = 1\n",
    "badformat.txt": b"hello %[srcx]\n",
}
"""Files by name, for the machine on paper and for a HAProxy in a folder of its own."""

_REQUEST = "..YYYYYYYYY..........."
_RESPONSE = "...........YYYYYYY.Y.."
_KEPT = "..YYYYYYYYYYYYYYYYY..."
_NAMED = (Parameter("string", optional=True), Parameter("integer", optional=True))
assert len(_REQUEST) == len(_RESPONSE) == len(_KEPT) == len(Place)

_TABLE = Parameter("table", optional=True)
_NUMBER = Parameter("integer", optional=False)
_CLIENT = "YYYYYYYYYYYYYYYYYYYY.Y"

_FETCHES = (
    Fetch("path", (), SampleType.STR, "", _REQUEST),
    Fetch("url", (), SampleType.STR, "", _REQUEST),
    Fetch("hdr", _NAMED, SampleType.STR, "[string,integer]", _REQUEST),
    Fetch("req.hdr", _NAMED, SampleType.STR, "[string,integer]", _REQUEST),
    Fetch("res.hdr", _NAMED, SampleType.STR, "[string,integer]", _RESPONSE),
    Fetch("method", (), SampleType.METH, "", _KEPT),
    Fetch("status", (), SampleType.INT, "", _RESPONSE),
    Fetch("req.cook", (_NAMED[0],), SampleType.STR, "[string]", _REQUEST),
    Fetch("res.cook", (_NAMED[0],), SampleType.STR, "[string]", _RESPONSE),
    Fetch("src_conn_rate", (_TABLE,), SampleType.INT, "table", _CLIENT),
    Fetch("sc0_conn_cnt", (_TABLE,), SampleType.INT, "[table]", _CLIENT),
    Fetch("sc_get_gpc", (_NUMBER, _NUMBER, _TABLE), SampleType.INT, "integer,integer[,table]", _CLIENT),
    Fetch("sc_tracked", (_NUMBER, _TABLE), SampleType.BOOL, "integer[,table]", _CLIENT),
)
_ACLS = (
    AclKeyword("method", "method", MatchMethod.STR),
    AclKeyword("path_beg", "path", MatchMethod.BEG),
    AclKeyword("path_end", "path", MatchMethod.END),
    AclKeyword("path_reg", "path", MatchMethod.REG),
    AclKeyword("url_beg", "url", MatchMethod.BEG),
)


_CONVERTERS = (
    Converter("length", (), SampleType.STR, SampleType.INT),
    Converter("table_conn_rate", (_TABLE,), SampleType.ANY, SampleType.INT, "table"),
    Converter("in_table", (_TABLE,), SampleType.ANY, SampleType.BOOL, "table"),
)


def with_http(vocabulary: Vocabulary) -> Vocabulary:
    """A vocabulary with some fetches of HTTP, where it has none of these names."""
    fetches = {each.name: each for each in _FETCHES} | dict(vocabulary.fetches)
    acls = {each.name: each for each in _ACLS} | dict(vocabulary.acls)
    converters = {each.name: each for each in _CONVERTERS} | dict(vocabulary.converters)
    return dataclasses.replace(vocabulary, fetches=fetches, acls=acls, converters=converters)
