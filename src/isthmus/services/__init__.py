"""What a service is written with: a function that answers HTTP requests (`http-request use-service`).

    from isthmus.services import Request, Response, service

    @service("hello")
    def hello(request: Request) -> Response:
        return Response(body=f"hello, {request.source}")

A file of services is named by `python-load` in section `global`; docs/services.md tells the rest.
"""

from __future__ import annotations

from isthmus.services.body import AsyncBody, Body
from isthmus.services.fields import Fields
from isthmus.services.problem import ClientGoneError
from isthmus.services.registry import service
from isthmus.services.request import Address, AsyncRequest, Request
from isthmus.services.response import Response

__all__ = [
    "Address",
    "AsyncBody",
    "AsyncRequest",
    "Body",
    "ClientGoneError",
    "Fields",
    "Request",
    "Response",
    "service",
]
