"""The order of a start: limits, background, engine, sockets, pidfile, privileges, then the control loop.

Whatever fails before the control loop ends the process with status 1; the kernel takes back what was
opened, and the sockets in the file system that were made are removed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from msgspec.structs import replace

from isthmus import records
from isthmus.engine import Engine
from isthmus.plan.built import Built
from isthmus.process import limits, namespaces, pidfile, privileges, processors, systemd
from isthmus.process.configuration import Loaded
from isthmus.process.console import Console
from isthmus.process.daemon import Background, detach
from isthmus.process.errors import StartError
from isthmus.process.failures import messages, refusals
from isthmus.process.launch import Farewell, Launch
from isthmus.process.namespaces import NamespaceSockets
from isthmus.process.supervisor import CONTROL_SIGNALS, Supervisor
from isthmus.runtime.sockets import Opened, open_socket


def start(launch: Launch, loaded: Loaded, built: Built, console: Console) -> int:
    """Run a configuration until a signal ends it; return the exit status."""
    background: Background | None = None
    # What is asked for while the start goes on waits until the control loop can do it.
    signal.pthread_sigmask(signal.SIG_BLOCK, CONTROL_SIGNALS)
    try:
        built = namespaces.complete(_limited(launch, built))
        if built.process.daemon:
            outcome = detach()
            if isinstance(outcome, int):
                return outcome
            background = outcome
        supervisor = _open(loaded, built, console)
    except StartError as error:
        for message in error.messages:
            console.alert(message)
        return 1
    try:
        _settle(launch, built, background)
    except StartError as error:
        supervisor.abandon()
        for message in error.messages:
            console.alert(message)
        return 1
    status = asyncio.run(supervisor.run())
    if status > 128:
        # As HAProxy, a hard stop ends by the signal itself: a shell sees 143, a parent sees SIGTERM.
        signal.signal(status - 128, signal.SIG_DFL)
        os.kill(os.getpid(), status - 128)
    return status


def _limited(launch: Launch, built: Built) -> Built:
    """Set the limits that the rest of the start must fit into; return what fits into them.

    Where nobody said `maxconn`, it is what the descriptors are enough for.
    """
    if launch.memory_limit:
        limits.limit_memory(launch.memory_limit)
    listeners = sum(len(frontend.binds) for frontend in built.engine.frontends)
    maxconn = built.engine.global_.maxconn
    checks = len(built.health.checks)
    needed = limits.needed_files(maxconn, listeners, checks) if maxconn else 0
    files = limits.raise_files(built.process.ulimit_n, needed)
    fitting = maxconn or limits.fitting_maxconn(files, listeners, checks)
    process = replace(built.engine.global_, maxconn=fitting, files=files)
    return records.replace(built, engine=replace(built.engine, global_=process))


def _open(loaded: Loaded, built: Built, console: Console) -> Supervisor:
    """Start the engine and open every socket; raises StartError."""
    try:
        processors.choose(built.process.cpu_set)
        _renice(built.process.nice, console)
        workers = _workers(built)
        engine = Engine.start(workers)
        for message in processors.pin(built.process.cpu_map, workers):
            console.warning(message)
        report = engine.apply(built.engine, built.texts)
    except OSError as error:
        raise StartError(f"cannot start the engine: {error}") from None
    except ValueError as error:
        raise StartError(f"the engine refused the plan: {error}") from None
    if report.errors:
        if refused := refusals(built):
            raise StartError(*refused, "The engine cannot run this configuration. Nothing was started.")
        raise StartError(
            *messages(report, built.engine), "Some listeners could not be opened. Nothing was started."
        )
    sockets = NamespaceSockets(engine, built)
    opened = _open_command_sockets(engine, built, sockets)
    return Supervisor(engine, built, opened, sockets, loaded.environment, console)


def _workers(built: Built) -> int:
    """Return how many workers there are: one for each usable processor unless another number was said."""
    workers = built.engine.global_.nbthread or len(os.sched_getaffinity(0))
    return min(workers, built.process.thread_limit or workers)


def _renice(priority: int | None, console: Console) -> None:
    """Give threads begun from now on the priority of `tune.renice.runtime`; where that fails, warn."""
    if priority is None:
        return
    try:
        os.setpriority(os.PRIO_PROCESS, 0, priority)
    except OSError as error:
        console.warning(f"tune.renice.runtime : cannot set the priority to {priority}: {error.strerror}")


def _open_command_sockets(engine: Engine, built: Built, sockets: NamespaceSockets) -> list[Opened]:
    """Open the runtime API's sockets, all or none; raises StartError."""
    opened: list[Opened] = []
    for said in built.runtime.sockets:
        try:
            opened.append(open_socket(said, sockets.make))
        except OSError as error:
            for each in opened:
                each.close()
            engine.stop(graceful=False)
            raise StartError(f"[{said.origin}] : cannot open the stats socket: {error}") from None
    return opened


def _settle(launch: Launch, built: Built, background: Background | None) -> None:
    """Write the pidfile, give up privileges, and tell everybody who waits that the start worked."""
    # As HAProxy: who started a process of the foreground knows its number.
    if built.process.pidfile and (built.process.daemon or built.process.master_worker):
        pidfile.write(built.process.pidfile)
    privileges.drop(built.process)
    if background is not None:
        background.ready()
    if launch.farewell is not None:
        _send_farewell(launch.older, launch.farewell)
    systemd.notify(f"READY=1\nMAINPID={os.getpid()}\nSTATUS=Ready.")


def _send_farewell(older: tuple[int, ...], farewell: Farewell) -> None:
    number = signal.SIGUSR1 if farewell is Farewell.FINISH else signal.SIGTERM
    for process in older:
        # One that is gone already, or was another user's all along, is none of ours to end.
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)
