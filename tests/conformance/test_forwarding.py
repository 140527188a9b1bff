"""Bytes and endings in the plain case: who sees what when either side finishes or resets."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .lab import Both, Lab, observe
from .wire import End, echoes

SIMPLE = """
frontend f
  bind 127.0.0.1:<front>
  default_backend b
backend b
  server a <a>
"""


def test_bytes_come_through_both_ways_and_are_counted(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        client.send(b"hello")
        origin = lab.origin().accept()
        asked = origin.read(5)
        origin.send(b"good day")
        answered = client.read(8)
        client.finish()
        ended = origin.ending()
        origin.close()
        return asked, answered, ended, client.ending()

    seen = both(SIMPLE, traffic, origins={"a": None})
    assert seen.value == (b"hello", b"good day", "FIN", "FIN")
    assert (seen.log.ts, seen.log.U, seen.log.B) == ("--", "5", "8")


def test_a_client_that_finished_still_gets_the_answer(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"question").finish()
        origin = lab.origin().accept()
        asked = origin.read_end()
        origin.send(b"answer")
        origin.close()
        return asked, client.read_end()

    seen = both(SIMPLE, traffic, origins={"a": None})
    assert seen.value == ((b"question", "FIN"), (b"answer", "FIN"))
    assert seen.log.ts == "--"


def test_a_server_that_finished_still_gets_the_rest(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        client = lab.connect()
        origin = lab.origin().accept()
        origin.send(b"done").finish()
        answered = client.read_end()
        client.send(b"late")
        client.close()
        return answered, origin.read_end()

    seen = both(SIMPLE, traffic, origins={"a": None})
    assert seen.value == ((b"done", "FIN"), (b"late", "FIN"))
    assert seen.log.ts == "--"


def test_a_megabyte_comes_back_unchanged(both: Both) -> None:
    data = bytes(range(256)) * 4096

    def traffic(lab: Lab) -> object:
        import threading

        client = lab.connect()
        sender = threading.Thread(target=lambda: client.send(data).finish())
        sender.start()
        answer, ended = client.read_end()
        sender.join()
        return answer == data, ended

    seen = both(SIMPLE, traffic, origins={"a": echoes})
    assert seen.value == (True, "FIN")
    assert (seen.log.B, seen.log.U) == ("1048576", "1048576")


SPLICED = b"x" * (4 << 20)


@pytest.mark.parametrize(
    ("option", "up", "down"),
    [
        ("", False, False),
        ("option splice-request", True, False),
        ("option splice-response", False, True),
        ("option splice-auto", True, True),
    ],
)
@pytest.mark.parametrize("where", ["frontend", "backend"])
def test_a_bulk_transfer_is_spliced_in_the_directions_that_the_options_name(
    beyond: Both, tmp_path: Path, where: str, option: str, up: bool, down: bool
) -> None:
    """HAProxy counts spliced bytes too, but begins to splice when its own heuristics say so."""
    lines = {"frontend": "", "backend": "", where: option}
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  {lines["frontend"]}
  default_backend b
backend b
  {lines["backend"]}
  server a <a>
"""

    def spliced(lab: Lab) -> int:
        found = re.search(r"TotalSplicdedBytesOut: (\d+)", lab.command("show info"))
        assert found is not None
        return int(found[1])

    def moved(sender: End, receiver: End) -> None:
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(sender.send, SPLICED)
            assert receiver.read(len(SPLICED)) == SPLICED
            sent.result()

    def traffic(lab: Lab) -> object:
        client = lab.connect().send(b"!")
        origin = lab.origin().accept()
        origin.read(1)
        moved(client, origin)
        after_upload = spliced(lab)
        moved(origin, client)
        after_download = spliced(lab)
        origin.close()
        return after_upload > 0, after_download > after_upload

    seen = observe(beyond.candidate, tmp_path / "own", text, traffic, {"a": None})
    assert seen.value == (up, down)
