"""A service that says who it is and who asks. Arguments: ADDRESS PORT NAME."""

import socketserver
import sys


class Answer(socketserver.BaseRequestHandler):
    """One line to everybody, and the end."""

    def handle(self) -> None:
        """Answer without waiting for a question."""
        self.request.sendall(f"{sys.argv[3]} was asked by {self.client_address[0]}\n".encode())


with socketserver.ThreadingTCPServer((sys.argv[1], int(sys.argv[2])), Answer) as server:
    server.serve_forever()
