"""What can go wrong between a service and its client."""

from __future__ import annotations


class ClientGoneError(Exception):
    """Nobody waits for the answer any more: the client has gone, or a timeout has struck.

    It is raised where a service reads or writes. One that lets it pass has done nothing wrong, and nothing is
    logged.
    """
