"""The reader beside a real HAProxy: the same lines and conditions, the same outcome.

Each line is given to `.notice`, whose message shows what became of a word; a second word is named in
HAProxy's complaint about it. Where we differ on purpose, the difference is a case of its own.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from isthmus.config import Diagnostics, Features, Verdict, check_condition, read_text, split_line
from isthmus.config.values import BIND, LOG, SERVER, BadValueError, parse_address, parse_addresses, parse_time

from .builders import SECTIONS

HAPROXY = shutil.which("haproxy")
pytestmark = pytest.mark.skipif(HAPROXY is None, reason="there is no haproxy to compare with")

ENVIRONMENT = {"A": "1", "E": "", "L": "a  b c", "T": "trail ", "Q": 'q"x $A \\x41', "_a1": "under"}


def cases(name):
    """The cases of a table in tests/configs/lexer/compare, one a line."""
    table = Path(__file__).parents[2] / "configs" / "lexer" / "compare" / f"{name}.txt"
    return table.read_text().removesuffix("\n").split("\n")


# HAProxy 2.6 fails on ${X-default} while its first line buffer still grows; a long line first avoids that.
PADDING = '.notice "' + "p" * 2000 + '"\n'

LINE_CASES = cases("lines")


def haproxy(text, tmp_path, environment=ENVIRONMENT):
    """Give a text to `haproxy -c`; return the messages of each line."""
    file = tmp_path / "t.cfg"
    file.write_text(text)
    command = [HAPROXY, "-c", "-f", "t.cfg"]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, timeout=20)
    shown = run.stderr.decode("utf-8", "replace")
    found = {}
    pattern = r"^\[(\w+)\] +\(\d+\) : config : parsing \[t\.cfg:(\d+)\]: (.*?)(?=^\[\w+\] |\Z)"
    for kind, line, message in re.findall(pattern, shown, re.DOTALL | re.MULTILINE):
        found.setdefault(int(line), []).append((kind, message))
    return found


@pytest.fixture(scope="module")
def line_messages(tmp_path_factory):
    text = PADDING + "".join(f".notice {case}\n" for case in LINE_CASES)
    return haproxy(text, tmp_path_factory.mktemp("lines"))


KINDS = {
    "unmatched quote": "E0001",
    "truncated or invalid hexadecimal": "E0002",
    "forbidden first char": "E0004",
    "unmatched brace": "E0005",
    "truncated or invalid word expansion": "E0006",
}


def theirs(messages):
    ((kind, message),) = messages
    if kind == "NOTICE":
        return ("word", re.fullmatch(r"'(.*)'\.\s*", message, re.DOTALL)[1])
    second = re.match(r"Unexpected argument '(.*)' for '\.notice'", message, re.DOTALL)
    if second:
        return ("second word", second[1])
    return ("error", next(code for text, code in KINDS.items() if message.startswith(text)))


def ours(case, number):
    pseudo = {".LINE": str(number), ".FILE": "t.cfg"}
    split = split_line(f".notice {case}", "t.cfg", number, (ENVIRONMENT | pseudo).get)
    if split.problems:
        return ("error", split.problems[0].code)
    texts = [word.text for word in split.words[1:]]
    if len(texts) > 1 and texts[1]:
        return ("second word", texts[1])
    return ("word", texts[0] if texts else "")


@pytest.mark.parametrize(("number", "case"), list(enumerate(LINE_CASES, 2)))
def test_a_line_splits_as_in_haproxy(number, case, line_messages):
    assert ours(case, number) == theirs(line_messages[number])


DIFFERENT = [
    ('"${L[*]}"', " lead", ["lead"], ("second word", "lead")),
    ('"${L[*]}" x', "trail ", ["trail", "x"], ("word", "trail")),
    ('"${L[*]}" x', "", ["x"], ("second word", "x")),
]


@pytest.mark.parametrize(("line", "value", "expected", "haproxy_s"), DIFFERENT)
def test_a_list_makes_no_empty_words_though_it_does_in_haproxy(line, value, expected, haproxy_s, tmp_path):
    assert [word.text for word in split_line(line, "t.cfg", 1, {"L": value}.get).words] == expected
    assert theirs(haproxy(f".notice {line}\n", tmp_path, {"L": value})[1]) == haproxy_s


STRICTER = [
    ("timeout client 10sec", parse_time, "10sec"),
    ("timeout client 1d1h", parse_time, "1d1h"),
    ("bind :80a", lambda text: parse_addresses(text, BIND), ":80a"),
    ("bind :80-90-100", lambda text: parse_addresses(text, BIND), ":80-90-100"),
    ("bind unix@", lambda text: parse_addresses(text, BIND), "unix@"),
]


@pytest.mark.parametrize(("line", "parse", "value"), STRICTER)
def test_garbage_that_haproxy_bears_with_is_an_error(line, parse, value, tmp_path):
    assert allowed(f"frontend f\n mode tcp\n timeout client 1s\n {line}\n", tmp_path)
    assert not accepted(parse, value)


def version_of_haproxy():
    shown = subprocess.run([HAPROXY, "-v"], capture_output=True, text=True, timeout=20).stdout
    return re.search(r"version (\S+)", shown)[1]


@pytest.mark.parametrize("condition", ["", *cases("conditions")])
def test_a_condition_has_haproxy_s_verdict(condition):
    if not version_of_haproxy().startswith("2.6.12"):
        pytest.skip("the versions compared with are those around HAProxy 2.6.12")
    features = Features(version_of_haproxy(), features=frozenset({"OPENSSL"}))
    given = {"A": "1"}
    verdict = check_condition(condition, environment=given, features=features, diagnostics=Diagnostics())
    run = subprocess.run([HAPROXY, "-cc", condition], env=given, capture_output=True, timeout=20)
    assert verdict == Verdict(run.returncode)


BLOCKS = [
    ".if 1|.notice a|.else|.notice b|.endif",
    ".if 0|.notice a|.elif 1|.notice b|.elif 1|.notice c|.else|.notice d|.endif",
    ".if 0|.if 1|.notice a|.else|.notice b|.endif|.notice c|.else|.notice d|.endif",
    ".if 1|.elif nonsense(|.endif|.notice a",
    ".if 0|.if nonsense(|.endif|.endif|.notice a",
    ".if 0|.nope|.endif|.notice a",
    '.if "$A"|.notice "$A"|.endif',
    'global|setenv A 2|.notice $.SECTION|.notice "$A$.SECTION"|unsetenv A|.notice "-$A"',
    'global|presetenv A 2|presetenv B 2|.notice "$A$B"|resetenv B|.notice "$A-$B"',
    '.warning w|.notice "n n"|.diag d|.notice',
]


@pytest.mark.parametrize("text", BLOCKS)
def test_blocks_and_the_environment_say_the_same_as_in_haproxy(text, tmp_path):
    text = text.replace("|", "\n") + "\n"
    shown = haproxy(text, tmp_path, {"A": "1"})
    expected = [(line, message) for line in sorted(shown) for message in shown[line]]
    read = read_text(text, environment={"A": "1"}, features=Features("2.6"), sections=SECTIONS)
    found = [(each.span.line, (each.severity.name, f"'{each.message}'.\n")) for each in read.diagnostics]
    assert [each for each in found if each[1][0] != "DIAG"] == expected


BROKEN = [
    *[
        ".if 1",
        ".endif",
        ".else",
        ".elif 1",
        ".if 1|.else|.else|.endif",
        ".if 1|.else x|.endif",
        ".if x|.endif",
    ],
    *[
        ".nope",
        "nope x",
        ".notice a b",
        ".alert a",
        "global|setenv A",
        "global|unsetenv",
        "global|setenv A=B x",
    ],
]


@pytest.mark.parametrize("text", BROKEN)
def test_what_haproxy_refuses_is_refused_at_the_same_first_line(text, tmp_path):
    text = text.replace("|", "\n") + "\n"
    shown = haproxy(text, tmp_path)
    read = read_text(text, environment=ENVIRONMENT, features=Features("2.6"), sections=SECTIONS)
    assert min(each.span.line for each in read.errors) == min(shown)


def allowed(text, tmp_path):
    (tmp_path / "t.cfg").write_text(text)
    run = subprocess.run([HAPROXY, "-c", "-f", "t.cfg"], cwd=tmp_path, capture_output=True, timeout=20)
    return b"ALERT" not in run.stderr


def accepted(parse, *arguments):
    try:
        parse(*arguments)
    except BadValueError:
        return False
    return True


@pytest.mark.parametrize("address", cases("bind"))
def test_bind_addresses_are_accepted_as_by_haproxy(address, tmp_path):
    text = f"frontend f\n mode tcp\n timeout client 1s\n bind {address}\n"
    assert accepted(parse_addresses, address, BIND) == allowed(text, tmp_path)


@pytest.mark.parametrize("address", cases("server"))
def test_server_addresses_are_accepted_as_by_haproxy(address, tmp_path):
    text = f"backend b\n mode tcp\n timeout server 1s\n timeout connect 1s\n server s {address}\n"
    assert accepted(parse_address, address, SERVER) == allowed(text, tmp_path)


@pytest.mark.parametrize("address", cases("log"))
def test_log_addresses_are_accepted_as_by_haproxy(address, tmp_path):
    assert accepted(parse_address, address, LOG) == allowed(f"global\n log {address} local0\n", tmp_path)


@pytest.mark.parametrize("text", cases("times"))
def test_times_are_accepted_as_by_haproxy(text, tmp_path):
    config = f"frontend f\n mode tcp\n bind :29999\n timeout client {text}\n"
    assert accepted(parse_time, text) == allowed(config, tmp_path)
