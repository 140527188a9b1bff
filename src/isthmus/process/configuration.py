"""From the files of a start to what the engine runs; the command line wins over the files.

Used at start, by `-c`, and for every later configuration. Touches nothing but the files it reads.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from isthmus import product
from isthmus.config import Diagnostics, Features, Severity, Tree, read, startup_variables
from isthmus.records import dataclass, replace

if TYPE_CHECKING:
    from isthmus.keywords import System
    from isthmus.keywords.vocabulary import Vocabulary
    from isthmus.model.configuration import Configuration, Global
    from isthmus.model.proxy import Proxy
    from isthmus.plan.built import Built
    from isthmus.process.launch import Launch


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files came to. `built` is None where an error keeps it from being used.

    `environment` is the one that the files left behind.
    """

    files: tuple[str, ...]
    built: Built | None
    listens: bool
    environment: Mapping[str, str]
    diagnostics: Diagnostics

    @property
    def warned(self) -> bool:
        """Whether a warning was found."""
        return any(each.severity is Severity.WARNING for each in self.diagnostics)


def features(*, splice: bool = True) -> Features:
    """Return what `.if` and `-cc` may ask about this program."""
    present = frozenset(name for name, here in product.FEATURES.items() if here)
    enabled = product.ENABLED if splice else product.ENABLED - {"SPLICE"}
    return Features(product.LANGUAGE_VERSION, present, enabled)


def variables(local_peer: str | None, *, master_worker: bool = False) -> dict[str, str]:
    """Return the environment that configuration files see before their first line."""
    own = startup_variables(
        version=product.FULL_VERSION,
        branch=product.BRANCH,
        local_peer=local_peer or socket.gethostname(),
        master_worker=master_worker,
    )
    return {**os.environ, **own}


def load(launch: Launch, vocabulary: Vocabulary, world: System | None = None) -> Loaded:
    """Read the files of a start and build what the engine runs. Every error is in `diagnostics`.

    `world` is what the files are checked against, by default this machine as it is.
    """
    from isthmus import keywords
    from isthmus.engine import check_list, check_tls
    from isthmus.plan.building import build, unknown_names
    from isthmus.process.certificates import check_authorities, check_certificates
    from isthmus.process.lists import read_lists

    tree = read(
        launch.files,
        environment=variables(launch.local_peer, master_worker=launch.master_worker),
        features=features(splice=not launch.no_splice),
        sections=keywords.SECTIONS,
    )
    world = world or keywords.System()
    said, diagnostics = keywords.load(tree, vocabulary, world)
    built: Built | None = None
    if diagnostics.failed:
        for message in unknown_names(said, world):
            diagnostics.add(message)
    else:
        built = build(with_command_line(said, launch), world, diagnostics)
        refuse_bytes(tree, built)
        built = read_lists(built, world, check_list)
        check_certificates(built, check_tls)
        check_authorities(built)
    listens = said.listens and not diagnostics.failed
    return Loaded(tree.files, None if diagnostics.failed else built, listens, tree.environment, diagnostics)


def refuse_bytes(tree: Tree, built: Built) -> None:
    """Collect an error at the first word that has to be UTF-8 and is not, so that no plan can hold it."""
    import msgspec

    from isthmus.keywords.codes import BAD_VALUE

    lines = (line for section in tree.sections for line in (section.header, *section.lines))
    words = [word for line in lines for word in line.words if not word.text.isascii()]
    if not words:
        return
    try:
        msgspec.json.encode(built.engine)
    except UnicodeEncodeError as error:
        for text in (error.object, error.object[error.start : error.end]):
            for word in words:
                if text in word.text:
                    message = f"`{word.text}` holds bytes that are no UTF-8"
                    tree.diagnostics.alert(BAD_VALUE, message, word.span, expected="text in UTF-8")
                    return
        raise


def with_command_line(said: Configuration, launch: Launch) -> Configuration:
    """Return the configuration as the command line has it."""
    proxies = tuple(_proxy(proxy, launch) for proxy in said.proxies)
    return replace(said, global_=_global(said.global_, launch), proxies=proxies)


def _global(said: Global, launch: Launch) -> Global:
    return replace(
        said,
        daemon=(said.daemon or launch.daemon) and not launch.foreground,
        master_worker=(said.master_worker or launch.master_worker) and not launch.foreground,
        quiet=(said.quiet or launch.quiet) and not launch.verbose,
        zero_warning=said.zero_warning or launch.zero_warning,
        maxconn=launch.maxconn or said.maxconn,
        pidfile=launch.pidfile or said.pidfile,
        localpeer=launch.local_peer or said.localpeer,
        splice=said.splice and not launch.no_splice,
    )


def _proxy(proxy: Proxy, launch: Launch) -> Proxy:
    if launch.proxy_maxconn and proxy.settings.maxconn is None:
        proxy = replace(proxy, settings=replace(proxy.settings, maxconn=launch.proxy_maxconn))
    if launch.ignore_unresolved:
        from isthmus.model.server import InitAddress

        servers = tuple(
            replace(
                server,
                settings=replace(server.settings, init_addr=(*server.settings.init_addr, InitAddress.NONE)),
            )
            for server in proxy.servers
        )
        proxy = replace(proxy, servers=servers)
    return proxy
