from ipaddress import ip_network

import pytest

from isthmus.config.values import parse_network

from .builders import fault

NETWORKS = [
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("10.1.2.3/8", "10.0.0.0/8"),
    ("10.1.2.3", "10.1.2.3/32"),
    ("10.1.2.3/255.255.0.0", "10.1.0.0/16"),
    ("10.1.2.3/0.0.0.0", "0.0.0.0/0"),
    ("0.0.0.0/0", "0.0.0.0/0"),
    ("::/0", "::/0"),
    ("fd00::1", "fd00::1/128"),
    ("fd00::1/8", "fd00::/8"),
]


@pytest.mark.parametrize(("text", "expected"), NETWORKS)
def test_a_network_is_an_address_with_a_length_or_a_mask(text, expected):
    assert parse_network(text) == ip_network(expected)


BAD = [
    ("", 0),
    ("host", 0),
    ("10.0.0/8", 0),
    ("010.0.0.1", 0),
    ("fe80::1%lo/64", 0),
    ("10.0.0.0/", 9),
    ("10.0.0.0/33", 9),
    ("10.0.0.0/-1", 9),
    ("10.0.0.0/255.0.255.0", 9),
    ("10.0.0.0/0.0.0.255", 9),
    ("::/129", 3),
    ("::/ffff::", 3),
]


@pytest.mark.parametrize(("text", "offset"), BAD)
def test_what_is_wrong_with_a_network_is_pointed_at(text, offset):
    found = fault(parse_network, text)
    assert (found.code, found.offset) == ("E0055", offset)
