"""One request to an OCSP responder over HTTP (RFC 6960 appendix A). Waits for the network."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

from isthmus.ocsp.responses import ResponseError

_TIMEOUT = 10
"""Seconds for each step of the exchange."""
_LARGEST = 64 * 1024
"""Bytes of a response; common ones have a few hundred to two thousand."""


def ask(url: str, request: bytes) -> bytes:
    """Return what a responder answers. Raises ResponseError."""
    place = urlsplit(url)
    if place.scheme != "http" or not place.hostname:
        raise ResponseError(f"`{url}` is no address that can be asked")
    connection = http.client.HTTPConnection(place.hostname, place.port or 80, timeout=_TIMEOUT)
    try:
        path = place.path or "/"
        fields = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
        connection.request("POST", f"{path}?{place.query}" if place.query else path, request, fields)
        response = connection.getresponse()
        body = response.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise ResponseError(f"{place.netloc} cannot be asked: {error or type(error).__name__}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise ResponseError(f"{place.netloc} answers with status {response.status}")
    if len(body) > _LARGEST:
        raise ResponseError(f"{place.netloc} answers with more than {_LARGEST} bytes")
    return body
