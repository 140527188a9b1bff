"""Where the holder of a lasting lab is met: the addresses of its sockets, and who is at their other end.

An abstract socket belongs to a network namespace and is gone with its process: unlike a file, it
cannot tell of a holder that has ended. Whether the one who answers is the right one, the kernel
tells (SO_PEERCRED, unix(7)).
"""

import socket
import struct

from isthmus.network.spaces import OWN_FOLDER

INSIDE = str(OWN_FOLDER / "lab")
"""The holder's socket for those who are in the lab already, in whatever network namespace of it."""

QUESTION = b"?"
ANSWER = b"!"

_CREDENTIALS = struct.Struct("3i")


def outside(user: int) -> str:
    """Return the address of the user's holder, for those in the network namespace it was started in."""
    return f"\0isthmus-lab-{user}"


def peer(connection: socket.socket) -> tuple[int, int]:
    """Return process and user at the other end, as numbered in the caller's own namespaces."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, _ = _CREDENTIALS.unpack(packed)
    return process, user
