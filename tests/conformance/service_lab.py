"""An Isthmus that serves the services of served/services.py, and what is asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .http_lab import PREAMBLE, Client
from .http_message import Message
from .lab import Lab
from .wire import greets

SERVED = Path(__file__).parent / "served" / "services.py"


@contextmanager
def serving(program: str, folder: Path, rules: str = "", settings: str = "") -> Iterator[Lab]:
    """A proxy whose frontend gives `/python.NAME...` to the service of the path's first word."""
    names = sorted(set(re.findall(r'@service\("(.*)"\)', SERVED.read_text())))
    chosen = "\n".join(f"  http-request use-service python.{each} if {{ path /{each} }}" for each in names)
    config = f"""{PREAMBLE}
global
  python-load {SERVED}
{settings}
frontend f
  bind 127.0.0.1:<front>
  {rules}
  http-request return status 200 content-type text/plain string plain if {{ path /plain }}
{chosen}
  default_backend b
backend b
  server s <a>
"""
    lab = Lab(program, folder / "lab", config, {"a": greets})
    try:
        yield lab
    except BaseException as error:
        error.add_note(lab.proxy.stderr + "\n".join(each.raw for each in lab.log.everything()))
        raise
    finally:
        lab.close()


def asking(path: str, fields: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" /" + path.encode() + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


def ask(lab: Lab, path: str) -> tuple[int, bytes]:
    """Status and body of one exchange on a connection of its own."""
    client = Client(lab)
    client.send(asking(path, b"Connection: close\r\n"))
    client.read(1)
    (message,) = seen(client)
    client.end.close()
    return message.status, message.body


def seen(client: Client) -> list[Message]:
    """The messages that a client got."""
    return [each.normal(True, True, frozenset()) for each in client.messages()]


def bodies(client: Client) -> list[bytes]:
    return [each.body for each in seen(client)]


def column(lab: Lab, name: str) -> int:
    """A number of the frontend's in `show stat`."""
    head, first, *_ = lab.command("show stat").splitlines()
    return int(dict(zip(head.removeprefix("# ").split(","), first.split(","), strict=False))[name])


def words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
