"""The servers of all tenants in one process: each listens in a namespace of its own. Argument: how many.

A thread enters a namespace, and a socket belongs for good to the one in which it was made.
"""

import ctypes
import socket
import socketserver
import sys
import threading

CLONE_NEWNET = 0x40000000
ADDRESS = ("10.0.0.10", 80)
_libc = ctypes.CDLL(None, use_errno=True)


class Answer(socketserver.StreamRequestHandler):
    """Says whose server it is, as a web page."""

    timeout = 10

    def handle(self) -> None:
        """Read one request and answer it."""
        while self.rfile.readline().strip():
            pass
        body = f"tenant {self.server.number}\n".encode()
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Origin(socketserver.ThreadingTCPServer):
    """One tenant's server."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, number: int) -> None:
        """Listen in the namespace of a tenant's server; the calling thread stays there."""
        self.number = number
        with open(f"/run/netns/o{number}") as namespace:
            if _libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter the namespace o{number}")
        super().__init__(ADDRESS, Answer)


def serve(number: int) -> None:
    """Serve one tenant for good."""
    with Origin(number) as origin:
        ready.release()
        origin.serve_forever(poll_interval=3600)


ready = threading.Semaphore(0)
count = int(sys.argv[1])
for each in range(1, count + 1):
    threading.Thread(target=serve, args=(each,)).start()
for _ in range(count):
    ready.acquire()
# This port accepts when every server does.
with socket.create_server(("127.0.0.1", 20000)) as done:
    while True:
        done.accept()[0].close()
