"""What a name is, and what an answer says."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import pytest
from name_server import reply

from isthmus.resolve.messages import Kind, Outcome, Status, parse_name, question, read


@pytest.mark.parametrize(
    "text",
    ["", ".", "a..b", ".a", "a b", "a\x00b", "caf\xe9.test", "x" * 64 + ".test", ".".join(["x" * 60] * 5)],
)
def test_what_cannot_be_asked_for_is_no_name(text: str) -> None:
    assert parse_name(text) is None


@pytest.mark.parametrize("text", ["a", "a.test", "a.test.", "A_b-c.test", "192.0.2.1", r"a\.b.test"])
def test_a_name_is_taken_as_it_stands(text: str) -> None:
    name = parse_name(text)
    assert name is not None
    assert name.labels == (*(each.encode() for each in text.removesuffix(".").split(".")), b"")


def _ask(kind: Kind = Kind.A) -> dns.message.QueryMessage:
    return question(dns.name.from_text("a.test"), kind, 512)


def test_an_answer_holds_what_its_chain_of_aliases_ends_in() -> None:
    asked = _ask()
    said = read(asked, reply(asked, "CNAME b.test.", "A 192.0.2.1", "A 192.0.2.2").to_wire())
    assert said is not None
    assert said.addresses == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("rcode", "status"),
    [
        ("NOERROR", Status.EMPTY),
        ("NXDOMAIN", Status.NX),
        ("REFUSED", Status.REFUSED),
        ("SERVFAIL", Status.OTHER),
    ],
)
def test_an_answer_without_records_is_an_error_of_its_kind(rcode: str, status: Status) -> None:
    asked = _ask()
    assert read(asked, reply(asked, rcode=rcode).to_wire()) == Outcome(status)


def test_what_is_cut_off_counts_as_truncated_whatever_it_holds() -> None:
    asked = _ask()
    said = reply(asked, "A 192.0.2.1")
    said.flags |= dns.flags.TC
    assert read(asked, said.to_wire()) == Outcome(Status.TRUNCATED)


def test_what_answers_another_question_is_no_answer() -> None:
    asked = _ask()
    number = reply(asked, "A 192.0.2.1")
    number.id ^= 1
    other = dns.message.make_query("b.test", "A", id=asked.id)
    kind = dns.message.make_query("a.test", "AAAA", id=asked.id)
    strange = [number, reply(other, "A 192.0.2.1"), reply(kind, "AAAA ::1")]
    for wire in (*(each.to_wire() for each in strange), asked.to_wire(), b"", b"x", asked.to_wire()[:-1]):
        assert read(asked, wire) is None


def test_a_chain_without_end_is_no_answer() -> None:
    asked = _ask()
    assert read(asked, reply(asked, "CNAME a.test.").to_wire()) is None
