"""Bytes and endings in the plain case: who sees what when either side finishes or resets."""

from __future__ import annotations

from .lab import Both, Lab
from .wire import echoes

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
