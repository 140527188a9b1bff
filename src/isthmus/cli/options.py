"""HAProxy's command line, read into one value (management manual 3). Touches nothing.

As in HAProxy, an option is told by its first letters and may have more behind them, and `-sf` takes
every word up to the next option.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from isthmus.process.launch import Farewell
from isthmus.records import dataclass, field


class UsageError(Exception):
    """The command line makes no sense; `usage` asks for the usage text as well."""

    def __init__(self, message: str = "", *, usage: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage


@dataclass(slots=True)
class Options:
    """What the command line says, word for word."""

    files: list[str] = field(default_factory=list)
    directory: str | None = None
    version: int = 0
    check: bool = False
    condition: str | None = None
    daemon: bool = False
    foreground: bool = False
    debug: bool = False
    diagnostic: bool = False
    quiet: bool = False
    verbose: bool = False
    zero_warning: bool = False
    master_worker: bool = False
    no_splice: bool = False
    ignore_unresolved: bool = False
    maxconn: int | None = None
    proxy_maxconn: int | None = None
    memory_limit: int | None = None
    pidfile: str | None = None
    local_peer: str | None = None
    keyword_classes: str | None = None
    older: list[int] = field(default_factory=list)
    farewell: Farewell | None = None
    without_effect: list[str] = field(default_factory=list)


_FLAGS = {
    "-D": "daemon",
    "-V": "verbose",
    "-c": "check",
    "-d": "debug",
    "-db": "foreground",
    "-dD": "diagnostic",
    "-dS": "no_splice",
    "-dW": "zero_warning",
    "-dr": "ignore_unresolved",
    "-q": "quiet",
    "-W": "master_worker",
    "-Ws": "master_worker",
}
_TEXTS = {"-C": "directory", "-L": "local_peer", "-p": "pidfile"}
_NUMBERS = {"-n": "maxconn", "-N": "proxy_maxconn", "-m": "memory_limit"}
WITHOUT_EFFECT = {
    "-dM": "the memory here is not poisoned: there is no pool allocator to debug",
    "-dI": "memory integrity is the compiler's work here",
    "-dG": "getaddrinfo is the only resolver",
    "-dL": "there is no shared library besides the engine's own module",
    "-dR": "every worker listens by SO_REUSEPORT",
    "-dV": "there is no TLS yet whose verification could be switched off",
    "-dZ": "zero-copy forwarding is splice(2), which -dS switches off",
    "-dC": "the configuration is not dumped",
    "-dF": "there is no fast-forwarding to switch off but splice(2), which -dS switches off",
    "-dT": "there are no traces",
    "-dt": "there are no traces",
    "-dA": "the system's core dumps need no archive",
    "-dv": "there is no virtualised poller",
    "-de": "epoll is the only poller here",
    "-dk": "epoll is the only poller here",
    "-dp": "epoll is the only poller here",
    "-dX": "there is no inherited experiment to switch off",
}
"""Options that HAProxy has and that change nothing here, and why."""
_NOT_IMPLEMENTED = {
    "-S": "a master CLI (`-S`) is not implemented: there is no master process",
    "-x": "taking over another process's sockets (`-x`) is not implemented",
}


def parse(arguments: Sequence[str]) -> Options:
    """Read the words behind the command's name. Raises UsageError."""
    options = Options()
    words = iter(arguments)
    pending: str | None = next(words, None)
    while pending is not None:
        word, pending = pending, None
        if word == "--":
            options.files += words
        elif word in ("-sf", "-st"):
            pending = _older(word, words, options)
        else:
            _option(word, words, options)
        if pending is None:
            pending = next(words, None)
    return options


def _option(word: str, words: Iterator[str], options: Options) -> None:
    if word in _FLAGS:
        setattr(options, _FLAGS[word], True)
    elif word == "-f":
        options.files.append(_argument(word, words))
    elif word == "-cc":
        options.condition = _argument(word, words)
    elif word in _TEXTS:
        setattr(options, _TEXTS[word], _argument(word, words))
    elif word in _NUMBERS:
        setattr(options, _NUMBERS[word], _number(word, _argument(word, words)))
    elif word.startswith("-v"):
        options.version = max(options.version, 2 if word.startswith("-vv") else 1)
    elif word.startswith("-dK"):
        options.keyword_classes = word[3:] or "help"
    elif word[:3] in WITHOUT_EFFECT:
        options.without_effect.append(word[:3])
    elif word in _NOT_IMPLEMENTED:
        raise UsageError(_NOT_IMPLEMENTED[word])
    else:
        raise UsageError(f"unknown option `{word}`", usage=True)


def _argument(option: str, words: Iterator[str]) -> str:
    found = next(words, None)
    if found is None:
        raise UsageError(f"option `{option}` needs an argument")
    return found


def _number(option: str, text: str) -> int | None:
    """Read a count. HAProxy takes garbage as 0, which means nothing said; here garbage is an error."""
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"option `{option}` takes a number, not `{text}`")
    return int(text) or None


def _older(option: str, words: Iterator[str], options: Options) -> str | None:
    """Read the numbers behind -sf or -st; return the word that ended them."""
    options.farewell = Farewell.FINISH if option == "-sf" else Farewell.TERMINATE
    for word in words:
        if word.startswith("-"):
            return word
        for each in word.split():
            if not each.isdecimal() or int(each) == 0:
                raise UsageError(f"option `{option}` takes numbers of processes, not `{each}`")
            options.older.append(int(each))
    return None
