"""A stand-in for an appliance that knows nothing of namespaces. Arguments: LISTEN-ADDRESS WAY-OUT-ADDRESS.

It takes connections that begin with a PROXY v2 header, and passes header and bytes on to the way out.
"""

import asyncio
import contextlib
import sys

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
VERSION_2_PROXY_TCP4 = b"\x21\x11"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take one connection, and make the one that goes on."""
    # Whoever looks whether the port is open sends no header.
    with contextlib.suppress(asyncio.IncompleteReadError, OSError), contextlib.closing(writer):
        header = await read_header(reader)
        report(header)
        out_reader, out_writer = await asyncio.open_connection(*address(sys.argv[2]))
        with contextlib.closing(out_writer):
            # The header goes on as it came: the way out finds client, destination and namespace in it.
            out_writer.write(header)
            await asyncio.gather(relay(reader, out_writer), relay(out_reader, writer))


async def read_header(reader: asyncio.StreamReader) -> bytes:
    """Return the whole PROXY v2 header, not a byte more."""
    fixed = await reader.readexactly(16)
    if not fixed.startswith(SIGNATURE):
        raise ConnectionError("no PROXY v2 header")
    return fixed + await reader.readexactly(int.from_bytes(fixed[14:16], "big"))


def report(header: bytes) -> None:
    """Say who calls whom: that much of the header is the same with and without namespaces."""
    if header[12:14] == VERSION_2_PROXY_TCP4:
        source, destination = (".".join(map(str, header[at : at + 4])) for at in (16, 20))
        print(f"{source} asks {destination}", flush=True)


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until their end, and then the end."""
    while got := await reader.read(65536):
        # Here a filter would look at the bytes.
        writer.write(got)
        await writer.drain()
    writer.write_eof()


def address(text: str) -> tuple[str, int]:
    """Part HOST:PORT."""
    host, _, port = text.rpartition(":")
    return host, int(port)


async def main() -> None:
    """Serve for good."""
    server = await asyncio.start_server(serve, *address(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
