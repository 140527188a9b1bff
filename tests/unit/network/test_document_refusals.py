"""Network files that are refused: the code, and the words that the message underlines."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.config import Diagnostics
from isthmus.network.document import read

RED = "namespaces: {red: , blue: }\n"
D = "links: [{dummy: {in: red, name: d0"
KEY = "A" * 43 + "="
WG = f"links: [{{wireguard: {{name: w, private-key: {KEY}, peers: ["

REFUSED = [
    # YAML itself
    ("red: [", "E2001", None),
    ("a: \tb: c", "E2001", None),
    ("a: \x07", "E2001", "\x07"),
    ("network: a\n---\nnetwork: b", "E2001", None),
    ("network: a\nnetwork: b", "E2003", "network"),
    (RED + D + ", name: d1}}]", "E2003", "name"),
    ("network: *nothing", "E2004", "*nothing"),
    ("namespaces: {red: {<<: 3}}", "E2004", "<<"),
    ("network: !!binary abcd", "E2005", None),
    ("- a", "E2022", None),
    ("? [a]\n: b", "E2001", "["),
    # templates
    ("network: ${name}", "E2011", "${name}"),
    ("variables: {cound: 1}\nnetwork: ${count}", "E2011", "${count}"),
    ("network: ${1 +}", "E2010", "${1 +}"),
    ("network: ${2 ** 9}", "E2010", "${2 ** 9}"),
    ("network: ${__import__('os')}", "E2010", None),
    ("network: ${1 // 0}", "E2010", None),
    ("network: x${", "E2010", None),
    ("network: ${1:99999d}", "E2010", None),
    ("for: [{each: {i: 1..200000}, namespaces: {}}]", "E2012", None),
    ("for: [{namespaces: {}}]", "E2013", None),
    ("for: [{each: {i: often}, namespaces: {}}]", "E2013", "often"),
    ("for: [{each: {i: 1..2}, namespaces: {a: }}]", "E2003", "a"),
    ("for: [{each: {i: 1..2}, network: x}]", "E2020", "network"),
    # keys and values
    ("namespace: {}", "E2020", "namespace"),
    ("network: Upper", "E2023", "Upper"),
    ("namespaces: [red]", "E2022", None),
    ("namespaces: {..: }", "E2023", ".."),
    ("namespaces: {a/b: }", "E2023", "a/b"),
    (RED + "links: [{}]", "E2021", None),
    (RED + "links: [{dummy: {name: a}, vrf: {name: b, table: 1}}]", "E2024", "vrf"),
    (RED + "links: [{veth: [{name: a}]}]", "E2022", None),
    (RED + "links: [{dummy: {in: red}}]", "E2021", "{"),
    (RED + "links: [{dummy: {name: averyveryverylongname}}]", "E2023", "averyveryverylongname"),
    (RED + "links: [{dummy: {name: a/b}}]", "E2023", "a/b"),
    (RED + D + ", mtu: 12}}]", "E2023", "12"),
    (RED + D + ", mtu: large}}]", "E2023", "large"),
    (RED + D + ", up: yes}}]", "E2023", "yes"),
    (RED + D + ", mac: 03:00:00:00:00:01}}]", "E2023", "03:00:00:00:00:01"),
    (RED + D + ", mac: {vlan: 65536, context: 0, index: 0}}}]", "E2023", "65536"),
    (RED + D + ", mac: {vlan: 1, context: 0, index: 256}}}]", "E2023", "256"),
    (RED + D + ", addresses: [10.0.0.1]}}]", "E2023", "10.0.0.1"),
    (RED + D + ", shaping: {rate: 10}}}]", "E2023", "10"),
    (RED + D + ", shaping: {jitter: 1ms}}}]", "E2024", "1ms"),
    ("links: [{vlan: {name: v, parent: eth0, id: 4095}}]", "E2023", "4095"),
    ("links: [{vlan: {name: v, parent: eth0, id: 0}}]", "E2023", "0"),
    ("links: [{wireguard: {name: w, private-key: abc}}]", "E2023", "abc"),
    ("links: [{wireguard: {name: w}}]", "E2021", None),
    (WG + f"{{public-key: {KEY}}}, {{public-key: {KEY}}}]}}}}]", "E2108", None),
    (WG + f"{{public-key: {KEY}, allowed: [10.0.0.1, 10.0.0.1]}}]}}}}]", "E2108", None),
    ("links: [{wireguard: {name: w, private-key-file: absent}}]", "E2025", "absent"),
    ("namespaces: {red: {routes: [{to: 10.0.0.1/24, dev: lo}]}}", "E2023", "10.0.0.1/24"),
    ("namespaces: {red: {routes: [{to: default}]}}", "E2021", None),
    ("namespaces: {red: {routes: [{to: 10.0.0.0/8, via: '::1'}]}}", "E2107", "'::1'"),
    ("namespaces: {red: {rules: [{priority: 1}]}}", "E2021", None),
    ("namespaces: {red: {attach: {pid: 1, path: /x}}}", "E2024", "path"),
    ("namespaces: {red: {sysctl: {kernel.x: 1}}}", "E2023", "kernel.x"),
    ("namespaces: {red: {sysctl: {net/../x: 1}}}", "E2023", "net/../x"),
    ("namespaces: {red: {firewall: {input: {rules: [{allow: {port: 80}}]}}}}", "E2023", "80"),
    ("namespaces: {red: {firewall: {input: {default: alow}}}}", "E2023", "alow"),
    ("services: {a: {command: []}}", "E2022", None),
    ("services: {a: {command: x, restart: maybe}}", "E2023", "maybe"),
    # the whole
    (
        "networks: {office: 10.0.0.0/8}\nnamespaces: {red: {nat: {masquerade: {from: offise}}}}",
        "E2100",
        "offise",
    ),
    (RED + "links: [{dummy: {in: rad, name: d0}}]", "E2100", "rad"),
    (RED + "links: [{dummy: {in: outside, name: d0}}]", "E2102", "outside"),
    ("namespaces: {outside: {}}", "E2102", "outside"),
    ("namespaces: {host: {hostname: x}}", "E2102", "host"),
    (RED + D + "}}, {dummy: {in: red, name: d0}}]", "E2101", "d0"),
    (RED + "links: [{veth: [{in: red, name: a}, {in: red, name: a}]}]", "E2101", "a"),
    (RED + "links: [{dummy: {in: red, name: lo}}]", "E2101", "lo"),
    (RED + D + ", master: br0}}]", "E2100", "br0"),
    (RED + D + "}}, {dummy: {in: red, name: d1, master: d0}}]", "E2104", "d0"),
    (
        RED + "links: [{bridge: {in: blue, name: br0}}, {dummy: {in: red, name: d, master: br0}}]",
        "E2100",
        "br0",
    ),
    (
        RED
        + "links: [{bridge: {in: red, name: b}}, {dummy: {in: red, name: d, master: b, vlan: {tagged: 3}}}]",
        "E2105",
        "{",
    ),
    (RED + "links: [{macvlan: {in: red, name: m, parent: eth9}}]", "E2100", "eth9"),
    (RED + "links: [{macvlan: {in: red, name: m, parent: bleu/eth9}}]", "E2100", "bleu/eth9"),
    (RED + "links: [{macvlan: {in: red, name: m, parent: m}}]", "E2103", "m"),
    (RED + "links: [{bridge: {in: red, name: b, master: b}}]", "E2103", "b"),
    (RED + "links: [{ipvlan: {name: i, parent: e, mac: 02:00:00:00:00:01}}]", "E2024", "02:00:00:00:00:01"),
    (
        RED + D + ", addresses: 10.0.0.1/24}}, {dummy: {in: red, name: d1, addresses: 10.0.0.1/8}}]",
        "E2106",
        "10.0.0.1/8",
    ),
    ("namespaces: {red: {routes: [{to: default, dev: eth7}]}}", "E2100", "eth7"),
    ("services: {a: {command: x, in: rde}}", "E2100", "rde"),
    ("services: {a: {command: x, needs: bb}}", "E2100", "bb"),
    ("services: {a: {command: x, needs: b}, b: {command: x, needs: a}}", "E2103", "b"),
    ("proxy: {in: front, files: a.cfg}", "E2100", "front"),
    (RED + "expect: [red can pnig blue]", "E2030", "pnig"),
    (RED + "expect: ['red can ping']", "E2030", "'"),
    (RED + "expect: ['red can reach blue:99999']", "E2030", "99999"),
    (RED + "expect: ['red can reach blue:80/sctp']", "E2030", "sctp"),
    (RED + "expect: [red can ping blue within 5]", "E2030", "5"),
    (RED + "expect: [red can ping blue at 5mbit]", "E2030", "at"),
    (RED + "expect: [red cannot ping blue within 5ms]", "E2030", "within"),
    (RED + "expect: ['red reaches blue:80 as blue']", "E2030", "blue"),
    (RED + "expect: ['red can ping bule']", "E2100", "bule"),
    (RED + "expect: [rad can ping blue]", "E2100", "rad"),
]


@pytest.mark.parametrize(("text", "code", "word"), REFUSED, ids=[row[0][-40:] + row[1] for row in REFUSED])
def test_it_is_refused_at_the_word(tmp_path: Path, text: str, code: str, word: str | None):
    file = tmp_path / "net.yaml"
    file.write_text(text)
    diagnostics = Diagnostics()
    assert read(file, diagnostics) is None
    messages = list(diagnostics)
    assert [each.code for each in messages] == [code], diagnostics.render()
    span = messages[0].span
    assert span is not None
    line = text.split("\n")[span.line - 1] if span.line <= len(text.split("\n")) else ""
    if word is not None:
        assert line[span.column - 1 : span.end - 1] == word, diagnostics.render()


def _refused(file: Path) -> list[str]:
    diagnostics = Diagnostics()
    assert read(file, diagnostics) is None
    assert diagnostics.render()
    return [each.code for each in diagnostics]


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path):
    assert _refused(tmp_path / "absent.yaml") == ["E2000"]
    assert _refused(tmp_path) == ["E2000"]
    (tmp_path / "latin.yaml").write_bytes(b"network: caf\xe9")
    assert _refused(tmp_path / "latin.yaml") == ["E2000"]


def test_an_include_may_not_come_back_to_its_file(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("include: b.yaml")
    (tmp_path / "b.yaml").write_text("include: ./a.yaml")
    assert _refused(tmp_path / "a.yaml") == ["E2006"]


def test_names_in_two_files_clash(tmp_path: Path):
    (tmp_path / "a.yaml").write_text("include: b.yaml\nnamespaces: {red: }")
    (tmp_path / "b.yaml").write_text("namespaces: {red: }")
    assert _refused(tmp_path / "a.yaml") == ["E2003"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
                for old, new in zip("abcdefg", "bcdefgh", strict=True)
            ),
            "E2002",
        ),
        ("a: " + "[" * 60 + "]" * 60, "E2002"),
        (
            "variables:\n  v0: [1, 2]\n"
            + "".join(f"  v{i}: ['${{v{i - 1}}}', '${{v{i - 1}}}']\n" for i in range(1, 60)),
            "E2012",
        ),
        ("variables:\n  v0: [1]\n" + "".join(f"  v{i}: ['${{v{i - 1}}}']\n" for i in range(1, 400)), "E2012"),
        ("variables: {a: '${2}'}\nnetwork: ${" + " * ".join(["1000000000"] * 15) + "}", "E2010"),
        (
            "variables:\n  a: " + "x" * 60000 + "\n  b: '" + "${a}" * 60000 + "'\n",
            "E2012",
        ),
        ("for: {each: {a: 1..1000, b: 1..1000}, namespaces: {}}", "E2012"),
    ],
    ids=["aliases", "depth", "doubling", "nesting", "bits", "texts", "product"],
)
def test_what_grows_without_end_is_stopped(tmp_path: Path, text: str, code: str):
    file = tmp_path / "bomb.yaml"
    file.write_text(text)
    assert _refused(file) == [code]


def test_thousand_wrong_names_are_told_once_with_their_number(tmp_path: Path):
    file = tmp_path / "many.yaml"
    file.write_text(
        "for: {each: {i: 1..1000}, namespaces: {'t${i}': }, links: [{dummy: {in: 'x${i}', name: d}}]}"
    )
    diagnostics = Diagnostics()
    assert read(file, diagnostics) is None
    assert "unknown namespace `x1` (with i = 1, and 999 more)" in diagnostics.render()


def test_a_fault_that_aliases_repeat_is_told_once(tmp_path: Path):
    file = tmp_path / "alias.yaml"
    file.write_text("namespaces: {a: &a {lo: sideways}, b: *a, c: *a}")
    assert _refused(file) == ["E2023"]


def test_link_local_addresses_repeat_and_others_beside_them_do_not(tmp_path: Path):
    file = tmp_path / "local.yaml"
    file.write_text(
        "namespaces: {a: }\nlinks:\n"
        "- dummy: {in: a, name: d0, addresses: ['fe80::1/64', 10.0.0.1/24]}\n"
        "- dummy: {in: a, name: d1, addresses: ['fe80::1/64', 10.0.0.1/24]}\n"
    )
    assert _refused(file) == ["E2106"]


@pytest.mark.parametrize("text", ["network: a\nnamespaces:\n\tred: {}\n", "network: a\n \tnamespaces: {}\n"])
def test_a_tab_in_the_indentation_is_named(tmp_path: Path, text: str):
    file = tmp_path / "tab.yaml"
    file.write_text(text)
    diagnostics = Diagnostics()
    assert read(file, diagnostics) is None
    assert "hint: YAML is indented with blanks alone, and there is a tab" in diagnostics.render()


def test_an_interface_that_one_word_names_has_its_place(tmp_path: Path):
    file = tmp_path / "nat.yaml"
    file.write_text("namespaces:\n  red:\n    nat: {masquerade: [true, eth0]}\n")
    diagnostics = Diagnostics()
    assert read(file, diagnostics) is None
    assert f"{file}:3:30: E2100: unknown interface `eth0` in `red`" in diagnostics.render()
