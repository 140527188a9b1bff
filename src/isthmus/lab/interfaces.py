"""Addresses on the loopback interface of the current network namespace.

By ioctl(2) (netdevice(7)), so that a lab needs no program and no library to be built. On the loopback
interface every address of a prefix is local: a listener on the wildcard address hears all of them.
"""

import fcntl
import socket
import struct
from ipaddress import IPv4Interface

_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_SIOCSIFADDR = 0x8916
_SIOCSIFNETMASK = 0x891C
_IFF_UP = 1

# struct ifreq: the name, then a union of 24 bytes.
_FLAGS_REQUEST = struct.Struct("16sh22x")
_ADDRESS_REQUEST = struct.Struct("16sHH4s16x")


def raise_loopback(addresses: list[IPv4Interface]) -> None:
    """Bring the loopback interface up and give it the addresses, beside 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        request = fcntl.ioctl(handle, _SIOCGIFFLAGS, _FLAGS_REQUEST.pack(b"lo", 0))
        flags = _FLAGS_REQUEST.unpack(request)[1] | _IFF_UP
        fcntl.ioctl(handle, _SIOCSIFFLAGS, _FLAGS_REQUEST.pack(b"lo", flags))
        for number, address in enumerate(addresses):
            label = f"lo:{number}".encode()
            fcntl.ioctl(handle, _SIOCSIFADDR, address_request(label, address.ip.packed))
            fcntl.ioctl(handle, _SIOCSIFNETMASK, address_request(label, address.netmask.packed))


def address_request(label: bytes, packed: bytes) -> bytes:
    """Lay out a struct ifreq that holds an IPv4 address for the interface `label`."""
    return _ADDRESS_REQUEST.pack(label, socket.AF_INET, 0, packed)
