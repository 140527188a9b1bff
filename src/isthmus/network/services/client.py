"""The network builder's side: asks the supervisor of a network, and starts it where there is none."""

from __future__ import annotations

import os
import select
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from isthmus.network.model import Network
from isthmus.network.objects import ServiceObject
from isthmus.network.services.definition import Definition
from isthmus.network.services.environment import PATH
from isthmus.network.services.errors import ServiceError
from isthmus.network.services.interpreter import MODULE, python_variables
from isthmus.network.services.leftovers import kill_leftovers
from isthmus.network.services.listening import connect
from isthmus.network.services.logs import last_lines
from isthmus.network.services.paths import socket_path, supervisor_log_path
from isthmus.network.services.protocol import (
    Answer,
    Apply,
    Done,
    Failed,
    Progress,
    Request,
    Running,
    Services,
    Status,
    Stop,
    answer_decoder,
    line,
)
from isthmus.network.services.wanted import definitions, place

OnProgress = Callable[[str], None]

_LONGEST_GOODBYE = 5.0


def read_services(network_name: str) -> list[ServiceObject]:
    """Return the services that run for a network, in starting order; none where no supervisor runs."""
    return [
        ServiceObject(each.definition.name, each.definition.namespace, each.fingerprint, each.state)
        for each in _status(network_name)
    ]


def read_definitions(network_name: str) -> tuple[Definition, ...]:
    """Return what `apply_definitions` takes to make the services again as they are now."""
    return tuple(each.definition for each in _status(network_name))


def apply_services(network: Network, on_progress: OnProgress) -> None:
    """Have exactly the services of a network run; returns when they are ready.

    Raises ServiceError, and then those run that ran before, as they did.
    """
    try:
        apply_definitions(network.name, definitions(network), on_progress)
    except ServiceError as error:
        raise _placed(error, network) from None


def apply_definitions(network_name: str, wanted: Sequence[Definition], on_progress: OnProgress) -> None:
    """Do what `apply_services` does for services that were read before (to put them back)."""
    connection = _connect(network_name)
    if connection is None:
        if not wanted:
            return
        connection = _start(network_name)
    try:
        with connection:
            _ask(network_name, connection, Apply(tuple(wanted)), on_progress)
    except ServiceError:
        # With nothing to keep it ends by itself, perhaps before it reads that nothing is wanted.
        if wanted or _connect(network_name) is not None:
            raise


def end_supervisor(network_name: str, on_progress: OnProgress) -> None:
    """Stop all services in order, and their supervisor, where there is one.

    Raises ServiceError where a hook failed.
    """
    connection = _connect(network_name)
    if connection is not None:
        with connection, _end_of(connection):
            _ask(network_name, connection, Stop(), on_progress)


def _status(network: str) -> tuple[Running, ...]:
    connection = _connect(network)
    if connection is None:
        return ()
    with connection:
        for answer in _answers(connection, Status()):
            match answer:
                case Services(services):
                    return services
                case Failed():
                    raise _error(answer)
                case _:
                    pass
    # It ended while it was asked: then nothing runs.
    return ()


def _ask(network: str, connection: socket.socket, request: Request, on_progress: OnProgress) -> None:
    """Ask for a change and wait for its end, and for the supervisor's where it ends with it."""
    outcome: Answer | None = None
    for answer in _answers(connection, request):
        if isinstance(answer, Progress):
            on_progress(answer.text)
        else:
            outcome = answer
    match outcome:
        case Done():
            return
        case Failed():
            raise _error(outcome)
        case _:
            raise _crashed(network)


def _answers(connection: socket.socket, request: Request) -> Iterator[Answer]:
    with suppress(ConnectionError), connection.makefile("rb") as lines:
        connection.sendall(line(request))
        yield from _decoded(lines)


def _decoded(lines: BinaryIO) -> Iterator[Answer]:
    for said in lines:
        yield answer_decoder.decode(said)


@contextmanager
def _end_of(connection: socket.socket) -> Iterator[None]:
    """Wait behind the block until the supervisor's process is gone."""
    pid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        descriptor = -1
    try:
        yield
    finally:
        if descriptor >= 0:
            select.select([descriptor], [], [], _LONGEST_GOODBYE)
            os.close(descriptor)


def _connect(network: str) -> socket.socket | None:
    path = socket_path(network)
    try:
        return connect(path)
    except OSError as error:
        raise ServiceError(
            f"cannot ask the services' supervisor at {path}: {error.strerror}",
            hint="run it as the user who applied the network",
        ) from None


def _start(network: str) -> socket.socket:
    """Start the supervisor of a network and connect to it."""
    # What a supervisor that was killed left behind still holds its ports.
    kill_leftovers(network)
    command = [*MODULE, "isthmus.network.services", network]
    done = subprocess.run(
        command,
        env=_environment(),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    connection = _connect(network) if done.returncode == 0 else None
    if connection is None:
        said = done.stderr.strip().splitlines()
        raise ServiceError(
            "cannot start the supervisor of the services",
            log=said[-12:],
            hint="services need write access to /run/isthmus: root, or `isthmus net apply --rootless`",
        )
    return connection


def _environment() -> dict[str, str]:
    """Return what the supervisor needs to be the same program, and nothing else of ours."""
    return {"PATH": PATH, "HOME": os.environ.get("HOME", "/"), **python_variables()}


def _error(failed: Failed) -> ServiceError:
    return ServiceError(failed.what, service=failed.service, log=failed.log, hint=failed.hint)


def _placed(error: ServiceError, network: Network) -> ServiceError:
    """Say where in the file the service stands."""
    where = place(network, error.service)
    if not where:
        return error
    return ServiceError(f"{where}: {error.what}", service=error.service, log=error.log, hint=error.hint)


def _crashed(network: str) -> ServiceError:
    path = supervisor_log_path(network)
    with suppress(OSError):
        return ServiceError(
            "the supervisor of the services ended unexpectedly, and all services with it",
            log=last_lines(path.read_bytes()),
            hint="`isthmus net apply` starts them again",
        )
    return ServiceError("the supervisor of the services ended unexpectedly, and all services with it")
