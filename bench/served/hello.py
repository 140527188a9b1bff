"""The smallest services there are, one for a thread and one for the event loop: what they cost is the way."""

from isthmus.services import AsyncRequest, Request, Response, service

FIELDS = {"content-type": "text/plain"}


@service("hello")
def hello(_request: Request) -> Response:
    """Answer on a thread."""
    return Response(fields=FIELDS, body="hello\n")


@service("hello-async")
async def hello_async(_request: AsyncRequest) -> Response:
    """Answer on the event loop."""
    return Response(fields=FIELDS, body="hello\n")
