"""Arguments whose registered type is a string, of fetches and converters that take something narrower."""

from __future__ import annotations

import pytest
from paper import VOCABULARY

from isthmus.config import Diagnostics, Span
from isthmus.keywords.arguments import WrongArgumentError, narrowed, parse_argument
from isthmus.keywords.context import Context
from isthmus.model.expression import StrArg, UserlistArg

SPAN = Span("a.cfg", 1, 0, 0)
CASES = [
    ("query", 0, ["", "with_qm"], ["qm", "WITH_QM"]),
    ("urlp", 1, ["", "?", ";"], ["??"]),
    ("urlp", 2, ["", "i"], ["I", "ii"]),
    ("req.body_param", 1, ["", "i"], ["x"]),
    ("distcc_param", 0, ["ARGV"], ["", "ARG", "ARGVS"]),
    ("protobuf", 1, ["", "int32", "float"], ["text", "INT32"]),
    ("aes_gcm_dec", 1, ["", "AAAA", "AA==", "AAA=", "txn.nonce"], ["A", "AAAAA", "!", "AA="]),
    ("fix_tag_value", 0, ["35", "MsgType", "msgtype", "049"], ["", "0", "-1", "x"]),
    ("mqtt_field_value", 0, ["connect", "CONNACK", "1"], ["", "publish", "3"]),
    ("rfc7239_field", 0, ["for", "host"], ["", "For", "x"]),
    ("jwt_verify", 0, ["HS256", "PS512", "txn.alg"], ["", "none", "HS1", "XX256"]),
    ("ssl_c_s_dn", 2, ["", "rfc2253"], ["foo", "RFC2253"]),
    ("when", 0, ["normal", "!error", "acl"], ["", "never", "!"]),
]


def read(kind: str, text: str) -> object:
    return parse_argument(kind, text, SPAN, Context(VOCABULARY, Diagnostics()))


@pytest.mark.parametrize(("name", "position", "right", "wrong"), CASES)
def test_a_narrower_argument_is_checked_when_it_is_read(
    name: str, position: int, right: list[str], wrong: list[str]
) -> None:
    kind = narrowed(name, position, "string")
    assert kind != "string"
    for text in right:
        assert read(kind, text) == StrArg(text)
    for text in wrong:
        with pytest.raises(WrongArgumentError):
            read(kind, text)


def test_numbers_of_fields_stand_between_dots() -> None:
    kind = "Protocol buffers field number"
    for text in ("1", "48.59.1"):
        assert read(kind, text) == StrArg(text)
    for text in ("", "0", "1.", ".1", "1.0", "x", "1,2"):
        with pytest.raises(WrongArgumentError):
            read(kind, text)


def test_a_userlist_is_named() -> None:
    assert read("user list", "staff") == UserlistArg("staff", SPAN)
    with pytest.raises(WrongArgumentError):
        read("user list", "")
