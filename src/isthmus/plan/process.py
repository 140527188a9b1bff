"""What stays with the control plane: the process itself and the runtime API's sockets."""

from __future__ import annotations

from isthmus.model.bind import Bind
from isthmus.model.configuration import Global
from isthmus.plan.built import CommandSocket, Process, Runtime
from isthmus.plan.names import origin


def process(settings: Global) -> Process:
    """Return what the process does with itself."""
    return Process(
        daemon=settings.daemon,
        master_worker=settings.master_worker,
        quiet=settings.quiet,
        zero_warning=settings.zero_warning,
        pidfile=settings.pidfile,
        chroot=settings.chroot,
        uid=settings.uid,
        gid=settings.gid,
        user=settings.user,
        setcap=settings.setcap,
        ulimit_n=settings.ulimit_n,
        grace=settings.grace,
        hard_stop_after=settings.hard_stop_after,
        thread_limit=settings.thread_limit,
        nice=settings.nice,
        cpu_set=settings.cpu_set,
        cpu_map=settings.cpu_map,
    )


def runtime(settings: Global, host_name: str) -> Runtime:
    """Return the runtime API's sockets and names."""
    return Runtime(
        sockets=tuple(_socket(bind) for bind in settings.stats_sockets),
        maxconn=settings.stats_maxconn,
        timeout=settings.stats_timeout,
        node=settings.node or host_name,
        description=settings.description or "",
        localpeer=settings.localpeer or host_name,
        payload=settings.payload,
    )


def _socket(bind: Bind) -> CommandSocket:
    said = bind.settings
    return CommandSocket(
        address=bind.address,
        namespace=said.namespace,
        level=said.level,
        mode=said.mode,
        uid=said.uid,
        gid=said.gid,
        backlog=said.backlog,
        maxconn=said.maxconn,
        origin=origin(bind.span),
    )
