"""Whether an nftables table is there, asked without starting nft(8): most namespaces have none."""

from __future__ import annotations

import socket
import struct

from isthmus.network.netlink.channel import NLM_F_REQUEST

_NETLINK_NETFILTER = 12
_NFNL_SUBSYS_NFTABLES = 10
_NFT_MSG_GETTABLE = 1
_NFPROTO_INET = 1
_NFTA_TABLE_NAME = 1
_NLMSG_ERROR = 2


def filtering_socket() -> socket.socket:
    """Open a netfilter socket in the namespace of the calling thread, for `has_table`."""
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER)


def has_table(asked: socket.socket, table: str) -> bool:
    """Say whether a namespace has the table, in the family inet."""
    name = table.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(name), _NFTA_TABLE_NAME) + name + b"\0" * (-len(name) % 4)
    body = struct.pack("=BBH", _NFPROTO_INET, 0, 0) + attribute
    # No acknowledgement is asked for: one that follows an answer would be read as the next answer.
    kind = _NFNL_SUBSYS_NFTABLES << 8 | _NFT_MSG_GETTABLE
    request = struct.pack("=IHHII", 16 + len(body), kind, NLM_F_REQUEST, 1, 0) + body
    try:
        asked.send(request)
        answer = asked.recv(1 << 16)
    except OSError:
        # A kernel without nftables has no table.
        return False
    _, answered, _, _, _ = struct.unpack_from("=IHHII", answer)
    return answered != _NLMSG_ERROR or answer[16:20] == bytes(4)
