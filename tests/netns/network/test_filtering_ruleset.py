"""The table of a network as nft and the kernel give it back: the same text, or a difference that is found."""

from __future__ import annotations

import re
import subprocess
from ipaddress import ip_address, ip_network

import pytest

from isthmus.network.filtering import wanted_ruleset
from isthmus.network.model import (
    Chain,
    Firewall,
    FirewallRule,
    Interception,
    Masquerade,
    Namespace,
    Nat,
    PortForward,
    Ports,
)

from ..ground import find
from . import filtered

TCP_80 = Ports("tcp", 80, 80)
MANY_UDP = Ports("udp", 8000, 8010)
TEN = ip_network("10.0.0.0/8")
OFFICE = (ip_network("10.1.0.0/16"), ip_network("10.2.0.0/15"), ip_network("2001:db8::/48"))
HALVES = (ip_network("10.0.0.0/25"), ip_network("10.0.0.128/25"), ip_network("10.0.1.0/24"))
NEIGHBOURS = (ip_network("10.0.1.0/24"), ip_network("10.0.2.0/24"), ip_network("192.0.2.9/32"))
ALL_FOUR = (ip_network("0.0.0.0/0"),)
ALL = (*ALL_FOUR, ip_network("::/0"))
FOUR, SIX = ip_address("10.0.0.2"), ip_address("2001:db8::2")


def firewalled(*rules: FirewallRule, hook: str = "input", allow: bool = False, stateful: bool = True):
    return Namespace("red", firewall=Firewall(**{hook: Chain(allow, rules)}, stateful=stateful))


def translated(*forwards: PortForward, masquerades: tuple[Masquerade, ...] = ()):
    return Namespace("red", nat=Nat(masquerades, forwards))


MODELS = {
    "an empty firewall": firewalled(),
    "an open one without state": firewalled(hook="output", allow=True, stateful=False),
    "one prefix": firewalled(FirewallRule(True, (TEN,), ports=(TCP_80,))),
    "both families": firewalled(FirewallRule(True, OFFICE, OFFICE, ports=(TCP_80, MANY_UDP)), hook="forward"),
    "halves that make a whole": firewalled(FirewallRule(False, HALVES)),
    "neighbours that make no prefix": firewalled(FirewallRule(False, NEIGHBOURS)),
    "all of one family": firewalled(FirewallRule(True, ALL_FOUR, icmp=True)),
    "all of both": firewalled(FirewallRule(True, ALL, ALL, ports=(TCP_80,))),
    "all of both, anything": firewalled(FirewallRule(True, ALL)),
    "icmp with addresses": firewalled(FirewallRule(True, OFFICE, icmp=True), hook="forward"),
    "icmp and ports": firewalled(FirewallRule(True, icmp=True, ports=(TCP_80, Ports("tcp", 81, 90)))),
    "ports side by side": firewalled(FirewallRule(True, ports=(Ports("tcp", 1, 2), Ports("tcp", 3, 4)))),
    "all ports": firewalled(FirewallRule(True, ports=(Ports("tcp", 0, 65535),))),
    "links": firewalled(FirewallRule(True, incoming="eth0", outgoing="eth1"), hook="forward"),
    "masquerade": translated(masquerades=(Masquerade(),)),
    "masquerade of some": translated(masquerades=(Masquerade("eth0", OFFICE), Masquerade("eth1"))),
    "forward": translated(PortForward(TCP_80, FOUR)),
    "forward of many to one": translated(PortForward(MANY_UDP, FOUR, 90)),
    "forward of IPv6": translated(PortForward(TCP_80, SIX, 8080), PortForward(MANY_UDP, SIX)),
    "forward of an address": translated(PortForward(TCP_80, FOUR, 81, address=ip_address("192.0.2.1"))),
    "forward by a link": translated(PortForward(TCP_80, FOUR, 81, "eth0", ip_address("192.0.2.1"))),
    "intercept": Namespace("red", interceptions=(Interception(TCP_80, 3129),)),
    "intercept to an address": Namespace(
        "red", interceptions=(Interception(TCP_80, 3129, ip_address("127.0.0.1")),)
    ),
    "intercept IPv6": Namespace(
        "red", interceptions=(Interception(MANY_UDP, 3129, ip_address("::1"), OFFICE, ALL, "eth0", 7, 107),)
    ),
    "intercept some": Namespace(
        "red",
        interceptions=(Interception(TCP_80, 1, None, OFFICE), Interception(TCP_80, 2, None, (), HALVES)),
    ),
}


either_way = pytest.mark.parametrize("program", [False, True], ids=["library", "program"])


@pytest.fixture
def red(ground):
    if not find("nft"):
        pytest.skip("no nft (Debian package: nftables)")
    return ground.add("red")


def text_of(model: Namespace, **more: object) -> str:
    wanted = wanted_ruleset(model, filtered.NETWORK, connected=(TEN, OFFICE[2]), **more)
    assert wanted is not None
    return wanted.text


@either_way
def test_what_is_read_back_is_what_was_wanted(red, program):
    wanted = {name: text_of(model, former={"net.ipv4.ip_forward": "0"}) for name, model in MODELS.items()}
    found = filtered.apply_each(red, list(wanted.values()), program)
    assert dict(zip(wanted, found, strict=True)) == wanted


def test_another_text_takes_the_place_of_the_one_that_is_there(red):
    first, second = text_of(MODELS["forward"]), text_of(MODELS["an empty firewall"])
    texts = [first, second, second, None, None, first]
    assert filtered.apply_each(red, texts) == texts


FOREIGN = {
    "a rule more": "add rule inet isthmus_demo input tcp dport 22 accept",
    "a counting rule": "add rule inet isthmus_demo input counter",
    "a rule first": "insert rule inet isthmus_demo input accept",
    "rules gone": "flush chain inet isthmus_demo input",
    "a policy": "chain inet isthmus_demo input { policy accept; }",
    "a chain": "add chain inet isthmus_demo more",
    "a set": "add set inet isthmus_demo some { type ipv4_addr; }",
    "a rule with a set": (
        "add set inet isthmus_demo some { type ipv4_addr; }; "
        "add rule inet isthmus_demo input ip saddr @some accept"
    ),
    "a sleeping table": "add table inet isthmus_demo { flags dormant; }",
}


def nft_version() -> tuple[int, ...]:
    said = subprocess.run(["nft", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    assert found
    return tuple(map(int, found.groups()))


@pytest.mark.parametrize("change", FOREIGN)
def test_a_foreign_change_in_our_table_is_found_and_put_right(red, change):
    if change == "a sleeping table" and nft_version() < (1, 0, 7):
        pytest.skip("libnftables before 1.0.7 frees a table's flags twice when it writes them as JSON")
    wanted = text_of(MODELS["one prefix"])
    filtered.apply(red, wanted)
    red.run("nft", FOREIGN[change])
    assert filtered.read(red) != wanted
    assert filtered.apply(red, wanted) == wanted


def test_tables_of_others_are_neither_read_nor_touched(red):
    other = "table inet isthmus_demo2 {\n\tchain input {\n\t\ttcp dport 22 accept\n\t}\n}\n"
    red.run("nft", "-f", "-", stdin=other)
    assert filtered.read(red) is None
    filtered.apply(red, text_of(MODELS["forward"]))
    assert filtered.apply(red, None) is None
    assert red.run("nft", "list", "ruleset") == other


def test_removing_what_is_not_there_does_nothing(red):
    assert filtered.apply(red, None) is None
    assert red.run("nft", "list", "ruleset") == ""


def test_former_sysctls_are_kept_in_the_table(red):
    settings = {
        "net.ipv4.ip_forward": "0",
        "net.ipv4.conf.all.rp_filter": "2",
        "net.ipv4.ip_local_reserved_ports": ",".join(str(port) for port in range(8000, 8099, 2)),
        "net.ipv4.ping_group_range": "1 0",
    }
    wanted = text_of(Namespace("host"), former=settings)
    assert filtered.apply(red, wanted) == wanted
    assert filtered.former(red) == settings
    filtered.apply(red, None)
    assert filtered.former(red) == {}


@either_way
def test_a_rule_that_nft_refuses_is_named_and_nothing_is_changed(red, program):
    wanted = text_of(MODELS["one prefix"])
    filtered.apply(red, wanted)
    impossible = text_of(
        translated(
            PortForward(TCP_80, FOUR),
            PortForward(Ports("tcp", 99, 99), SIX, address=FOUR),
            masquerades=(Masquerade(),),
        )
    )
    with pytest.raises(
        filtered.RefusedError, match=r"nftables: .+, in a rule of chain forward_incoming: .*99.*dnat"
    ):
        filtered.apply(red, impossible, program)
    assert filtered.read(red) == wanted


@either_way
def test_without_privilege_that_is_what_is_said(red, program):
    wanted = text_of(MODELS["one prefix"])
    said = r"^nftables: not permitted here: it takes root, or CAP_NET_ADMIN in the namespace$"
    with pytest.raises(filtered.RefusedError, match=said):
        filtered.apply_without_privilege(red, wanted, program)
    assert filtered.read(red) is None
