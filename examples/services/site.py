"""Three services: one that greets, one that takes an upload as it comes, one that tells the time for ever."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator

from isthmus.services import AsyncRequest, Request, Response, service


@service("hello")
def hello(request: Request) -> Response:
    """Greet who asks, by address and by namespace."""
    tenant = request.src_netns or "nowhere in particular"
    name = request.query.get("name", str(request.source))
    return Response(body=f"hello {name}, from {tenant}\n")


@service("digest")
def digest(request: Request) -> Response:
    """Say what the SHA-256 of an upload is. However long it is, a piece of it stands in memory at a time."""
    if request.method not in ("POST", "PUT"):
        return Response(405, {"allow": "POST, PUT"}, "send something\n")
    found = hashlib.sha256()
    for piece in request.body:
        found.update(piece)
    return Response(body=found.hexdigest() + "\n")


@service("clock")
async def clock(_request: AsyncRequest) -> Response:
    """Send an event each second, until the client goes."""

    async def events() -> AsyncIterator[bytes]:
        while True:
            yield f"data: {time.strftime('%H:%M:%S')}\n\n".encode()
            await asyncio.sleep(1)

    return Response(fields={"content-type": "text/event-stream"}, body=events())
