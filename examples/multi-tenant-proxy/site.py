"""A web server that says who it is and who asks. Arguments: ADDRESS PORT TEXT."""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    """Every page is the same sentence."""

    def do_GET(self) -> None:
        """Answer any path."""
        body = f"{sys.argv[3]} was asked by {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Answer).serve_forever()
