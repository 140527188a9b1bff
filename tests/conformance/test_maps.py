"""Maps and ACL files: which entry is found, what comes out, which files are refused, and what changes."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .lab import Both, Lab, Origins
from .wire import greets

TWO: Origins = {"a": greets, "b": greets}

STRINGS = (
    "# comment\n\nabc one\nab two\nabcd three\nABC four\nabc five\n   lead   two words  \t \n"
    "noval\n #x sharp\ncr line\r\n/a/b dirs\nb shorter\n"
)
FILES = {
    "ip": "10.0.0.0/8 ten\n10.0.0.0/8 again\n10.1.0.0/16 one\n10.1.2.3 host\n2001:db8::/32 doc\n"
    "::ffff:10.1.2.0/120 mapped\n\t127.0.0.0/30   b  \n10.2.0.0/255.255.0.0 masked\n",
    "str": STRINGS,
    "beg": STRINGS,
    "end": STRINGS,
    "sub": STRINGS,
    "dir": STRINGS,
    "dom": "example.com one\nwww two\ncom three\n.dots. four\n",
    "reg": r"^a(.)(.) got\1-\2\0\9x\\y" + "\n^a any\n(?i)^z last\n",
    "regm": r"^a(.)(.) got\1-\2\0\9x\\y" + "\n^a any\n^q(x)? <\\1>\n",
    "int": "1:5 low\n3 three\n:9 nine\n20: many\n",
    "str_int": "abc 12\ny -5\nz 99999999999\nnone\n",
    "str_ip": "abc 1.2.3.4\ny ::1\n",
    "ip_int": "127.0.0.1 7\n0.0.0.0/0 8\n",
    "ip_ip": "127.0.0.1 9.9.9.9\n",
    "int_int": "1:9 100\n",
    "beg_int": "a 1\nab 2\n",
    "reg_int": "^a 1\n",
    "patterns": "# one column\nabc\n  lead  \nwith space\n#no\n #yes\n",
    "folded": "ABC\nDef\n",
    "numbers": "5\n10:20\n100:\n",
    "networks": "127.0.0.0/30\n10.0.0.0/8\n2001:db8::/32\n172.16\n",
    "names": "localhost\n10.0.0.0/8\n",
    "expressions": "^ab+c$\n[0-9]{3}\n",
    "empty": "",
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


TEXTS = ("abc", "abcd", "ABC", "ab", "abcde", "xabc", "lead", "noval", "#x", "cr", "/a/b/c", "x/b", "", "axy")
ADDRESSES = ("10.1.2.3", "10.1.9.9", "10.9.9.9", "10.2.7.7", "127.0.0.2", "127.0.0.4")
LOOKUPS = [
    *(f"str({text}),map_{how}({how},-)" for how in ("beg", "end", "sub", "dir") for text in TEXTS),
    *(f"str({text}),map(str)" for text in TEXTS),
    *(f"str({text}),map_str(str,none at all)" for text in TEXTS),
    *(f"str({text}),map_dom(dom)" for text in ("www.example.com", "a.com", "dots", "x.dots.y", "example")),
    *(f"str({text}),map_reg(reg)" for text in ("abc", "a", "ab", "Zed", "q")),
    *(f"str({text}),map_regm(regm)" for text in ("abc", "a", "q", "qx", "z")),
    *(f"ipv4({text}),map_ip(ip,-)" for text in ADDRESSES),
    *(f"ipv6({text}),map_ip(ip)" for text in ("2001:db8::1", "::ffff:10.9.9.9", "::ffff:10.1.2.9", "::1")),
    *(f"str({text}),map_ip(ip)" for text in ("10.1.2.3", "nonsense")),
    *(f"int({number}),map_int(int,-)" for number in (3, 5, 7, 9, 10, 19, 20, -4)),
    *(f"str({text}),map_str_int(str_int,7)" for text in ("abc", "y", "z", "none", "nobody")),
    "str(nobody),map_str_int(str_int)",
    "str(abc),map_str_int(str_int),add(1)",
    *(f"str({text}),map_str_ip(str_ip)" for text in ("abc", "y", "none")),
    "str(none),map_str_ip(str_ip,5.6.7.8)",
    "src,map_ip_int(ip_int)",
    "ipv4(1.1.1.1),map_ip_int(ip_int)",
    "src,map_ip_ip(ip_ip)",
    "int(5),map_int_int(int_int)",
    "str(5),map_int_int(int_int)",
    "str(abx),map_beg_int(beg_int)",
    "str(abx),map_reg_int(reg_int)",
    "str(abc),map(empty,left)",
    "str(abc),map(empty)",
    "int(5),map(str)",
]


@pytest.mark.parametrize("start", range(0, len(LOOKUPS), 14), ids=lambda at: LOOKUPS[at])
def test_a_lookups_value(both: Both, files: Path, start: int) -> None:
    chunk = LOOKUPS[start : start + 14]
    lines = "\n  ".join(
        f"tcp-request content set-var(txn.a{n}) {_quoted(each, files)}" for n, each in enumerate(chunk)
    )
    values = " ".join(f"{n}:<%[var(txn.a{n})]>" for n in range(len(chunk)))
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  {lines}
  log-format "{values}"
  default_backend a
backend a
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.log.wait(1)
        return dict(zip(chunk, lab.log.lines()[0].message.split("> "), strict=False))

    both(text, traffic, logged=False)


def _quoted(expression: str, files: Path) -> str:
    """An expression as a configuration writes it: files with their folder."""
    return '"' + re.sub(r"(map[a-z_]*\()", rf"\g<1>{files}/", expression) + '"'


MATCHES = [
    *(f"str({text}) -m str -f patterns" for text in ("abc", "lead", "lead  ", "with space", "#no", "#yes")),
    *(f"str({text}) -m str -i -f folded" for text in ("abc", "dEF", "x")),
    *(f"str({text}) -m str -f folded" for text in ("abc", "ABC")),
    *(f"str({text}) -m str -f folded -i -f patterns x" for text in ("abc", "ABC", "def", "X", "WITH SPACE")),
    *(f"str({text}) -m beg -f patterns" for text in ("abcx", "ab")),
    *(f"str({text}) -m reg -f expressions" for text in ("abbbc", "x123", "12")),
    *(f"str({text}) -m reg -i -f expressions" for text in ("ABC",)),
    *(f"str({text}) -m str -M -f str" for text in ("abc", "two", "lead", "noval")),
    *(f"int({number}) -f numbers" for number in (5, 10, 20, 21, 99, 100, 4)),
    *(f"str({text}) -m len -f numbers" for text in ("12345", "123")),
    *(f"ipv4({ip}) -f networks" for ip in ("127.0.0.3", "127.0.0.4", "10.3.2.1", "172.0.0.16")),
    "ipv6(2001:db8::7) -f networks",
    "src -f networks 1.1.1.1",
    "src -f names",
    "src -f empty",
    "src -f empty 127.0.0.1",
    "src -M -f ip -n",
]


@pytest.mark.parametrize("start", range(0, len(MATCHES), 12), ids=lambda at: MATCHES[at])
def test_an_acl_file_matches(both: Both, files: Path, start: int) -> None:
    chunk = MATCHES[start : start + 12]
    rules = []
    for number, match in enumerate(chunk):
        test = re.sub(r"-f (\w+)", rf"-f {files}/\1", match).replace("(with space)", "(with\\ space)")
        test = test.replace("(lead  )", "(lead\\ \\ )").replace("(WITH SPACE)", "(WITH\\ SPACE)")
        test = test.replace("(#", "(\\#")
        rules.append(f"acl m{number} {test}")
        rules.append(f"tcp-request content set-var(txn.m{number}) bool(true) if m{number}")
    lines = "\n  ".join(rules)
    values = " ".join(f"{n}:%[var(txn.m{n})]" for n in range(len(chunk)))
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  {lines}
  log-format "{values}"
  default_backend a
backend a
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.log.wait(1)
        return dict(zip(chunk, lab.log.lines()[0].message.split(" "), strict=True))

    both(text, traffic, logged=False)


USE = """
frontend f
  bind 127.0.0.1:<front>
  use_backend %[src,map_ip({files}/ip)]
  default_backend a
backend a
  server a <a>
backend b
  server b <b>
"""


def test_a_map_chooses_the_backend(both: Both, files: Path) -> None:
    sources = ("127.0.0.1", "127.0.0.3", "127.0.0.4", "127.0.0.9")

    def traffic(lab: Lab) -> object:
        return [lab.greeting(source) for source in sources]

    seen = both(USE.format(files=files), traffic, origins=TWO)
    assert seen.value == ["b", "b", "a", "a"]


# Each: lines of a frontend; whether they are taken is HAProxy's to say.  `F` is the folder.
CONFIGURATIONS = [
    "log-format %[src,map_ip(F/nosuch)]",
    "log-format %[src,map_ip(F/ip)]",
    "log-format %[src,map_ip()]",
    "log-format %[src,map_ip]",
    "log-format %[src,map_ip(F/ip,a,b)]",
    "log-format %[src,map_ip(F/names)]",
    "log-format %[src,map_ip(F/str)]",
    "log-format %[src_port,map_int(F/str)]",
    "log-format %[src_port,map_int(F/empty)]",
    "log-format %[str(a),map_str_int(F/str)]",
    "log-format %[str(a),map_str_int(F/str_int,x)]",
    "log-format %[str(a),map_str_ip(F/str_int)]",
    "log-format %[str(a),map_str_ip(F/str_ip,x)]",
    "log-format %[str(a),map_str_ip(F/str_ip,1.2.3.4)]",
    "log-format %[always_true,map_ip(F/ip)]",
    "log-format %[str(a),map_nosuch(F/ip)]",
    "acl a src -f F/nosuch",
    "acl a src -f F/patterns",
    "acl a src -n -f F/names",
    "acl a src -f F/ip",
    "acl a src -M -f F/ip -f F/ip",
    "acl a src -M -f F/ip\n  acl b src -f F/ip",
    "acl a src -f F/networks\n  log-format %[src,map_ip(F/networks)]",
    "acl a src -f F/networks -f F/networks",
    "acl a src -u 5 1.1.1.1\n  acl b src -u 5 1.1.1.1",
    "acl a src -u 5 1.1.1.1\n  acl b src -u 6 1.1.1.1",
    "acl a src -u x 1.1.1.1",
    "acl a src -f F/networks -u 7",
    "acl a src -f F/networks -m ip",
    "acl a src -f F",
    "acl a src_port -f F/patterns",
    "acl a always_true -f F/patterns",
]


@pytest.mark.parametrize("lines", CONFIGURATIONS)
def test_a_configuration_is_taken_or_refused(both: Both, files: Path, lines: str) -> None:
    text = "defaults\n  mode tcp\n  timeout client 1s\n  timeout connect 1s\n  timeout server 1s\n"
    text += f"  log 127.0.0.1:9 local0\nfrontend f\n  bind 127.0.0.1:1\n  {lines.replace('F', str(files))}\n"
    path = files / "x.cfg"
    path.write_text(text)
    outcome = {
        program: subprocess.run([program, "-c", "-f", path], capture_output=True, timeout=60, check=False)
        for program in (both.reference, both.candidate)
    }
    statuses = [each.returncode for each in outcome.values()]
    assert statuses[0] == statuses[1], outcome[both.candidate].stderr.decode()
    if statuses[1]:
        # The file and the line are said, as for every error.
        assert re.search(r"x\.cfg:\d+", outcome[both.candidate].stderr.decode())


COMMANDS = """
show map
show acl
show map F/str
show acl F/patterns
show acl #3
get map F/str abc
get map F/str nobody
get map F/ip 10.1.2.3
get map F/int 3
get map F/str_int abc
get map F/regm abc
get acl F/patterns abc
get acl #3 10.5.5.5
get acl F/folded aBc
get map F/nosuch x
get map
get map F/str
get acl
add map F/str new\\ key new\\ value
add map F/str k v w x
add map F/str k
add map
add acl
add acl F/patterns
add acl F/patterns added
add acl F/str k
add map F/nosuch k v
add acl #99 x
add acl #x x
add map F/str_int bad x
add map F/str_int good 5
add map F/ip bad x
add acl F/patterns abc
get acl F/patterns added
get map F/str k
set map F/str k changed
set map F/str nobody x
set map F/str k
set map F/str #0xfff1 x
set map
get map F/str k
del map F/str k
del map F/str k
del map F/str
del map
del acl
del acl F/patterns added
del acl F/patterns #0xfff1
get map F/str k
get acl F/patterns added
show map F/str
prepare map F/str
prepare map F/str
prepare map
prepare map F/nosuch
prepare acl F/str
prepare map F/patterns
add map @2 F/str v2 two
add map @1 F/str v1 one
add map @9 F/str v9 nine
show map @1 F/str
show map @2 F/str
show map @7 F/str
get map F/str v2
commit map F/str
commit map
commit map @3 F/str
commit map @2
commit map @2 F/str
commit map @2 F/str
commit map @1 F/str
get map F/str abc
show map F/str
show map @1 F/str
clear map @2 F/str
clear map @9 F/str
show map F/str
clear map
clear acl
clear map F/patterns
clear acl F/str
clear acl F/patterns
show acl F/patterns
clear map F/ip
get map F/ip 10.1.2.3
add map F/ip 10.0.0.0/8 back
get map F/ip 10.1.2.3
prepare acl F/patterns
add acl @1 F/patterns next
commit acl @1 F/patterns
show acl F/patterns
""".strip().splitlines()

LIVE = """
frontend f
  bind 127.0.0.1:<front>
  tcp-request content set-var(txn.a) src,map_ip(F/ip)
  tcp-request content set-var(txn.b) src,map_str(F/str)
  tcp-request content set-var(txn.c) src,map_str_int(F/str_int)
  acl x src -f F/empty 10.0.0.0/8
  acl x src 10.0.0.0/8
  acl y src -m str -f F/patterns
  acl z src -m str -i -f F/folded
  tcp-request content set-var(txn.d) src_port,map_int(F/int)
  tcp-request content set-var(txn.e) src,map_regm(F/regm)
  use_backend %[src,map_ip(F/ip)]
  default_backend a
backend a
  server a <a>
backend b
  server b <b>
"""


def _plain(answer: str, folder: str) -> str:
    """An answer without addresses of memory, and without what HAProxy counts once for each use."""
    answer = re.sub(r"entry_cnt=\d+", "entry_cnt=N", answer)
    answer = re.sub(r"\b0x[0-9a-f]+", "0xN", answer)
    # HAProxy's own lists, of its HTTP client.
    return re.sub(r"\d+ \(\) acl 'var' file 'httpclient'.*\n", "", answer).replace(folder, "<dir>")


def test_the_runtime_api_answers_alike(both: Both, files: Path) -> None:
    def traffic(lab: Lab) -> object:
        return [
            (line, _plain(lab.command(line.replace("F/", f"{files}/")), str(lab.folder))) for line in COMMANDS
        ]

    # HAProxy calls `map_regm` a method of its own.
    theirs, ours = both.apart(LIVE.replace("F/", f"{files}/"), traffic, origins=TWO, logged=False)
    pairs = zip(theirs.value, ours.value, strict=True)
    different = [(a, b) for a, b in pairs if (a[0], a[1].replace("type=regm", "type=reg")) != b]
    assert different == []


def test_what_is_changed_holds_for_the_next_connection(both: Both, files: Path) -> None:
    def traffic(lab: Lab) -> object:
        seen = [lab.greeting("127.0.0.9")]
        for line in (
            "add map F/ip 127.0.0.8/30 b",
            "set map F/ip 127.0.0.8/30 a",
            "set map F/ip 127.0.0.8/30 b",
            "del map F/ip 127.0.0.8/30",
            "clear map F/ip",
            "prepare map F/ip",
            "add map @1 F/ip 127.0.0.9 b",
            "commit map @1 F/ip",
        ):
            lab.command(line.replace("F/", f"{files}/"))
            seen.append(lab.greeting("127.0.0.9"))
        return seen

    seen = both(LIVE.replace("F/", f"{files}/"), traffic, origins=TWO)
    assert seen.value == ["a", "b", "a", "b", "a", "a", "a", "a", "b"]


def test_a_payload_adds_many_entries(both: Both, files: Path) -> None:
    payload = f"add map {files}/str <<\nk1 v1\nk2 v2 with spaces\nk3   v3\n\n"

    def traffic(lab: Lab) -> object:
        answer = lab.command(payload.rstrip("\n") + "\n")
        return answer, _plain(lab.command(f"show map {files}/str"), str(lab.folder))

    both(LIVE.replace("F/", f"{files}/"), traffic, origins=TWO)
