"""A name server that answers as it is told: rightly, wrongly, late or not at all."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Answer = Callable[[dns.message.Message, bool], Iterable[bytes]]
"""From a question, and whether it came over TCP, to the datagrams that answer it."""


@dataclass(frozen=True)
class Asked:
    """A question that came."""

    name: str
    kind: str
    over: str
    payload: int
    at: float


class NameServer:
    """Listens over UDP and TCP at a port of 127.0.0.1, or at sockets that it is given; `zone` says what each
    name is answered with."""

    def __init__(
        self, zone: dict[str, Answer], sockets: tuple[socket.socket, socket.socket] | None = None
    ) -> None:
        self.zone = zone
        self.asked: list[Asked] = []
        self._udp, self._tcp = sockets or _pair("127.0.0.1")
        self.port = self._udp.getsockname()[1]
        for work in (self._datagrams, self._connections):
            threading.Thread(target=work, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kinds(self, name: str) -> list[str]:
        """The types that were asked of a name, in order, those over TCP marked."""
        mine = [each for each in self.asked if each.name == name]
        return [each.kind + ("/tcp" if each.over == "tcp" else "") for each in mine]

    def close(self) -> None:
        for each in (self._udp, self._tcp):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _datagrams(self) -> None:
        while True:
            try:
                wire, peer = self._udp.recvfrom(65535)
            except OSError:
                return
            if not wire:
                continue
            threading.Thread(target=self._answer_datagram, args=(wire, peer), daemon=True).start()

    def _answer_datagram(self, wire: bytes, peer: tuple[str, int]) -> None:
        for reply in self._answers(wire, "udp"):
            try:
                self._udp.sendto(reply, peer)
            except OSError:
                return

    def _connections(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            threading.Thread(target=self._stream, args=(client,), daemon=True).start()

    def _stream(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as incoming:
            while len(head := incoming.read(2)) == 2:
                wire = incoming.read(struct.unpack("!H", head)[0])
                for reply in self._answers(wire, "tcp"):
                    client.sendall(struct.pack("!H", len(reply)) + reply)

    def _answers(self, wire: bytes, over: str) -> Iterable[bytes]:
        try:
            question = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            # HAProxy sends what is no question where a name is none.
            return []
        asked = question.question[0]
        name = asked.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(asked.rdtype)
        self.asked.append(Asked(name, kind, over, question.payload, time.monotonic()))
        answer = self.zone.get(name.lower()) or fails("NXDOMAIN")
        return answer(question, over == "tcp")


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """A socket of UDP and one of TCP that have the same port."""
    while True:
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, 0))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()


def reply(question: dns.message.Message, *records: str, rcode: str = "NOERROR") -> dns.message.Message:
    """An answer with records such as `A 192.0.2.1`, those of the type asked for; a CNAME leads all."""
    said = dns.message.make_response(question)
    said.set_rcode(dns.rcode.from_text(rcode))
    name = question.question[0].name
    wanted = dns.rdatatype.to_text(question.question[0].rdtype)
    for record in records:
        kind, _, value = record.partition(" ")
        if kind == "CNAME":
            said.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
            name = said.answer[-1][0].target
        elif kind == wanted:
            said.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
    return said


def says(*records: str) -> Answer:
    """Answers with records."""
    return lambda question, _tcp: [reply(question, *records).to_wire()]


def fails(rcode: str) -> Answer:
    """Answers with an error."""
    return lambda question, _tcp: [reply(question, rcode=rcode).to_wire()]


def silent(_question: dns.message.Message, _tcp: bool) -> Iterable[bytes]:
    """Answers nothing."""
    return []


def late(seconds: float, *records: str) -> Answer:
    """Answers after a while."""

    def answer(question: dns.message.Message, _tcp: bool) -> Iterable[bytes]:
        time.sleep(seconds)
        return [reply(question, *records).to_wire()]

    return answer


def truncated(*records: str) -> Answer:
    """Answers whole over TCP alone."""

    def answer(question: dns.message.Message, tcp: bool) -> Iterable[bytes]:
        said = reply(question, *(records if tcp else ()))
        if not tcp:
            said.flags |= dns.flags.TC
        return [said.to_wire()]

    return answer


def forged(*records: str) -> Answer:
    """Answers with another number, with another question, with rubbish, and then rightly."""

    def answer(question: dns.message.Message, _tcp: bool) -> Iterable[bytes]:
        wrong = reply(question, "A 192.0.2.66", "AAAA 2001:db8::66")
        wrong.id ^= 1
        other = dns.message.make_query("else.test", question.question[0].rdtype, id=question.id)
        strange = reply(other, "A 192.0.2.66", "AAAA 2001:db8::66")
        return [wrong.to_wire(), strange.to_wire(), b"x", reply(question, *records).to_wire()]

    return answer


def changing(*answers: Answer) -> Answer:
    """Answers each question with the next of these, and goes on with the last."""
    left = list(answers)

    def answer(question: dns.message.Message, tcp: bool) -> Iterable[bytes]:
        return (left.pop(0) if len(left) > 1 else left[0])(question, tcp)

    return answer
