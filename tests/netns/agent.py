"""The process that holds a test's networks; a script on its own, started by ground.py.

It enters a mount namespace with an empty /run (and a user namespace, for an ordinary user), so that
/run/netns holds the test's names and no others. All of it goes with its last process, however that ends.

It speaks over the SEQPACKET socket whose descriptor is its first argument: one JSON list [verb, ...] for
each request, one JSON answer, and with it a descriptor where a socket was asked for. Each request that
enters a namespace has a thread of its own, because a thread of a user namespace can never go back.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from pathlib import Path

CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MNT_DETACH = 2
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
FOLDER = Path("/run/netns")

libc = ctypes.CDLL(None, use_errno=True)


def called(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def enter(name: str) -> None:
    if name:
        file = os.open(FOLDER / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            called(libc.setns(file, CLONE_NEWNET))
        finally:
            os.close(file)


def raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack_from("16sH", answer)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def add(name: str) -> None:
    """A new namespace with its loopback up, at the name."""
    called(libc.unshare(CLONE_NEWNET))
    raise_loopback()
    path = FOLDER / name
    path.touch()
    called(libc.mount(b"/proc/thread-self/ns/net", os.fsencode(path), b"none", ctypes.c_ulong(MS_BIND), None))


def delete(name: str) -> None:
    called(libc.umount2(os.fsencode(FOLDER / name), MNT_DETACH))
    (FOLDER / name).unlink()


def open_socket(name: str, family: int, kind: int) -> socket.socket:
    enter(name)
    return socket.socket(family, kind)


def serve_one(link: socket.socket, request: list) -> None:
    verb, *rest = request
    handed: list[int] = []
    answer: dict = {}
    try:
        if verb == "add":
            for name in rest:
                worker(add, name)
        elif verb == "delete":
            for name in rest:
                delete(name)
        elif verb == "socket":
            made = worker(open_socket, *rest)
            handed = [made.detach()]
        else:
            raise ValueError(verb)
    except OSError as error:
        answer = {"errno": error.errno, "text": f"{request}: {error.strerror}"}
    if handed:
        socket.send_fds(link, [json.dumps(answer).encode()], handed)
        os.close(handed[0])
    else:
        link.send(json.dumps(answer).encode())


def worker(work, *arguments):
    """What work() gives, done by a thread that ends with it; its errors are raised here."""
    outcome: list = []

    def run() -> None:
        try:
            outcome.append(work(*arguments))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def sweep() -> None:
    """Ends what still runs here: a test that was killed in the middle stopped nothing itself."""
    own = os.readlink("/proc/self/ns/mnt")
    # Twice, for what was about to enter.
    for pause in (0.0, 0.05):
        time.sleep(pause)
        for process in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if int(process) != os.getpid() and os.readlink(f"/proc/{process}/ns/mnt") == own:
                    os.kill(int(process), signal.SIGKILL)


def main() -> None:
    link = socket.socket(fileno=int(sys.argv[1]))
    called(libc.mount(b"tmpfs", b"/run", b"tmpfs", ctypes.c_ulong(0), b"mode=755"))
    FOLDER.mkdir()
    if sys.argv[2] == "own":
        raise_loopback()
    link.send(b"{}")
    # The test's end is closed, or with an answer unread reset.
    with contextlib.suppress(ConnectionError):
        while request := link.recv(1 << 20):
            serve_one(link, json.loads(request))
    sweep()


main()
