"""The command line wins over the files; limits fit what is asked for."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from paper import VOCABULARY

from isthmus.config import Severity
from isthmus.plan import Built
from isthmus.process import limits
from isthmus.process.configuration import load
from isthmus.process.errors import StartError
from isthmus.process.launch import Launch

TEXT = """
global
  daemon
  maxconn 10
  pidfile /run/one
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend free
  bind 127.0.0.1:80
frontend said
  bind 127.0.0.1:81
  maxconn 5
"""


def loaded(folder: Path, text: str = TEXT, **options: object) -> Built | None:
    (folder / "x.cfg").write_text(text)
    return load(Launch((str(folder / "x.cfg"),), **options), VOCABULARY).built  # type: ignore[arg-type]


def certain(built: Built | None) -> Built:
    assert built is not None
    return built


def test_without_options_the_files_hold(tmp_path: Path) -> None:
    built = certain(loaded(tmp_path))
    assert (built.process.daemon, built.process.pidfile) == (True, "/run/one")
    assert built.engine.global_.maxconn == 10
    assert built.engine.global_.splice


def test_options_win_over_the_files(tmp_path: Path) -> None:
    built = certain(
        loaded(tmp_path, foreground=True, maxconn=7, pidfile="/run/two", no_splice=True, local_peer="me")
    )
    assert (built.process.daemon, built.process.pidfile) == (False, "/run/two")
    assert built.engine.global_.maxconn == 7
    assert not built.engine.global_.splice
    assert built.runtime.localpeer == "me"


def test_a_limit_per_proxy_holds_where_a_proxy_says_none(tmp_path: Path) -> None:
    built = certain(loaded(tmp_path, proxy_maxconn=3))
    assert [each.maxconn for each in built.engine.frontends] == [3, 5]


def test_verbose_takes_quiet_back(tmp_path: Path) -> None:
    assert certain(loaded(tmp_path, quiet=True)).process.quiet
    assert not certain(loaded(tmp_path, quiet=True, verbose=True)).process.quiet


def test_a_name_that_does_not_resolve_is_an_error_unless_it_is_ignored(tmp_path: Path) -> None:
    text = TEXT + "backend b\n  server s no-such-host.invalid:80\n"
    assert loaded(tmp_path, text) is None
    assert loaded(tmp_path, text, ignore_unresolved=True) is not None


def test_files_see_the_variables_of_the_program(tmp_path: Path) -> None:
    text = TEXT + '.if strneq("$HAPROXY_BRANCH",3.5)\n  .alert "wrong branch $HAPROXY_BRANCH"\n.endif\n'
    assert loaded(tmp_path, text) is not None


def test_descriptors_are_enough_for_both_sides_of_every_connection() -> None:
    needed = limits.needed_files(1000, 10, 5)
    assert limits.fitting_maxconn(needed, 10, 5) == 1000


def test_a_limit_that_the_system_refuses_ends_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(what: int, to: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    with pytest.raises(StartError, match=r"from 1024 .at most 4096. to ulimit-n 100000"):
        limits.raise_files(100_000, 0)
    assert limits.raise_files(None, 1000) == 1024


def test_a_backend_that_does_not_exist_is_told_beside_other_errors(tmp_path: Path) -> None:
    file = tmp_path / "t.cfg"
    file.write_text("frontend f\n bind :8000 namespce x\n mode tcp\n default_backend none\n")
    found = load(Launch((str(file),)), VOCABULARY)
    errors = [each.code for each in found.diagnostics if each.severity is Severity.ALERT]
    assert errors == ["E0104", "E0172"]


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        (b"bind :1 interface \xff", (20, 21)),
        (b"bind :1 cc \xff", (13, 14)),
        (b"bind unix@/run/\xff.sock", (7, 23)),
        (b"source 0.0.0.0 interface a\xff", (27, 29)),
    ],
)
def test_bytes_where_text_is_needed_are_told_at_their_place(
    line: bytes, columns: tuple[int, int], tmp_path: Path
) -> None:
    text = TEXT.encode() + b"listen l\n bind :82\n " + line + b"\n"
    (tmp_path / "x.cfg").write_bytes(text)
    found = load(Launch((str(tmp_path / "x.cfg"),)), VOCABULARY)
    (said,) = (each for each in found.diagnostics if each.severity is Severity.ALERT)
    assert said.span is not None
    assert (said.code, said.span.line) == ("E0150", text.count(b"\n"))
    assert (said.span.column, said.span.end) == columns
    assert found.built is None
