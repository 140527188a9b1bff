"""Every command of the runtime API. Importing this package registers them."""

from isthmus.runtime.commands import (
    caches,
    conversation,
    dynamic_servers,
    frontends,
    health,
    info,
    limits,
    lists,
    namespaces,
    process,
    servers,
    sessions,
    stat,
    tables,
    weights,
)

__all__ = [
    "caches",
    "conversation",
    "dynamic_servers",
    "frontends",
    "health",
    "info",
    "limits",
    "lists",
    "namespaces",
    "process",
    "servers",
    "sessions",
    "stat",
    "tables",
    "weights",
]
