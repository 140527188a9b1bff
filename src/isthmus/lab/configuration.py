"""The two configurations of the demo, in words that HAProxy reads as well.

`edge.cfg` has a port of the host for every tenant, and a listener inside every tenant whose traffic goes
on to the second proxy; `core.cfg` is that second proxy.
"""

from collections.abc import Sequence

from isthmus.lab.tenant import ORIGIN_PORT, Tenant
from isthmus.records import dataclass

# Where the edge proxy listens inside every tenant.
TENANT_PORT = 8080

_DEFAULTS = """\
global
    log stdout format raw local0

defaults
    mode tcp
    log global
    option tcplog
    # Where nobody listens, the client is told at once.
    retries 0
    timeout connect 5s
    timeout client  30s
    timeout server  30s
"""


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on the host's loopback: one a tenant, in the tenants' order, and the core proxy's."""

    tenants: tuple[int, ...]
    core: int


def edge_configuration(tenants: Sequence[Tenant], ports: Ports) -> str:
    """Write the configuration of the proxy that clients meet, on the host and inside the tenants."""
    parts = ["# The first proxy: from the host into a tenant, and out of every tenant.\n" + _DEFAULTS]
    for tenant, port in zip(tenants, ports.tenants, strict=True):
        parts.append(
            f"frontend {tenant.name}\n"
            f"    bind 127.0.0.1:{port}\n"
            f"    default_backend {tenant.name}\n"
            f"backend {tenant.name}\n"
            f"    server origin {tenant.origin} namespace {tenant.name}\n"
        )
    binds = "".join(f"    bind :{TENANT_PORT} namespace {tenant.name}\n" for tenant in tenants)
    parts.append(
        "# A listener inside every tenant. The PROXY header carries the tenant's name to the core.\n"
        f"frontend tenants\n{binds}    default_backend core\n"
        "backend core\n"
        f"    server core 127.0.0.1:{ports.core} send-proxy-v2\n"
    )
    return "\n".join(parts)


def core_configuration(tenants: Sequence[Tenant], ports: Ports) -> str:
    """Write the configuration of the proxy behind the edge: it goes back into the client's tenant."""
    names = "".join(f"    namespace {tenant.name}\n" for tenant in tenants)
    return (
        "# The second proxy: believes the PROXY header's namespace, if it is listed.\n"
        f"{_DEFAULTS}\n"
        f"namespace_list\n{names}\n"
        "frontend edge\n"
        f"    bind 127.0.0.1:{ports.core}\n"
        "    # As `accept-proxy`, but from the edge's address alone.\n"
        "    tcp-request connection expect-proxy layer4 if { src 127.0.0.1 }\n"
        "    default_backend origin\n"
        "# `*`: the address that the client wanted; `namespace *`: in the client's own namespace.\n"
        "backend origin\n"
        f"    server origin *:{ORIGIN_PORT} namespace *\n"
    )
