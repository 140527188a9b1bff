"""The services that a network asks for: those of `services:`, and its proxy."""

from __future__ import annotations

from isthmus.network.model import Network
from isthmus.network.objects import ServiceObject
from isthmus.network.services.definition import Definition, define, space_of
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.order import in_order
from isthmus.network.services.proxy import NAME, proxy_definition


def definitions(network: Network) -> tuple[Definition, ...]:
    """Return the services in starting order; ServiceError for needs that cannot be met."""
    found = [define(service, space_of(network, service.namespace)) for service in network.services]
    if network.proxy is not None:
        if any(each.name == NAME for each in found):
            raise ServiceError(
                f"{place(network, NAME)}: service {NAME}: the name belongs to the `proxy:` block",
                service=NAME,
                hint="give the service another name",
            )
        found.append(proxy_definition(network, network.proxy))
    return in_order(found)


def wanted_services(network: Network) -> list[ServiceObject]:
    """Return the services as `read_services` shows them when all is well."""
    return [ServiceObject(each.name, each.namespace, each.fingerprint) for each in definitions(network)]


def place(network: Network, service: str) -> str:
    """Return where in the file a service stands, as `file:line`, empty where that is not known."""
    spans = {each.name: each.span for each in network.services}
    if service == NAME and service not in spans and network.proxy is not None:
        spans[NAME] = network.proxy.span
    span = spans.get(service)
    return f"{span.file}:{span.line}" if span is not None else ""
