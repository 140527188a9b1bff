# ruff: noqa: E501
"""The language: the same small configurations are accepted or refused, and the same line is blamed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .lab import assert_same
from .proxy import blamed_lines, is_haproxy, run

DEFAULTS = """defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
"""
FRONTEND = "frontend f\n  bind 127.0.0.1:1\n"


def checked(program: str, folder: Path, text: str) -> dict[str, object]:
    folder.mkdir(exist_ok=True)
    path = folder / "web.cfg"
    path.write_text(text)
    done = run(program, "-c", "-f", str(path))
    refused = done.returncode != 0
    # A warning's line is the proxy's own affair; an error's line is where the user has to look.
    return {"status": done.returncode, "blamed": errors_blamed(done.stderr) if refused else []}


def errors_blamed(stderr: str) -> list[int]:
    """The lines that errors speak of: HAProxy marks them [ALERT], Isthmus with a code E...."""
    lines = []
    for line in stderr.splitlines():
        if "[WARNING]" in line or "[NOTICE]" in line or re.search(r": W\d+:", line):
            continue
        lines += blamed_lines(line, "web.cfg")
    return sorted(set(lines))


GOOD = {
    "a listen section": DEFAULTS + "listen l\n  bind 127.0.0.1:1\n  server s 127.0.0.1:2\n",
    "comments and blank lines": "# one\n\n"
    + DEFAULTS
    + FRONTEND
    + "  # two\n  default_backend b # three\nbackend b\n",
    "weak quotes": DEFAULTS + FRONTEND + '  log-format "a b %ci"\n',
    "strong quotes": DEFAULTS + FRONTEND + "  log-format 'a $b \"c\"'\n",
    "escaped spaces": DEFAULTS + FRONTEND + "  log-format a\\ b\\#c\\\\d\n",
    "hexadecimal escapes": DEFAULTS + FRONTEND + "  log-format a\\x20b\n",
    "named defaults": DEFAULTS.replace("defaults", "defaults d") + "frontend f from d\n  bind 127.0.0.1:1\n",
    "two defaults": DEFAULTS + DEFAULTS + FRONTEND,
    "times with units": DEFAULTS
    + FRONTEND
    + "  timeout client 1d\nbackend b\n  timeout server 100us\n  timeout queue 3h\n",
    "sizes": "global\n  tune.bufsize 32768\n  tune.rcvbuf.client 65536\n" + DEFAULTS + FRONTEND,
    "a range of ports": DEFAULTS + "frontend f\n  bind 127.0.0.1:1000-1010\n",
    "several addresses": DEFAULTS + "frontend f\n  bind 127.0.0.1:1,127.0.0.2:1,:::1\n",
    "a star": DEFAULTS + "frontend f\n  bind *:1\n",
    "prefixed addresses": DEFAULTS
    + "frontend f\n  bind ipv4@127.0.0.1:1\n  bind ipv6@::1:1\n  bind abns@x\n",
    "a default-server": DEFAULTS
    + FRONTEND
    + "backend b\n  default-server weight 3\n  server s 127.0.0.1:2\n",
    "a server without a port": DEFAULTS + FRONTEND + "backend b\n  server s 127.0.0.1\n",
    "relative ports": DEFAULTS
    + "frontend f\n  bind 127.0.0.1:1\n  default_backend b\nbackend b\n  server s 127.0.0.1:+1\n",
    "acls": DEFAULTS
    + FRONTEND
    + "  acl a src -f /dev/null 10.0.0.0/8\n  use_backend b if a !{ dst_port 2 } or TRUE\nbackend b\n",
    "a condition": ".if defined(NOSUCH)\nnonsense\n.else\n" + DEFAULTS + ".endif\n" + FRONTEND,
    "conditions inside": ".if feature(OPENSSL) || !streq(a,b)\n"
    + DEFAULTS
    + ".elif 1\nx\n.endif\n"
    + FRONTEND,
    "a version test": ".if version_atleast(2.4)\n.if version_before(2.0)\nx\n.endif\n.endif\n"
    + DEFAULTS
    + FRONTEND,
    "environment": "global\n  setenv PORT 1\n  presetenv ADDR 127.0.0.1\n"
    + DEFAULTS
    + 'frontend f\n  bind "$ADDR:${PORT}"\n',
    "an unset variable's default": DEFAULTS + 'frontend f\n  bind "${NOSUCH-127.0.0.1}:1"\n',
    "no prefix": DEFAULTS + FRONTEND + "  no option dontlognull\n  no log\n",
    "balance forms": DEFAULTS
    + FRONTEND
    + "backend b\n  balance random(3)\n  hash-type consistent sdbm avalanche\n",
    "a duplicated timeout": DEFAULTS + FRONTEND + "  timeout client 1s\n  timeout client 2s\n",
    "missing timeouts": "frontend f\n  mode tcp\n  bind 127.0.0.1:1\n",
    "a server-template": DEFAULTS + FRONTEND + "backend b\n  server-template s 1-3 127.0.0.1:2\n",
    "bind in a backend": DEFAULTS + FRONTEND + "backend b\n  bind 127.0.0.1:2\n",
    "a condition without an acl": DEFAULTS + FRONTEND + "  use_backend b if\nbackend b\n",
    "stats socket": "global\n  stats socket /tmp/isthmus-never-made.sock mode 600 level admin\n  stats timeout 2m\n"
    + DEFAULTS
    + FRONTEND,
    "logs": "global\n  log 127.0.0.1:514 len 2000 format rfc5424 local0 info err\n  log stdout format raw daemon\n"
    + DEFAULTS
    + FRONTEND,
    "retries and redispatch": DEFAULTS + FRONTEND + "backend b\n  retries 5\n  option redispatch -1\n",
    "tcp rules": DEFAULTS
    + FRONTEND
    + "  tcp-request inspect-delay 5s\n  tcp-request content accept if { req.len gt 0 }\n",
    "CRLF line ends": (DEFAULTS + FRONTEND).replace("\n", "\r\n"),
    "tabs": (DEFAULTS + FRONTEND).replace("  ", "\t"),
    "source with usesrc": DEFAULTS
    + FRONTEND
    + "backend b\n  source 0.0.0.0 usesrc clientip\n  server s 127.0.0.1:2\n",
}

# What starts nothing has a status of its own: 2.
NO_LISTENER = {
    "a global section only": "global\n",
    "defaults only": DEFAULTS,
    "a backend only": DEFAULTS + "backend b\n  server s 127.0.0.1:2\n",
    "a frontend without bind": DEFAULTS + "frontend f\n  default_backend b\nbackend b\n",
}

BAD = {
    "a descriptor that is not open": DEFAULTS + "frontend f\n  bind fd@77\n",
    "a descriptor that is no socket": DEFAULTS + "frontend f\n  bind fd@0\n",
    "a stats socket that is not open": "global\n  stats socket fd@77\n" + DEFAULTS,
    "a line that goes on": DEFAULTS + "backend b\n  server s 127.0.0.1:2 weight 1 maxconn 3 backup \\\n",
    "a listed namespace that does not exist": "namespace_list\n  namespace isthmus_nosuch\n" + DEFAULTS,
    "acl flags behind the patterns": DEFAULTS + FRONTEND + "  acl a src 10.0.0.0/8 -f /dev/null\n",
    "an unknown section": DEFAULTS + "nosuch\n  x\n",
    "a keyword outside a section": "bind 127.0.0.1:1\n",
    "an unknown keyword": DEFAULTS + FRONTEND + "  nosuch 1\n",
    "an unknown bind word": DEFAULTS + "frontend f\n  bind 127.0.0.1:1 nosuch\n",
    "an unknown server word": DEFAULTS + "backend b\n  server s 127.0.0.1:2 nosuch\n",
    "an unknown global keyword": "global\n  nosuch 1\n" + DEFAULTS,
    "an unknown option": DEFAULTS + FRONTEND + "  option nosuch\n",
    "an unknown timeout": DEFAULTS + FRONTEND + "  timeout nosuch 1s\n",
    "a time that is none": DEFAULTS + FRONTEND + "  timeout client 1x\n",
    "a time missing": DEFAULTS + FRONTEND + "  timeout client\n",
    "a time too great": DEFAULTS + FRONTEND + "  timeout client 99999999d\n",
    "an unterminated weak quote": DEFAULTS + FRONTEND + '  log-format "abc\n',
    "an unterminated strong quote": DEFAULTS + FRONTEND + "  log-format 'abc\n",
    "a dangling backslash": DEFAULTS + FRONTEND + "  log-format abc\\",
    "a bad hexadecimal escape": DEFAULTS + FRONTEND + "  log-format a\\xZZ\n",
    "an unknown balance": DEFAULTS + "backend b\n  balance nosuch\n",
    "an unknown hash-type": DEFAULTS + "backend b\n  hash-type nosuch\n",
    "an unknown hash function": DEFAULTS + "backend b\n  hash-type consistent nosuch\n",
    "a weight too great": DEFAULTS + "backend b\n  server s 127.0.0.1:2 weight 257\n",
    "a negative weight": DEFAULTS + "backend b\n  server s 127.0.0.1:2 weight -1\n",
    "a port too great": DEFAULTS + "frontend f\n  bind 127.0.0.1:70000\n",
    "a bind without a port": DEFAULTS + "frontend f\n  bind 127.0.0.1\n",
    "a server name missing": DEFAULTS + "backend b\n  server\n",
    "a server address missing": DEFAULTS + "backend b\n  server s\n",
    "a server named twice": DEFAULTS + "backend b\n  server s 127.0.0.1:1\n  server s 127.0.0.1:2\n",
    "a backend named twice": DEFAULTS + "backend b\nbackend b\n",
    "a frontend named twice": DEFAULTS + FRONTEND + FRONTEND.replace(":1", ":2"),
    "an unknown default_backend": DEFAULTS + FRONTEND + "  default_backend nosuch\n",
    "an unknown use_backend": DEFAULTS + FRONTEND + "  use_backend nosuch if TRUE\n",
    "an unknown use-server": DEFAULTS + "backend b\n  use-server nosuch if TRUE\n",
    "an unknown acl": DEFAULTS + FRONTEND + "  use_backend b if nosuch\nbackend b\n",
    "an acl without a criterion": DEFAULTS + FRONTEND + "  acl a\n",
    "an acl of an unknown fetch": DEFAULTS + FRONTEND + "  acl a nosuch 1\n",
    "an acl with a bad address": DEFAULTS + FRONTEND + "  acl a src 1.2.3.400\n",
    "an acl with a bad regex": DEFAULTS + FRONTEND + "  acl a str(x) -m reg (\n",
    "an acl with a bad flag": DEFAULTS + FRONTEND + "  acl a src -z 1.2.3.4\n",
    "an acl with a missing file": DEFAULTS + FRONTEND + "  acl a src -f /nonexistent/file\n",
    "an acl with a bad range": DEFAULTS + FRONTEND + "  acl a dst_port 5:1\n",
    "an acl with a bad name": DEFAULTS + FRONTEND + "  acl a%b src 1.2.3.4\n",
    "an unclosed anonymous acl": DEFAULTS + FRONTEND + "  use_backend b if { src 1.2.3.4\nbackend b\n",
    "an unknown fetch in a log-format": DEFAULTS + FRONTEND + '  log-format "%[nosuch]"\n',
    "an unknown converter": DEFAULTS + FRONTEND + '  log-format "%[src,nosuch]"\n',
    "a converter of the wrong type": DEFAULTS + FRONTEND + '  log-format "%[meth(GET),ipmask(8),nosuch]"\n',
    "an unknown alias": DEFAULTS + FRONTEND + '  log-format "%zz"\n',
    "an http alias in tcp": DEFAULTS + FRONTEND + '  log-format "%HM"\n',
    "an unclosed expression": DEFAULTS + FRONTEND + '  log-format "%[src"\n',
    "an unclosed argument": DEFAULTS + FRONTEND + '  log-format "%[str(a]"\n',
    "too many arguments": DEFAULTS + FRONTEND + '  log-format "%[src,upper(1,2)]"\n',
    "a bad facility": "global\n  log 127.0.0.1 nosuch\n" + DEFAULTS,
    "a bad level": "global\n  log 127.0.0.1 local0 nosuch\n" + DEFAULTS,
    "a bad log format": "global\n  log 127.0.0.1 format nosuch local0\n" + DEFAULTS,
    "a log length too small": "global\n  log 127.0.0.1 len 10 local0\n" + DEFAULTS,
    "a bad sample": "global\n  log 127.0.0.1 sample 0:2 local0\n" + DEFAULTS,
    "nbthread of zero": "global\n  nbthread 0\n" + DEFAULTS,
    "a stray .endif": DEFAULTS + ".endif\n",
    "a stray .else": DEFAULTS + ".else\n",
    "a bad predicate": ".if nosuch(1)\n.endif\n" + DEFAULTS,
    ".alert": DEFAULTS + '.alert "stop here"\n',
    "an unknown directive": DEFAULTS + ".nosuch\n",
    "unknown defaults": DEFAULTS + "frontend f from nosuch\n  bind 127.0.0.1:1\n",
    "a section name missing": DEFAULTS + "frontend\n",
    "a bad section name": DEFAULTS + "frontend a/b\n  bind 127.0.0.1:1\n",
    "a mode that is none": DEFAULTS + FRONTEND + "  mode nosuch\n",
    "a tcp-request of nothing": DEFAULTS + FRONTEND + "  tcp-request\n",
    "a tcp-request of an unknown layer": DEFAULTS + FRONTEND + "  tcp-request nosuch accept\n",
    "a tcp-request of an unknown action": DEFAULTS + FRONTEND + "  tcp-request content nosuch\n",
    "a variable of an unknown scope": DEFAULTS
    + FRONTEND
    + "  tcp-request content set-var(nosuch.a) int(1)\n",
    "a variable without a scope": DEFAULTS + FRONTEND + "  tcp-request content set-var(a) int(1)\n",
    "an expression missing": DEFAULTS + FRONTEND + "  tcp-request content set-var(txn.a)\n",
    "payload in a connection rule": DEFAULTS
    + FRONTEND
    + "  tcp-request connection set-var(sess.a) req.payload(0,1)\n",
    "captures in a connection rule": DEFAULTS + FRONTEND + "  tcp-request connection capture src len 8\n",
    "a namespace that does not exist": DEFAULTS
    + "backend b\n  server s 127.0.0.1:2 namespace isthmus_nosuch\n",
    "server in a frontend": DEFAULTS + FRONTEND + "  server s 127.0.0.1:2\n",
    "server in defaults": DEFAULTS + "  server s 127.0.0.1:2\n",
    "an id taken twice": DEFAULTS + "backend b\n  id 7\nbackend c\n  id 7\n",
    "a server id of zero": DEFAULTS + "backend b\n  server s 127.0.0.1:2 id 0\n",
    "an unknown proxy-v2 option": DEFAULTS
    + "backend b\n  server s 127.0.0.1:2 send-proxy-v2 proxy-v2-options nosuch\n",
    "tracking nothing": DEFAULTS + "backend b\n  server s 127.0.0.1:2 track nosuch/x\n",
    "an unknown host": DEFAULTS + "backend b\n  server s nosuch.invalid:2\n",
    "random of a word": DEFAULTS + "backend b\n  balance random(x)\n",
    "an environment variable unset": DEFAULTS + 'frontend f\n  bind "$ISTHMUS_NOSUCH"\n',
    "two errors": DEFAULTS + FRONTEND + "  nosuch 1\n  timeout client 1x\nbackend b\n  balance nosuch\n",
    "a NUL byte": DEFAULTS + FRONTEND + "  log-format a\0b\n",
    "no section at all": "\n",
}
# HAProxy takes these for a number, and only finds that nothing listens.
NO_NUMBER = {
    "a weight missing": DEFAULTS + "backend b\n  server s 127.0.0.1:2 weight\n",
    "maxconn of a word": "global\n  maxconn many\n" + DEFAULTS,
    "a retries of a word": DEFAULTS + "backend b\n  retries x\n",
    "minconn of a word": DEFAULTS + "backend b\n  server s 127.0.0.1:2 minconn x\n",
}


@pytest.mark.parametrize("name", NO_NUMBER)
def test_beyond_what_is_no_number_is_refused(programs: tuple[str, str], tmp_path: Path, name: str) -> None:
    expected, got = (checked(program, tmp_path, NO_NUMBER[name]) for program in programs)
    assert expected["status"] == 2
    assert got["status"] == (2 if is_haproxy(programs[1]) else 1)


def test_beyond_a_missing_endif_is_blamed_on_its_if(programs: tuple[str, str], tmp_path: Path) -> None:
    """HAProxy names the end of the file."""
    text = ".if 1\n" + DEFAULTS
    expected, got = (checked(program, tmp_path, text) for program in programs)
    assert (expected["status"], expected["blamed"]) == (1, [len(text.splitlines())])
    assert got == (expected if is_haproxy(programs[1]) else {**expected, "blamed": [1]})


@pytest.mark.parametrize("name", GOOD)
def test_a_good_configuration_is_accepted(programs: tuple[str, str], tmp_path: Path, name: str) -> None:
    expected, got = (checked(program, tmp_path, GOOD[name]) for program in programs)
    assert expected["status"] == 0
    assert_same(expected, got)


@pytest.mark.parametrize("name", NO_LISTENER)
def test_a_configuration_that_listens_nowhere_has_its_own_status(
    programs: tuple[str, str], tmp_path: Path, name: str
) -> None:
    expected, got = (checked(program, tmp_path, NO_LISTENER[name]) for program in programs)
    assert expected["status"] == 2
    assert got["status"] == 2


@pytest.mark.parametrize("name", BAD)
def test_a_bad_configuration_is_refused_at_the_same_line(
    programs: tuple[str, str], tmp_path: Path, name: str
) -> None:
    expected, got = (checked(program, tmp_path, BAD[name]) for program in programs)
    assert expected["status"] != 0
    assert got["status"] == expected["status"]
    # HAProxy names no line for what it finds after reading; Isthmus always may.
    assert set(expected["blamed"]) <= set(got["blamed"])  # type: ignore[call-overload]


def test_c_with_v_says_that_the_configuration_is_valid(programs: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "web.cfg"
    path.write_text(GOOD["a listen section"])
    expected, got = (run(program, "-c", "-V", "-f", str(path)) for program in programs)
    assert_same((expected.returncode, expected.stdout), (got.returncode, got.stdout))
    assert expected.stdout == "Configuration file is valid\n"


def test_c_alone_says_nothing_on_stdout(programs: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "web.cfg"
    path.write_text(GOOD["a listen section"])
    expected, got = (run(program, "-c", "-f", str(path)) for program in programs)
    assert_same((expected.returncode, expected.stdout), (got.returncode, got.stdout))


# Each: arguments, with FILE, DIR and MISSING put in.
COMMANDS = [
    ["-c", "-f", "FILE", "-f", "SECOND"],
    ["-c", "-f", "DIR"],
    ["-c", "-f", "MISSING"],
    ["-c", "FILE"],
    ["-c", "--", "FILE", "SECOND"],
    ["-c", "-q", "-f", "FILE"],
    ["-c", "-dW", "-f", "WARNING"],
    ["-c", "-f", "WARNING"],
    ["-c", "-C", "DIR", "-f", "web.cfg"],
    ["-c", "-n", "100", "-N", "50", "-f", "FILE"],
    ["-c", "-L", "here", "-f", "FILE"],
    ["-cc", "1"],
    ["-cc", "0"],
    ["-cc", "streq(a,a)"],
    ["-cc", "streq(a,b)"],
    ["-cc", "version_atleast(2.0)"],
    ["-cc", "nosuch(1)"],
    ["-cc", "defined(PATH)"],
    ["-cc", "!defined(PATH)"],
    ["-v"],
    ["-vv"],
    [],
    ["-h"],
    ["-zzz"],
    ["-f"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_line_has_the_same_exit_status(
    programs: tuple[str, str], tmp_path: Path, arguments: list[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "web.cfg").write_text(GOOD["a listen section"])
    (tmp_path / "second.cfg").write_text("backend second\n")
    (tmp_path / "warning.cfg").write_text(GOOD["missing timeouts"])
    places = {
        "FILE": folder / "web.cfg",
        "DIR": folder,
        "SECOND": tmp_path / "second.cfg",
        "WARNING": tmp_path / "warning.cfg",
        "MISSING": tmp_path / "none.cfg",
    }
    words = [str(places.get(word, word)) for word in arguments]
    expected, got = (run(program, *words) for program in programs)
    assert got.returncode == expected.returncode


def test_v_prints_the_version_first(programs: tuple[str, str]) -> None:
    for program in programs:
        first = run(program, "-v").stdout.splitlines()[0]
        assert re.match(r"(HAProxy|Isthmus) version \d+\.\d+\S* \S+", first), first


def test_vv_lists_build_options_and_features_in_haproxys_form(programs: tuple[str, str]) -> None:
    for program in programs:
        text = run(program, "-vv").stdout
        assert "Build options :" in text
        assert re.search(r"^Feature list : ([+-]\w+ ?)+", text, re.MULTILINE), text
        assert re.search(r"^Available polling systems :", text, re.MULTILINE)
        assert re.search(r"[+]NS\b", text)
        assert "Built with network namespace support." in text


def test_beyond_an_unknown_keyword_in_namespace_list_is_an_error(
    programs: tuple[str, str], tmp_path: Path
) -> None:
    reference, candidate = programs
    if is_haproxy(candidate):
        pytest.skip("the candidate is haproxy itself")
    text = "namespace_list\n  nosuch a\n" + DEFAULTS + FRONTEND
    assert checked(reference, tmp_path, text)["status"] == 0
    assert checked(candidate, tmp_path, text) == {"status": 1, "blamed": [2]}


def test_beyond_all_errors_of_a_file_are_shown_at_once(programs: tuple[str, str], tmp_path: Path) -> None:
    _, candidate = programs
    if is_haproxy(candidate):
        pytest.skip("the candidate is haproxy itself")
    text = (
        DEFAULTS + FRONTEND + "  nosuch 1\nbackend b\n  balance nosuch\n  server s 127.0.0.1:2 weight 999\n"
    )
    assert checked(candidate, tmp_path, text)["blamed"] == [8, 10, 11]


SAID = (
    '.diag "told diag"\n.notice "told notice"\n.warning "told warning"\n'
    + DEFAULTS
    + FRONTEND
    + "backend b\n"
)


@pytest.mark.parametrize("flags", ["", "-dD", "-q", "-V", "-V -dD", "-q -V", "-dW", "-dD -dW"])
def test_what_a_file_says_is_shown_as_the_flags_want(
    programs: tuple[str, str], tmp_path: Path, flags: str
) -> None:
    """Directives `.diag`, `.notice` and `.warning`; -dD shows the first, -q nothing, -dW fails for the last."""
    path = tmp_path / "web.cfg"
    path.write_text(SAID)
    seen = []
    for program in programs:
        ran = run(program, "-c", *flags.split(), "-f", str(path))
        shown = {word for word in ("diag", "notice", "warning") if f"told {word}" in ran.stdout + ran.stderr}
        seen.append((ran.returncode, shown, "valid" in ran.stdout + ran.stderr))
    assert_same(*seen)
    assert ("diag" in seen[0][1]) == ("-dD" in flags)


def test_an_alert_in_a_file_is_an_error(programs: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "web.cfg"
    path.write_text('.alert "told alert"\n' + DEFAULTS + FRONTEND)
    for program in programs:
        ran = run(program, "-c", "-f", str(path))
        assert ran.returncode == 1
        assert "told alert" in ran.stderr


# Each: a condition, the command line under which it holds, and whether HAProxy 2.6 knows it.
HOLDING = {
    'streq("$HAPROXY_LOCALPEER",here)': (["-L", "here"], True),
    "feature(EPOLL) && !feature(NOSUCH)": ([], True),
    "version_atleast(2.6) && version_before(9)": ([], True),
    'strstr("$HAPROXY_CFGFILES",web.cfg)': ([], False),
    "defined(HAPROXY_BRANCH)": ([], False),
    "enabled(SPLICE)": ([], False),
    "!enabled(SPLICE)": (["-dS"], False),
}


@pytest.mark.parametrize("condition", HOLDING)
def test_a_condition_holds_under_a_command_line(
    programs: tuple[str, str], tmp_path: Path, condition: str
) -> None:
    arguments, known = HOLDING[condition]
    path = tmp_path / "web.cfg"
    path.write_text(f".if {condition}\n.else\nnosuch\n.endif\n" + DEFAULTS + FRONTEND)
    expected, got = (run(program, "-c", *arguments, "-f", str(path)).returncode for program in programs)
    assert got == 0
    assert not known or expected == 0
