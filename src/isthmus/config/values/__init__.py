"""Single words to typed values; each parser raises BadValueError, which says what was expected.

try:
    timeout = parse_time(word.text)
except BadValueError as fault:
    fault.report(diagnostics, word)
"""

from isthmus.config.values.addresses import parse_address, parse_addresses
from isthmus.config.values.fault import BadValueError
from isthmus.config.values.forms import (
    AbstractAddress,
    Address,
    FdAddress,
    InetAddress,
    NamedAddress,
    SockpairAddress,
    UnixAddress,
)
from isthmus.config.values.networks import Network, parse_network
from isthmus.config.values.numbers import parse_integer, parse_percentage
from isthmus.config.values.ports import PortRange, Ports, PortShift, parse_ports
from isthmus.config.values.rules import (
    BIND,
    DGRAM_BIND,
    HOST,
    LOG,
    NAMESERVER,
    PEER,
    SERVER,
    SOURCE,
    AddressRules,
    Family,
    PortNeed,
    Transport,
)
from isthmus.config.values.sizes import parse_size
from isthmus.config.values.times import Duration, TimeUnit, parse_time

__all__ = [
    "BIND",
    "DGRAM_BIND",
    "HOST",
    "LOG",
    "NAMESERVER",
    "PEER",
    "SERVER",
    "SOURCE",
    "AbstractAddress",
    "Address",
    "AddressRules",
    "BadValueError",
    "Duration",
    "Family",
    "FdAddress",
    "InetAddress",
    "NamedAddress",
    "Network",
    "PortNeed",
    "PortRange",
    "PortShift",
    "Ports",
    "SockpairAddress",
    "TimeUnit",
    "Transport",
    "UnixAddress",
    "parse_address",
    "parse_addresses",
    "parse_integer",
    "parse_network",
    "parse_percentage",
    "parse_ports",
    "parse_size",
    "parse_time",
]
