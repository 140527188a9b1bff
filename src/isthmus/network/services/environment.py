"""What a service, its hooks and its readiness command find in their environment. Pure."""

from __future__ import annotations

from isthmus.network.services.definition import Definition

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment(definition: Definition, network: str, home: str) -> dict[str, str]:
    """Return a clean environment: nothing of the shell that applied the network gets into it."""
    return {
        "PATH": PATH,
        "HOME": home,
        **dict(definition.environment),
        # Behind what the file says: leftovers are found by these.
        "ISTHMUS_NETWORK": network,
        "ISTHMUS_SERVICE": definition.name,
        "ISTHMUS_NAMESPACE": definition.namespace,
    }
