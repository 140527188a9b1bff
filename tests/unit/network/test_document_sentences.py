"""What the sentences of `expect:` mean."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from isthmus.network.document.loops import find_loops
from isthmus.network.document.sentences import SentenceError, parse_sentence
from isthmus.network.model import Bound, Ping, Reach, ReachAs, Target

BLUE = Target(name="blue")
NINE = Target(address=ip_address("10.0.0.9"))
SIX = Target(address=ip_address("2001:db8::1"))


@pytest.mark.parametrize(
    ("sentence", "meaning"),
    [
        ("red can ping blue", Ping("red", BLUE)),
        ("red  can ping\tblue within 5ms", Ping("red", BLUE, bound=Bound(latency=0.005))),
        ("red cannot ping 10.0.0.9", Ping("red", NINE, possible=False)),
        ("red can ping 2001:db8::1", Ping("red", SIX)),
        ("red can reach blue:5432/tcp", Reach("red", BLUE, "tcp", 5432)),
        ("red can reach blue:53/udp", Reach("red", BLUE, "udp", 53)),
        ("red cannot reach [2001:db8::1]:80", Reach("red", SIX, "tcp", 80, possible=False)),
        ("red can reach blue:1 within 1s at 100mbit", Reach("red", BLUE, "tcp", 1, bound=Bound(1.0, 1e8))),
        ("red can reach blue:1 at 1gbit within 1s", Reach("red", BLUE, "tcp", 1, bound=Bound(1.0, 1e9))),
        (
            "red reaches 10.0.0.9:80 as 10.0.0.7",
            ReachAs("red", NINE, 80, ip_address("10.0.0.7")),
        ),
    ],
)
def test_a_sentence_means(sentence: str, meaning: object):
    assert parse_sentence(sentence) == meaning


@pytest.mark.parametrize(
    ("sentence", "word", "expected"),
    [
        ("", "", "the name of a namespace"),
        ("red", "", "`can` or `cannot` or `reaches`"),
        ("red cant ping blue", "cant", "`can`"),
        ("red can reach blue", "blue", "TARGET:PORT, such as blue:5432/tcp"),
        ("red can reach 2001:db8::1:80", "2001:db8::1:80", "[2001:db8::1]:80"),
        ("red can reach blue:0", "0", "1 to 65535"),
        ("red can ping blue now", "now", "`within`"),
        ("red can ping blue within 1s within 2s", "within", "the end of the sentence"),
        ("red reaches blue:80 as blue", "blue", "an IPv4 or IPv6 address"),
        ("red can reach blue:53/udp at 5mbit", "at", "`within`"),
    ],
)
def test_a_wrong_sentence_is_refused_at_the_word(sentence: str, word: str, expected: str):
    with pytest.raises(SentenceError) as caught:
        parse_sentence(sentence)
    error = caught.value
    assert sentence[error.start : error.start + error.length] == word
    assert error.expected == expected


@pytest.mark.parametrize(
    ("graph", "loops"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["a"]}, [("a",)]),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, [("b", "c")]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}, []),
        ({str(i): [str(i + 1)] for i in range(5000)}, []),
    ],
)
def test_loops_are_found_without_recursion(graph: dict[str, list[str]], loops: list[tuple[str, ...]]):
    assert find_loops(graph) == loops
