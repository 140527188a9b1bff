"""What the builder asks of a network's services, for the price of a look where there are none.

Most networks have no services. `client`, with what it needs to speak to a supervisor, is loaded only for
one that has: a fifth of the time that a small network takes to be made would go into that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from isthmus.network.model import Network
from isthmus.network.objects import ServiceObject
from isthmus.network.services.initialized import forget_initialized
from isthmus.network.services.leftovers import kill_leftovers
from isthmus.network.services.paths import log_folder, remove_tree, socket_path

if TYPE_CHECKING:
    from isthmus.network.services.definition import Definition

OnProgress = Callable[[str], None]


def _is_supervised(network_name: str) -> bool:
    """Say whether there is, or was, a supervisor; connecting to it tells which."""
    return os.path.lexists(socket_path(network_name))


def wanted_services(network: Network) -> list[ServiceObject]:
    """Return the services as `read_services` shows them when all is well."""
    if not network.services and network.proxy is None:
        return []
    from isthmus.network.services import wanted

    return wanted.wanted_services(network)


def check_proxy(network: Network) -> str | None:
    """Check the proxy's configuration without starting it; return the diagnostics where it has errors."""
    if network.proxy is None:
        return None
    from isthmus.network.services import proxy

    return proxy.check_proxy(network)


def read_services(network_name: str) -> list[ServiceObject]:
    """Return the services that run for a network, in starting order; none where no supervisor runs."""
    if not _is_supervised(network_name):
        return []
    from isthmus.network.services import client

    return client.read_services(network_name)


def read_definitions(network_name: str) -> tuple[Definition, ...]:
    """Return what `apply_definitions` takes to make the services again as they are now."""
    if not _is_supervised(network_name):
        return ()
    from isthmus.network.services import client

    return client.read_definitions(network_name)


def apply_services(network: Network, on_progress: OnProgress) -> None:
    """Have exactly the services of a network run; returns when they are ready.

    Raises ServiceError, and then those run that ran before, as they did.
    """
    if network.services or network.proxy is not None or _is_supervised(network.name):
        from isthmus.network.services import client

        client.apply_services(network, on_progress)


def apply_definitions(network_name: str, wanted: Sequence[Definition], on_progress: OnProgress) -> None:
    """Do what `apply_services` does for services that were read before (to put them back)."""
    if wanted or _is_supervised(network_name):
        from isthmus.network.services import client

        client.apply_definitions(network_name, wanted, on_progress)


def stop_services(network_name: str, on_progress: OnProgress) -> None:
    """Stop all services in order, and their supervisor; what a crashed one left behind is killed.

    Raises ServiceError where a hook failed; nothing runs any more then either.
    """
    try:
        if _is_supervised(network_name):
            from isthmus.network.services import client

            client.end_supervisor(network_name, on_progress)
    finally:
        killed = kill_leftovers(network_name)
        if killed:
            on_progress(f"killed {killed} process{'es' if killed > 1 else ''} that a crash left behind")
        socket_path(network_name).unlink(missing_ok=True)
        forget_initialized(network_name)
    # Kept where something failed: they say why, and the next stop removes them.
    remove_tree(log_folder(network_name))
