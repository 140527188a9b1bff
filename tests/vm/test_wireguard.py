"""Tunnels: made from a file, changed while they carry, found as they are wherever their peers have gone."""

from __future__ import annotations

import re
from typing import Any

from pyroute2 import WireGuard

from .ground import inside
from .test_networks import Network, done, index_of, net, network, of

__all__ = ["network"]

GREEN = "ZlN3zWV/UJx3VsF/XcdQ/3DtNVPfgWd48tb14zo5CmQ="
BLUE = "IJi3fiIBCh7s5Uqu9DdwxrmOnPKemeQyy4vkY943WjE="
SHARED = "0123456789abcdef0123456789abcdef0123456789w="


def peers(namespace: str) -> dict[str, Any]:
    """The peers of a namespace's tunnel by public key, as pyroute2 reads them."""
    return inside(namespace, read)


def read() -> dict[str, Any]:
    with WireGuard() as wireguard:
        found = [peer for part in wireguard.info("wg0") for peer in part.get("WGDEVICE_A_PEERS") or ()]
    return {peer.get("WGPEER_A_PUBLIC_KEY").decode(): peer for peer in found}


def handshake(peer: Any) -> tuple[int, int]:
    told = peer.get("WGPEER_A_LAST_HANDSHAKE_TIME")
    return told["tv_sec"], told["tv_nsec"]


@of("wireguard")
def test_tunnels_change_while_those_that_stay_go_on(network: Network) -> None:
    network.apply()
    network.assert_unchanged_by_applying_again()
    first, index = peers("red"), index_of("red", "wg0")
    assert handshake(first[BLUE])[0]
    # Where the file puts green there is nobody: the kernel has learned better, `diff` does not mind.
    assert first[GREEN].get("WGPEER_A_ENDPOINT")["port"] != 9

    network.change("allowed: [10.0.0.3/32]", "allowed: [10.0.0.3/32, 10.3.0.0/16]")
    network.change(SHARED, SHARED.replace("0123456789w", "9876543210w"))
    network.change("listen-port: 51820\n      fwmark: 0x10", "listen-port: 51821\n      fwmark: 0x20")
    network.change("192.0.2.129:51820", "192.0.2.129:51821")
    network.apply()
    second = peers("red")
    assert handshake(second[BLUE]) == handshake(first[BLUE])
    assert second[BLUE].get("WGPEER_A_ENDPOINT")["port"] == 51821
    assert index_of("red", "wg0") == index

    # A change that fails leaves the tunnels as they were.
    network.change("via: 192.0.2.2}", "via: 198.51.100.1}")
    network.change("keepalive: 25s", "keepalive: 20s")
    assert net("apply", network.file)[0] == 1
    network.change("via: 198.51.100.1}", "via: 192.0.2.2}")
    network.change("keepalive: 20s", "keepalive: 25s")
    done("diff", network.file)

    entry = network.text[
        network.text.index("        # It is not there") : network.text.index("  - wireguard:\n      in: blue")
    ]
    network.change(entry, "")
    network.change("green can ping", "green cannot ping")
    network.apply()
    assert list(peers("red")) == [BLUE]
    assert handshake(peers("red")[BLUE]) == handshake(first[BLUE])


@of("wireguard")
def test_nothing_that_is_printed_has_a_key_in_it(network: Network) -> None:
    said = net("plan", network.file)[1] + done("apply", network.file)
    said += net("show", network.file)[1] + net("show", "--format", "json", network.file)[1]
    network.change(SHARED, SHARED.replace("0", "1"))
    network.change("TXYJ", "TXYK")
    said += net("plan", network.file)[1]
    assert "192.0.2.129:51820" in said
    assert "private-key changed" in said
    keys = set(re.findall(r"[A-Za-z0-9+/]{43}=", network.file.read_text()))
    assert len(keys) > 4
    assert [key for key in keys if key in said] == []
