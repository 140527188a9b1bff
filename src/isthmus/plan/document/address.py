"""Where sockets are bound and connected to. IP addresses are text in their usual forms."""

from __future__ import annotations

from msgspec import Struct

from isthmus.plan.document.expression import Expression


class Inet(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="inet"):
    """TCP over IPv4 or IPv6; an unspecified address means every one of its family."""

    ip: str
    port: int


class Unix(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unix"):
    """A stream socket in the file system."""

    path: str


class Abstract(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="abstract"):
    """A Linux abstract socket; the name is without the leading NUL.

    `zero_terminated` (`abnsz@`): the address ends behind the name instead of being padded to 108 bytes.
    """

    name: str
    zero_terminated: bool


class Fd(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fd"):
    """An inherited descriptor: a listening socket (bind) or an established one (server)."""

    fd: int


class Sockpair(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="sockpair"):
    """A half of a `socketpair(2)` over which established connections arrive or are sent."""

    fd: int


Address = Inet | Unix | Abstract | Fd | Sockpair
"""An address to listen on or to connect to."""


class FixedPort(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """The same port for every client."""

    port: int


class ClientPort(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="client"):
    """The port that the client connected to, shifted by `offset` modulo 65536."""

    offset: int


ServerPort = FixedPort | ClientPort
"""Which port of a server is connected to."""


class ServerInet(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="inet"):
    """An IP address; None is `*`: the client connection's destination address."""

    ip: str | None
    port: ServerPort


class ServerLocal(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="local"):
    """Any address without a port."""

    address: Address


class ServerUnresolved(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unresolved"):
    """A host name that did not resolve at start (`init-addr none`): the server stays down."""

    name: str
    port: ServerPort


ServerAddress = ServerInet | ServerLocal | ServerUnresolved
"""Where a server is."""


class DefaultNamespace(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="default"):
    """The namespace in which the process was started."""


class FixedNamespace(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """Always this one, by its index in the plan."""

    namespace: int


class ClientNamespace(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="client"):
    """`namespace *`: the client connection's source namespace."""


ServerNamespace = DefaultNamespace | FixedNamespace | ClientNamespace
"""In which namespace the connection to a server is made."""


class SourceClientIp(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="client_ip"):
    """The client's address, any port (`clientip`)."""


class SourceClient(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="client"):
    """The client's address and port (`client`)."""


class SourceFixed(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """A given address and port (0: any)."""

    ip: str
    port: int


class SourceExpression(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="expression"):
    """What an expression that evaluates to an address says (`hdr_ip(name)`)."""

    expression: Expression


ClientSource = SourceClientIp | SourceClient | SourceFixed | SourceExpression
"""The foreign address that `usesrc` binds before connecting."""


class SourceAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """Which local address a server connection is bound to before it connects (`source`).

    An unspecified address and the ports 0 and 0 leave the choice to the kernel.
    """

    ip: str
    ports: tuple[int, int] = (0, 0)
    interface: str | None = None
    usesrc: ClientSource | None = None
