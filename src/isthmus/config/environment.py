"""The environment that a configuration sees and changes, apart from the one of this process.

`setenv`, `presetenv`, `unsetenv` and `resetenv` in a `global` section act while the file is read, so
that the next line sees their effect (manual 3.1). The process's own environment is not touched: the
caller decides what to do with the outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from isthmus.config.codes import register
from isthmus.config.diagnostics import Diagnostics
from isthmus.config.text import Line

BAD_ENVIRONMENT_LINE = register(
    "E0040",
    "bad environment directive",
    """setenv and presetenv take a name and a value, unsetenv takes at least one name, resetenv takes the
    names to keep. A variable's name is not empty and has no = in it.""",
    "setenv LOGSERVER 127.0.0.1",
)

DIRECTIVES = frozenset({"setenv", "presetenv", "unsetenv", "resetenv"})
"""The keywords of `global` that change the environment."""


class Environment(Mapping[str, str]):
    """Environment variables by name. Reads as a mapping; changes by `set` and its kin alone."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = dict(variables or {})

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def set(self, name: str, value: str) -> None:
        """Set a variable, in place of any value it had."""
        self._variables[name] = value

    def preset(self, name: str, value: str) -> None:
        """Set a variable unless it is set already."""
        self._variables.setdefault(name, value)

    def unset(self, *names: str) -> None:
        """Remove variables; those that are not set are passed over."""
        for name in names:
            self._variables.pop(name, None)

    def reset(self, *keep: str) -> None:
        """Remove every variable except those named."""
        self._variables = {name: value for name, value in self._variables.items() if name in keep}

    def copy(self) -> Environment:
        """Return a copy that changes apart from this one."""
        return Environment(self._variables)


def apply_directive(line: Line, environment: Environment, diagnostics: Diagnostics) -> None:
    """Carry out a `setenv`, `presetenv`, `unsetenv` or `resetenv` line."""
    keyword = line.keyword.text
    sets = keyword in ("setenv", "presetenv")
    names = line.arguments[:1] if sets else line.arguments
    if (sets and len(line.arguments) != 2) or (keyword == "unsetenv" and not names):
        expected = "a name and a value" if sets else "at least one name"
        span = line.arguments[2].span if len(line.arguments) > 2 else line.end
        diagnostics.alert(BAD_ENVIRONMENT_LINE, f"`{keyword}` takes {expected}", span, expected=expected)
        return
    for name in names:
        if not name.text or "=" in name.text:
            diagnostics.alert(BAD_ENVIRONMENT_LINE, "this is no name of a variable", name.span)
            return
    texts = [word.text for word in line.arguments]
    if keyword == "setenv":
        environment.set(*texts)
    elif keyword == "presetenv":
        environment.preset(*texts)
    elif keyword == "unsetenv":
        environment.unset(*texts)
    else:
        environment.reset(*texts)


def startup_variables(
    *,
    version: str,
    branch: str,
    local_peer: str,
    master_worker: bool = False,
    formats: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the HAPROXY_* variables that are known before a configuration is read (manual 2.3).

    `formats` are the predefined log formats by variable name (HAPROXY_TCP_LOG_FMT, ...), which belong
    to the logs. HAPROXY_CFGFILES comes from the reader; HAPROXY_CLI and HAPROXY_MASTER_CLI exist only
    once sockets listen.
    """
    variables = {
        "HAPROXY_STARTUP_VERSION": version,
        "HAPROXY_BRANCH": branch,
        "HAPROXY_LOCALPEER": local_peer,
        **(formats or {}),
    }
    if master_worker:
        variables["HAPROXY_MWORKER"] = "1"
    return variables
