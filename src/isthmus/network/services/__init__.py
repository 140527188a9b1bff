"""The services of a network: commands in namespaces, kept by one supervisor process per network.

    apply_services ──definitions, socket──▶ Supervisor ──▶ transaction ──▶ Keeper ──▶ Launcher ──▶ fork
                                                                        └ Machine (what to do next)

The supervisor is started with the first service and ends with the last. It is found by its socket and
holds what runs in memory: nothing is read back from a file. Where it is killed, its services die.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from isthmus.network.services.asking import (
    apply_definitions,
    apply_services,
    check_proxy,
    read_definitions,
    read_services,
    stop_services,
    wanted_services,
)
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.leftovers import kill_leftovers, leftovers
from isthmus.network.services.paths import log_path

if TYPE_CHECKING:
    from isthmus.network.services.definition import Definition, define, fingerprint
    from isthmus.network.services.wanted import definitions

_LOADED_WHEN_ASKED = {
    "Definition": "definition",
    "define": "definition",
    "fingerprint": "definition",
    "definitions": "wanted",
}


def __getattr__(name: str) -> object:
    """Load what only networks with services need."""
    if name not in _LOADED_WHEN_ASKED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LOADED_WHEN_ASKED[name]}"), name)


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
