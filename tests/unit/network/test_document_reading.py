"""What network files mean, and what is said about those that are wrong."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config import CODES, Diagnostics
from isthmus.network.document import read
from isthmus.network.model import Bridge, Network, Phase, Veth, Wireguard

CONFIGS = Path(__file__).parents[2] / "configs" / "network"
ACCEPTED = sorted(CONFIGS.glob("*.yaml"))


def attempt(folder: Path, text: str | bytes, name: str = "net.yaml") -> tuple[Network | None, str, list[str]]:
    file = folder / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    diagnostics = Diagnostics()
    network = read(file, diagnostics)
    return network, diagnostics.render(), [each.code for each in diagnostics]


def accept(folder: Path, text: str) -> Network:
    network, messages, _ = attempt(folder, text)
    assert network is not None, messages
    return network


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_the_corpus_is_read_without_a_message(file: Path):
    diagnostics = Diagnostics()
    network = read(file, diagnostics)
    assert diagnostics.render() == ""
    assert network is not None
    assert network.name == file.stem


def test_everything_in_the_corpus_arrives_in_the_model():
    network = read(CONFIGS / "everything.yaml", Diagnostics())
    assert network is not None
    red = next(each for each in network.namespaces if each.name == "red")
    assert red.sysctls[0] == ("net.ipv4.ip_forward", "1")
    assert red.rules[0].mark == 1
    assert red.rules[0].mask == 255
    assert red.rules[1].family == 6
    assert red.routes[1].table == 254
    assert red.nat is not None
    assert red.nat.masquerades[0].sources[1] == ipaddress.ip_network("10.1.0.0/16")
    assert red.nat.forwards[0].to_port == 80
    assert red.firewall is not None
    assert red.firewall.input is not None
    assert [rule.allow for rule in red.firewall.input.rules] == [True, True, False]
    assert red.firewall.input.rules[0].sources == (ipaddress.ip_network("10.2.0.0/16"),)
    end = network.links[0].end
    assert end.mac == "02:00:01:00:02:03"
    assert end.shaping is not None
    assert (end.shaping.rate, end.shaping.burst, end.shaping.jitter) == (10_000_000, 32768, 500)
    web = next(each for each in network.services if each.name == "web")
    assert web.namespace == "outside"
    assert [hook.phase for hook in web.hooks] == [Phase.INITIALIZE, Phase.PRE_START, Phase.PRE_START]
    assert dict(web.environment)["DEBUG"] == "true"
    assert network.proxy is not None
    assert network.proxy.files[0] == CONFIGS / "haproxy.cfg"
    assert [each.sentence for each in network.expectations][-1] == "t3-right cannot ping 10.0.2.1"


def test_a_network_is_called_after_its_file(tmp_path: Path):
    network, messages, _ = attempt(tmp_path, "namespaces: {red: }", "My_Lab.yaml")
    assert network is not None, messages
    assert network.name == "my-lab"


def test_only_true_and_false_are_booleans_and_macs_are_never_numbers(tmp_path: Path):
    text = """
    namespaces: {on: {hostname: yes}, off: {lo: down}}
    links: [{dummy: {in: on, name: no, mac: 02:00:00:00:00:10, up: false}}]
    """
    network = accept(tmp_path, text)
    assert [each.name for each in network.namespaces] == ["on", "off"]
    assert network.namespaces[0].hostname == "yes"
    assert network.links[0].end.mac == "02:00:00:00:00:10"
    assert network.links[0].end.name == "no"


def test_templates_count_and_know_their_variables(tmp_path: Path):
    text = """
    variables: {n: 2, names: [a, b]}
    for:
      - each: {i: "1..${n}", name: "${names}"}
        namespaces: {"${name}${i:03d}": {hostname: "h${i * 16 + 10:x}$$"}}
    """
    network, messages, _ = attempt(tmp_path, text.replace("$$", ""))
    assert network is not None, messages
    assert [each.name for each in network.namespaces] == ["a001", "b001", "a002", "b002"]
    assert network.namespaces[2].hostname == "h2a"


def test_thousand_tenants_are_read(tmp_path: Path):
    text = """
    for:
      each: {i: 1..1000}
      namespaces: {"t${i}": {routes: [{to: default, via: 10.0.0.1, dev: eth0}]}}
      links: [{veth: [{in: "t${i}", name: eth0, addresses: [10.0.0.2/24]}, {name: "v${i}"}]}]
    """
    network = accept(tmp_path, text)
    assert len(network.namespaces) == len(network.links) == 1000
    assert isinstance(network.links[-1].kind, Veth)
    assert network.links[-1].kind.peer.name == "v1000"


def test_a_wireguard_key_file_is_read_and_an_open_one_warned_about(tmp_path: Path):
    key = tmp_path / "wg.key"
    key.write_text("A" * 43 + "=\n")
    text = "links: [{wireguard: {name: wg0, private-key-file: wg.key}}]"
    for mode, codes in ((0o600, []), (0o644, ["W2026"])):
        key.chmod(mode)
        network, messages, found = attempt(tmp_path, text)
        assert network is not None, messages
        assert found == codes
        assert isinstance(network.links[0].kind, Wireguard)
        assert "AAAA" not in repr(network)


def test_an_included_file_shares_a_file_that_both_include(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("namespaces: {sw: }\nlinks: [{bridge: {in: sw, name: br0}}]")
    (tmp_path / "more.yaml").write_text("include: base.yaml\nnamespaces: {red: }")
    network = accept(tmp_path, "include: [more.yaml, base.yaml]\nnamespaces: {blue: }")
    assert [each.name for each in network.namespaces] == ["sw", "red", "blue"]
    assert isinstance(network.links[0].kind, Bridge)


def test_a_message_shows_place_line_word_and_the_nearest_key(tmp_path: Path):
    network, messages, _ = attempt(tmp_path, "namespaces:\n  red: {hostnam: alpha}\n")
    assert network is None
    assert messages == (
        f"{tmp_path}/net.yaml:2:9: E2020: unknown key `hostnam` in namespace\n"
        "  2 |   red: {hostnam: alpha}\n"
        "    |         ^^^^^^^\n"
        "hint: did you mean `hostname`?\n"
    )


def test_a_fault_in_a_template_is_told_once_with_the_values_of_its_first_round(tmp_path: Path):
    text = "for: [{each: {i: 250..300}, links: [{dummy: {name: 'd${i}', addresses: ['10.0.0.${i}/24']}}]}]"
    _, messages, codes = attempt(tmp_path, text)
    assert codes == ["E2023"]
    assert "`10.0.0.256/24` (with i = 256, and 44 more)" in messages


def test_all_errors_of_a_file_come_in_one_run(tmp_path: Path):
    text = "namespaces: {a b: , red: {lo: sideways}}\nlinks: [{dumy: {name: x}}]\nexpect: [red can fly]\n"
    _, _, codes = attempt(tmp_path, text)
    assert codes == ["E2023", "E2023", "E2020", "E2021", "E2030"]


def test_every_code_has_a_title_and_a_text():
    codes = [code for code in CODES if code[1:3] in ("20", "21")]
    assert len(codes) > 25
    assert all(CODES[code].title and CODES[code].text for code in codes)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_no_text_whatsoever_raises(tmp_path_factory, text: str | bytes):
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    attempt(tmp_path_factory.getbasetemp(), data, "any.yaml")


_LANGUAGE = """
namespaces links veth in name red eth0 for each i 1..3 ${i} ${i+1} ${ 10.0.0.1/24 [ ] { } : , - & a *a << ? !
| > ' " # true null ~ 1 expect services command needs proxy network include networks % @ ` "${i}" variables
"""
_WORDS = st.sampled_from([*_LANGUAGE.split(), "\n", "\n  ", "\n    ", " ", ": ", "- "])


@settings(max_examples=300, deadline=None)
@given(st.lists(_WORDS, max_size=40))
def test_no_jumble_of_the_language_raises(tmp_path_factory, words: list[str]):
    attempt(tmp_path_factory.getbasetemp(), "".join(words), "jumble.yaml")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_to_a_good_file_raises(tmp_path_factory, data: st.DataObject):
    lines = (CONFIGS / "everything.yaml").read_text().replace("include: parts/office.yaml", "").split("\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        start = data.draw(st.integers(0, len(line)))
        end = data.draw(st.integers(start, min(len(line), start + 8)))
        lines[at] = line[:start] + data.draw(st.text("ab1:{}[]-,. ${}\"'&*%/", max_size=4)) + line[end:]
    attempt(tmp_path_factory.getbasetemp(), "\n".join(lines), "damaged.yaml")
