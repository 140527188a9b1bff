"""`isthmus explain` with a description of a connection, and files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import msgspec

from isthmus.engine import Explainer, vocabulary
from isthmus.engine import explain as seam
from isthmus.explaining import entering
from isthmus.explaining.connection import Connection, Wire
from isthmus.explaining.report import Hop, Unknown
from isthmus.explaining.route import Route
from isthmus.explaining.walking import Rules
from isthmus.explaining.writing import text
from isthmus.plan.built import Built
from isthmus.records import dataclass, field

USAGE = """\
usage: isthmus explain --sni NAME | --url URL | --payload TEXT [options] [-f] FILE|FOLDER ...
  --bind NAME|ADDRESS:PORT|PORT  where the client connects to; the URL's port, else 443
  --namespace NAME               in which namespace
  --src ADDRESS[:PORT]           who the client is
  --alpn h2,http/1.1             the protocols that it offers; '' for none
  --method METHOD                GET unless said otherwise
  --header 'NAME: VALUE'         a field of the request; 'NAME:' says that it is not there
  --cookie NAME=VALUE            a cookie; '' says that there is none
  --payload TEXT                 the first bytes of another protocol; \\r, \\n and \\xHH are understood
  --json                         all of it as JSON
"""
_PORTS = {"http": 80, "https": 443}


class MisuseError(Exception):
    """The command line makes no sense."""


@dataclass(slots=True)
class Description:
    """What the command line says."""

    sni: str | None = None
    url: str | None = None
    payload: str | None = None
    bind: str | None = None
    namespace: str | None = None
    src: str | None = None
    alpn: str | None = None
    method: str = "GET"
    header: list[str] = field(default_factory=list)
    cookie: list[str] = field(default_factory=list)
    json: bool = False
    files: list[str] = field(default_factory=list)


def main(arguments: Sequence[str]) -> int:
    """Explain what a connection would meet, and return the exit status.

    0: it was explained, though parts may be unknown; 1: the files have errors, or nothing could be told; 2:
    the command line makes no sense.
    """
    if any(each in ("-h", "--help") for each in arguments):
        print(USAGE, end="")
        return 0
    try:
        said = read(arguments)
        connection = described(said)
    except MisuseError as error:
        print(f"isthmus: {error}\n{USAGE}", end="", file=sys.stderr)
        return 2
    built = load_files(said.files)
    if built is None:
        return 1
    found = explain(built, said, connection)
    if said.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        print(text(found), end="")
    return 1 if isinstance(found, Unknown) else 0


def explain(built: Built, said: Description, connection: Connection) -> Hop | Unknown:
    """Follow a described connection through a configuration."""
    plan = built.engine
    place = entering.find(plan, entering.Door(said.bind, said.namespace, _port(said)))
    if isinstance(place, Unknown):
        return place
    rules = Rules(Explainer(plan, built.texts), _Lines().line)
    bind = plan.frontends[place[0]].binds[place[1]]
    return Route(plan, rules).hop(place, entering.accepted(bind, connection, said.bind))


def read(arguments: Sequence[str]) -> Description:
    """Read a command line. Raises MisuseError."""
    said = Description()
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        option = name.removeprefix("--").replace("-", "_")
        if word == "--json":
            said.json = True
        elif word == "-f" or not word.startswith("-"):
            said.files.append(_next(words, word) if word == "-f" else word)
        elif not name.startswith("--") or option not in Description.__slots__ or option in {"files", "json"}:
            raise MisuseError(f"unknown option `{word}`")
        else:
            value = value if equals else _next(words, word)
            known = getattr(said, option)
            setattr(said, option, [*known, value] if isinstance(known, list) else value)
    if not said.files:
        raise MisuseError("which files? Name the configuration that is to be explained")
    if said.payload is not None and (said.sni is not None or said.url is not None):
        raise MisuseError(
            "--payload is for protocols other than TLS and HTTP: it goes with neither --sni nor --url"
        )
    if said.sni is None and said.url is None and said.payload is None:
        raise MisuseError("what does the client send? --sni, --url or --payload says it")
    return said


def _next(words: object, option: str) -> str:
    value = next(words, None)  # type: ignore[call-overload]
    if value is None:
        raise MisuseError(f"`{option}` lacks its value")
    return str(value)


def described(said: Description) -> Connection:
    """Return the connection that a command line describes. Raises MisuseError."""
    url = None if said.url is None else _url(said.url)
    request = None if url is None else _request(url, said)
    return Connection(wire=_wire(url, said), src=_src(said.src), request=request)


def _wire(url: SplitResult | None, said: Description) -> Wire:
    if said.payload is not None:
        try:
            unescaped = said.payload.encode().decode("unicode_escape")
            unescaped.encode("latin-1")
        except (UnicodeDecodeError, UnicodeEncodeError):
            raise MisuseError("--payload: bytes beyond ASCII are written \\xHH") from None
        return seam.Bytes(unescaped)
    alpn = None if said.alpn is None else tuple(each for each in said.alpn.split(",") if each)
    if said.sni is not None:
        return seam.Hello(said.sni or None, alpn)
    if url is not None and url.scheme == "https":
        host = _host(url)
        # Addresses are no names (RFC 6066, 3).
        return seam.Hello(None if _is_address(host.strip("[]")) else host, alpn)
    return seam.Request()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(each.isspace() for each in url):
        raise MisuseError(f"`{url}` is no URL of http or https")
    return parts


def _host(url: SplitResult) -> str:
    """Return the host as it was written; `hostname` would be in lower case."""
    host = url.netloc.rpartition("@")[2]
    return host if url.port is None else host.removesuffix(f":{url.port}")


def _port(said: Description) -> int:
    if said.url is None:
        return 443
    url = _url(said.url)
    return url.port or _PORTS[url.scheme]


def _src(said: str | None) -> seam.DescribedEnd:
    needs = "--src ADDRESS: who the client is"
    if said is None:
        return seam.DescribedEnd(ip_needs=needs, port_needs="--src ADDRESS:PORT: the client's port")
    host, port = said, None
    if not _is_address(said):
        host, _, digits = said.rpartition(":")
        host = host.strip("[]")
        if not (digits.isdigit() and int(digits) < 65536 and _is_address(host)):
            raise MisuseError(f"`{said}` is no address")
        port = int(digits)
    port_needs = "" if port is not None else "--src ADDRESS:PORT: the client's port"
    return seam.DescribedEnd(str(ip_address(host)), port, port_needs=port_needs)


def _request(url: SplitResult, said: Description) -> seam.DescribedRequest:
    fields: dict[str, list[str]] = {}
    absent = []
    for each in said.header:
        name, colon, value = each.partition(":")
        name = name.strip().lower()
        if not colon or not name or not name.isascii():
            raise MisuseError(f"`{each}` is no field: NAME: VALUE")
        if value.strip():
            fields.setdefault(name, []).append(value.strip())
        else:
            absent.append(name)
    cookies = [each for each in said.cookie if each]
    if cookies:
        fields["cookie"] = ["; ".join(cookies)]
    elif said.cookie:
        absent.append("cookie")
    default = url.port in (None, _PORTS[url.scheme])
    fields.setdefault("host", [_host(url) + ("" if default else f":{url.port}")])
    # As it was written: a `?` without a query behind it is sent, too.
    rest = (said.url or "").partition("://")[2].removeprefix(url.netloc).partition("#")[0]
    target = rest if rest.startswith("/") else f"/{rest}"
    given = tuple((name, value) for name, values in fields.items() for value in values)
    # Without TLS nobody agrees on HTTP/2, and clients do not begin with it unasked.
    version = 1 if url.scheme == "http" else None
    return seam.DescribedRequest(said.method, target, version, url.scheme, given, tuple(absent))


class _Lines:
    """Lines of configuration files, each file read once."""

    def __init__(self) -> None:
        self._files: dict[str, list[str]] = {}

    def line(self, origin: str) -> str:
        """Return the text of the line at `file:line`; empty where it cannot be read."""
        file, _, number = origin.rpartition(":")
        if file not in self._files:
            try:
                self._files[file] = Path(file).read_text(errors="replace").splitlines()
            except OSError:
                self._files[file] = []
        lines = self._files[file]
        at = int(number) if number.isdigit() else 0
        return lines[at - 1].strip() if 0 < at <= len(lines) else ""


def load_files(files: Sequence[str]) -> Built | None:
    """Return what files come to; None where they have errors, which are written to stderr."""
    from isthmus.explaining.elsewhere import Elsewhere
    from isthmus.keywords.vocabulary import Vocabulary
    from isthmus.process.configuration import load
    from isthmus.process.launch import Launch

    # A server by name is told by its name.
    launch = Launch(tuple(files), ignore_unresolved=True)
    loaded = load(launch, Vocabulary.read(vocabulary()), Elsewhere())
    if loaded.built is None:
        sys.stderr.write(loaded.diagnostics.render())
    return loaded.built
