"""The `proxy:` block: Isthmus itself as one more service, and its configuration checked beforehand."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from isthmus.network.model import Network, Proxy, Restart
from isthmus.network.services.definition import Definition, ReadinessDefinition, space_of
from isthmus.network.services.interpreter import MODULE, python_variables
from isthmus.network.spaces import OUTSIDE_PATH, locate

if TYPE_CHECKING:
    from isthmus.keywords import System

NAME = "proxy"


def proxy_definition(network: Network, proxy: Proxy) -> Definition:
    """Return the proxy as a service: another one whenever its files' text is another."""
    space = space_of(network, proxy.namespace)
    files = [word for path in proxy.files for word in ("-f", str(path.absolute()))]
    return Definition(
        name=NAME,
        namespace=proxy.namespace,
        command=(*MODULE, "isthmus.cli", *files, "-db"),
        net=None if space.net == OUTSIDE_PATH else str(space.net),
        uts=str(space.uts) if space.uts is not None else None,
        readiness=ReadinessDefinition(notify=True),
        restart=Restart.ON_FAILURE,
        # The same Isthmus as ours, also where it runs from its sources.
        environment=tuple(sorted(python_variables().items())),
        folder=str(proxy.files[0].absolute().parent) if proxy.files else None,
        content=_digest(proxy.files),
    )


def check_proxy(network: Network) -> str | None:
    """Check the proxy's configuration without starting it; return the diagnostics where it has errors.

    Namespaces that the network will make count as present.
    """
    if network.proxy is None:
        return None
    # Loading the engine takes time that a network without a proxy need not spend.
    from isthmus.engine import vocabulary
    from isthmus.keywords.vocabulary import Vocabulary
    from isthmus.process.configuration import load
    from isthmus.process.launch import Launch

    files = tuple(str(path) for path in network.proxy.files)
    loaded = load(Launch(files), Vocabulary.read(vocabulary()), _promised(network))
    if loaded.built is not None and loaded.listens:
        return None
    return loaded.diagnostics.render() or "the proxy's configuration has no listener: nothing would run\n"


def _promised(network: Network) -> System:
    """Return the world as it will be once the network stands."""
    from isthmus.keywords import System

    made = {str(locate(each, network.name).net) for each in network.namespaces if not each.attach}

    class Promised(System):
        def namespace_fault(self, path: str) -> str | None:
            return None if path in made else super().namespace_fault(path)

    return Promised()


def _digest(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in files:
        for each in sorted(path.iterdir()) if path.is_dir() else [path]:
            digest.update(str(each).encode() + b"\0")
            # A file that cannot be read is told by `check_proxy` and by the proxy itself.
            with suppress(OSError):
                digest.update(each.read_bytes())
    return digest.hexdigest()[:16]
