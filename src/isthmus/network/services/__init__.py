"""The services of a network: commands in namespaces, kept by one supervisor process per network.

    apply_services ──definitions, socket──▶ Supervisor ──▶ transaction ──▶ Keeper ──▶ Launcher ──▶ fork
                                                                        └ Machine (what to do next)

The supervisor is started with the first service and ends with the last. It is found by its socket and
holds what runs in memory: nothing is read back from a file. Where it is killed, its services die.
"""

from isthmus.network.services.client import (
    apply_definitions,
    apply_services,
    read_definitions,
    read_services,
    stop_services,
)
from isthmus.network.services.definition import Definition, define, fingerprint
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.leftovers import kill_leftovers, leftovers
from isthmus.network.services.paths import log_path
from isthmus.network.services.proxy import check_proxy
from isthmus.network.services.wanted import definitions, wanted_services

__all__ = [
    "Definition",
    "ServiceError",
    "apply_definitions",
    "apply_services",
    "check_proxy",
    "define",
    "definitions",
    "fingerprint",
    "kill_leftovers",
    "leftovers",
    "log_path",
    "read_definitions",
    "read_services",
    "stop_services",
    "wanted_services",
]
