"""The names of HAProxy 3.5, so that a keyword which is known can be told from one which is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

_REMOVED_GLOBAL = {
    "nbproc": "one process runs a thread on every processor; `nbthread` limits them",
    "debug": "use `-d` on the command line",
}
_REMOVED_PROXY = {
    "clitimeout": "write `timeout client`",
    "contimeout": "write `timeout connect`",
    "srvtimeout": "write `timeout server`",
    "redispatch": "write `option redispatch`",
    "block": "write `http-request deny`",
    "bind-process": "all threads serve every bind line; `thread` on a bind line picks some",
    "option forceclose": "remove it, or write `option httpclose`",
    "option http-tunnel": "remove it",
    "option http_proxy": "write `http-request set-dst` and `server any 0.0.0.0`",
    "reqadd": "write `http-request add-header`",
    "reqallow": "write `http-request allow`",
    "reqdel": "write `http-request del-header`",
    "reqdeny": "write `http-request deny`",
    "reqiallow": "write `http-request allow`",
    "reqidel": "write `http-request del-header`",
    "reqideny": "write `http-request deny`",
    "reqirep": "write `http-request replace-header` or `http-request replace-path`",
    "reqrep": "write `http-request replace-header` or `http-request replace-path`",
    "reqtarpit": "write `http-request tarpit`",
    "reqitarpit": "write `http-request tarpit`",
    "rspadd": "write `http-response add-header`",
    "rspdel": "write `http-response del-header`",
    "rspdeny": "write `http-response deny`",
    "rspidel": "write `http-response del-header`",
    "rspideny": "write `http-response deny`",
    "rspirep": "write `http-response replace-header`",
    "rsprep": "write `http-response replace-header`",
}


def removed(family: str) -> Mapping[str, str]:
    """Return the keywords that HAProxy had once, with what to write instead; `family` is global or proxy."""
    return _REMOVED_GLOBAL if family == "global" else _REMOVED_PROXY


def names(family: str) -> frozenset[str]:
    """Return the names of a family: global, proxy, bind, server or section."""
    return _families()[family]


def knows(family: str, name: str) -> bool:
    """Whether HAProxy has a keyword of this name, or one that begins with this word."""
    known = names(family)
    return name in known or (" " not in name and any(each.startswith(name + " ") for each in known))


def first_words(family: str) -> frozenset[str]:
    """Return the words with which the keywords of a family begin."""
    return frozenset(name.split()[0] for name in names(family))


def second_words(family: str, first: str) -> Iterator[str]:
    """Return the words that may stand behind the first one of a family's keywords."""
    return (name.split()[1] for name in sorted(names(family)) if name.startswith(first + " "))


@cache
def _families() -> dict[str, frozenset[str]]:
    text = files("isthmus.keywords").joinpath("data/haproxy-3.5.txt").read_text("ascii")
    found: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            current.add(line)
    return {family: frozenset(each) for family, each in found.items()}
