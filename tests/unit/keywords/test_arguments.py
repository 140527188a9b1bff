"""Arguments whose registered type is a string, of fetches and converters that take something narrower."""

from __future__ import annotations

import pytest
from paper import VOCABULARY

from isthmus.config import Diagnostics, Span
from isthmus.keywords.arguments import narrowed, parse_argument
from isthmus.keywords.context import Context
from isthmus.keywords.wrong_argument import WrongArgumentError
from isthmus.model.expression import IntArg, StrArg, UserlistArg

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
    ("jwt_verify_cert", 0, ["RS256", "txn.alg"], ["HS256", "none"]),
    ("jwt_decrypt_jwk", 0, ['{"kty":"oct","k":"AAAA"}', "txn.key"], ["", "{}", '{"kty":"OKP"}', "[]"]),
    ("jwt_decrypt_secret", 0, ["GawgguFyGrWKav7AX4VKUg", "AA==", "txn.key"], ["", "!", "a b"]),
    ("jwt_decrypt_cert", 0, ["txn.name"], ["", "no.pem"]),
    ("dump_all_vars", 0, ["", "txn", "proc"], ["check", "x"]),
    ("has_ctl", 0, [""], ["x"]),
    ("ssl_c_policies", 0, [""], ["1.2.3"]),
    ("ssl_c_s_dn", 2, ["", "rfc2253"], ["foo", "RFC2253"]),
    ("digest", 0, ["md5", "SHA256", "sha-1", "sha2-512"], ["", "foo", "sha3"]),
    ("hmac", 0, ["sha384"], ["foo"]),
    ("hmac", 1, ["YWJj", "txn.key"], ["not_base64!"]),
    ("json", 0, ["", "ascii", "utf8ps"], ["foo", "UTF8"]),
    ("json_query", 1, ["", "int"], ["foo"]),
    ("jwt_payload_query", 1, ["int"], ["foo"]),
    ("jwt_header_query", 1, ["int"], ["foo"]),
    ("url_enc", 0, ["", "query"], ["foo"]),
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


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("sha2", [224, 256, 384, 512], ["3", "x", ""]),
        ("aes_gcm_dec", [128, 192, 256], ["99"]),
        ("ssl_fc_cipherlist_bin", [0, 1], ["2"]),
        ("word", [1, -1], ["0", "x"]),
        ("field", [2, -3], ["0", "-0"]),
    ],
)
def test_a_number_is_one_of_a_few(name: str, right: list[int], wrong: list[str]) -> None:
    kind = narrowed(name, 0, "integer")
    for number in right:
        assert read(kind, str(number)) == IntArg(number)
    for text in wrong:
        with pytest.raises(WrongArgumentError):
            read(kind, text)


@pytest.mark.parametrize(
    ("packet", "right", "wrong"),
    [
        ("connect", ["keepalive", "Username", "17", "38"], ["foo", "36", ""]),
        ("2", ["reason_code", "36"], ["1"]),
    ],
)
def test_a_packet_has_fields_of_its_own(packet: str, right: list[str], wrong: list[str]) -> None:
    kind = narrowed("mqtt_field_value", 1, "string", packet)
    for text in right:
        assert read(kind, text) == StrArg(text)
    for text in wrong:
        with pytest.raises(WrongArgumentError):
            read(kind, text)


def test_other_arguments_of_these_functions_are_what_they_were() -> None:
    assert narrowed("word", 2, "integer") == "integer"
    assert narrowed("json_query", 0, "string") == "string"
    assert narrowed("field", 1, "string") == "string"
