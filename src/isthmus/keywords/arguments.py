"""Arguments of fetches and converters: text to a typed value, by the type that the signature names.

Where the registered type is the general `string`, a few functions take something narrower (a variable, a
unit, the flags of a regular expression); `NARROWER` names those, so that mistakes are found on reading.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from isthmus.config import Span
from isthmus.keywords.address_arguments import ADDRESSES
from isthmus.keywords.closed_arguments import ANY_CASE, NUMBERS, OTHERS, POSITIONS, WORDS, mqtt_field
from isthmus.keywords.context import Context
from isthmus.keywords.patterns import WrongPatternError, read_text
from isthmus.keywords.token_arguments import TOKENS, certificate, public_key
from isthmus.keywords.variables import CONDITIONS, is_variable
from isthmus.keywords.wrong_argument import WrongArgumentError
from isthmus.model.expression import (
    Argument,
    IntArg,
    ListValues,
    MapArg,
    MatchMethod,
    PatternFile,
    ProxyArg,
    ServerArg,
    StrArg,
    UserlistArg,
    VarArg,
)

_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}\Z")
_FIELD_NUMBER = re.compile(r"0*[1-9][0-9]{0,9}(?:\.0*[1-9][0-9]{0,9})*\Z")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")
_INT64 = (-(2**63), 2**63 - 1)

PROXY_TYPES = ("frontend", "backend", "table")
"""Types of argument that name a proxy; left out, they mean the proxy of the section."""


def parse_argument(kind: str, text: str, span: Span, context: Context) -> Argument:
    """Turn one argument into a value of the type that `kind` names.

    Raises WrongArgumentError with what was expected.
    """
    if kind in PROXY_TYPES:
        return ProxyArg(kind, text or context.proxy, span)
    if kind == "server":
        return _server(text, span, context)
    if kind == "user list":
        if not text:
            raise WrongArgumentError("the name of a userlist")
        return UserlistArg(text, span)
    if kind in MAPS:
        return _map(kind, text, span)
    if kind == "public key":
        return public_key(text, context)
    if kind == "JWT certificate":
        return certificate(text, span, context)
    if kind in WORDS:
        return _word(kind, text)
    if kind in NUMBERS:
        return _number(kind, text)
    reader = _READERS.get(kind)
    if reader is None:
        return StrArg(text)
    return reader(text)


def narrowed(name: str, position: int, kind: str, first: str = "") -> str:
    """Return the type of an argument that is registered as `kind`, or a narrower one if there is one.

    `first` is the first argument's text.
    """
    if (name, position) == ("jwt_verify", 1) and first[:2] in ("RS", "PS", "ES"):
        return "public key"
    if (name, position) == ("mqtt_field_value", 1):
        return mqtt_field(first)
    if name in POSITIONS:
        closed = POSITIONS[name]
        return closed.get(position, closed.get(-1, kind))
    if kind not in ("string", "str"):
        return kind
    by_position = NARROWER.get(name, {})
    return by_position.get(position, by_position.get(-1, kind))


def _integer(text: str) -> Argument:
    if not _INTEGER.match(text):
        raise WrongArgumentError("an integer")
    # HAProxy lets integers wrap or saturate; beyond 64 bits nobody means what they wrote.
    low, high = _INT64
    return IntArg(min(max(int(text), low), high))


def _word(kind: str, text: str) -> Argument:
    written = text.lower() if kind in ANY_CASE else text
    words = WORDS[kind]
    if written not in words and written not in OTHERS[kind]:
        raise WrongArgumentError(" or ".join(f"`{word}`" for word in words), words)
    return StrArg(text)


def _number(kind: str, text: str) -> Argument:
    right, expected = NUMBERS[kind]
    if not _INTEGER.match(text) or int(text) not in right:
        raise WrongArgumentError(expected)
    return IntArg(int(text))


def _index(text: str) -> Argument:
    if not _INTEGER.match(text) or int(text) == 0:
        raise WrongArgumentError("an index: from 1, or from -1 where it counts from the end")
    return _integer(text)


def _integer_or_variable(text: str) -> Argument:
    if _INTEGER.match(text):
        return _integer(text)
    if not is_variable(text):
        raise WrongArgumentError("an integer or the name of a variable, as in `txn.count`")
    return VarArg(text)


def _variable(text: str) -> Argument:
    if not is_variable(text):
        raise WrongArgumentError(
            "the name of a variable: its scope (proc, sess, txn, req, res, check), a dot and a name"
        )
    return VarArg(text)


def _optional_variable(text: str) -> Argument:
    return _variable(text) if text else StrArg("")


def _hexadecimal(text: str) -> Argument:
    if not _HEXADECIMAL.match(text):
        raise WrongArgumentError("an even number of hexadecimal digits")
    return StrArg(text)


def _regex(text: str) -> Argument:
    try:
        return StrArg(read_text(text, MatchMethod.REG))
    except WrongPatternError as error:
        raise WrongArgumentError(str(error)) from None


def _acl_name(text: str) -> Argument:
    if not text.removeprefix("!"):
        raise WrongArgumentError("the name of an ACL, perhaps with `!` before it")
    return StrArg(text)


def _regex_flags(text: str) -> Argument:
    if text.strip("ig"):
        raise WrongArgumentError("flags of a regular expression: `i` and `g`")
    return StrArg(text)


def _one_character(text: str) -> Argument:
    if len(text) > 1:
        raise WrongArgumentError("one character")
    return StrArg(text)


def _four_letters(text: str) -> Argument:
    if len(text) != 4:
        raise WrongArgumentError("a token of four letters, as in `ARGV`")
    return StrArg(text)


def _field_number(text: str) -> Argument:
    if not _FIELD_NUMBER.match(text):
        raise WrongArgumentError("numbers of fields from 1, separated by dots")
    return StrArg(text)


def _fix_tag(text: str) -> Argument:
    number = text.isascii() and text.isdigit() and int(text) > 0
    if not number and text.lower() not in _FIX_TAGS:
        raise WrongArgumentError("a number from 1, or one of " + ", ".join(_FIX_TAGS.values()))
    return StrArg(text)


def _mqtt_packet(text: str) -> Argument:
    if text.lower() not in ("connect", "connack", "1", "2"):
        raise WrongArgumentError("`connect` (1) or `connack` (2)", ("connect", "connack"))
    return StrArg(text)


def _nothing(text: str) -> Argument:
    # HAProxy 3.5 has an argument there; what it stands for is in no manual that could be read.
    if text:
        raise WrongArgumentError("no argument: what it stands for is not known here")
    return StrArg(text)


def _one_of(*words: str) -> Callable[[str], Argument]:
    def read(text: str) -> Argument:
        if text not in words:
            raise WrongArgumentError(" or ".join(f"`{word}`" for word in words if word), words)
        return StrArg(text)

    return read


def _server(text: str, span: Span, context: Context) -> Argument:
    backend, slash, server = text.rpartition("/")
    if not server:
        raise WrongArgumentError("the name of a server, as in `backend/server`")
    return ServerArg(backend if slash else context.proxy, server, span)


def _map(converter: str, text: str, span: Span) -> Argument:
    if not text.removeprefix("opt@").removeprefix("file@").removeprefix("virt@"):
        raise WrongArgumentError("the name of a file of keys and values")
    return MapArg(PatternFile.read(text, span, two_columns=True), *MAPS[converter])


_UNITS = ("", "s", "ms", "us")
_FIX_TAGS = {
    each.lower(): each
    for each in ("BeginString", "BodyLength", "MsgType", "SenderCompID", "TargetCompID", "CheckSum")
}
_PROTOBUF_TYPES = (
    *("int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum", "fixed64", "sfixed64"),
    *("double", "fixed32", "sfixed32", "float"),
)
_WHEN = ("acl", "error", "forwarded", "normal", "processed", "stopping", "toapplet")

_READERS: dict[str, Callable[[str], Argument]] = {
    **ADDRESSES,
    **TOKENS,
    "integer": _integer,
    "sint": _integer,
    "index": _index,
    "variable": _variable,
    "optional variable": _optional_variable,
    "integer or variable": _integer_or_variable,
    "hexadecimal": _hexadecimal,
    "ACL name": _acl_name,
    "regex": _regex,
    "regex flags": _regex_flags,
    "boolean": _one_of("true", "false", "0", "1"),
    "time unit": _one_of(*_UNITS),
    "name format": _one_of("", "rfc2253"),
    "rtt unit": _one_of("", "us", "ms"),
    "set-var condition": _one_of(*CONDITIONS),
    "query option": _one_of("", "with_qm"),
    "nothing": _nothing,
    "variables' scope": _one_of("", "sess", "txn", "req", "res", "proc"),
    "delimiter": _one_character,
    "case flag": _one_of("", "i"),
    "distcc token": _four_letters,
    "Protocol buffers field number": _field_number,
    "protobuf type": _one_of("", *_PROTOBUF_TYPES),
    "FIX tag": _fix_tag,
    "MQTT packet": _mqtt_packet,
    "Forwarded field": _one_of("proto", "host", "for", "by"),
    "when condition": _one_of(*_WHEN, *(f"!{each}" for each in _WHEN)),
}

_MAP_VALUES = {
    "": ListValues.TEXT,
    "_int": ListValues.INTEGERS,
    "_ip": ListValues.ADDRESSES,
    "_key": ListValues.UNUSED,
}
_MAP_METHODS = ("str", "beg", "sub", "dir", "dom", "end", "reg", "int", "ip")
MAPS: dict[str, tuple[MatchMethod, ListValues]] = {
    f"map_{method}{output}": (MatchMethod(method), values)
    for method in _MAP_METHODS
    for output, values in _MAP_VALUES.items()
} | {
    "map": (MatchMethod.STR, ListValues.TEXT),
    "map_regm": (MatchMethod.REG, ListValues.TEXT),
}
"""The converters that look something up in a file: how keys are compared, and what values must be."""

NEVER_EMPTY = (
    "frontend",
    "backend",
    "table",
    "user list",
    "variable",
    "boolean",
    "hexadecimal",
    "ACL name",
    *MAPS,
)
"""Types of first argument that stand for something even where nothing is written, or need a value."""

_ARITHMETIC = ("add", "sub", "mul", "div", "mod", "and", "or", "xor")
_PARAMETERS = ("url_param", "urlp", "urlp_val")
_NAMES = ("ssl_c_i_dn", "ssl_c_r_dn", "ssl_c_s_dn", "ssl_f_i_dn", "ssl_f_s_dn", "ssl_s_i_dn", "ssl_s_s_dn")
_RTT = ("fc_rtt", "fc_rttvar", "bc_rtt", "bc_rttvar")

NARROWER: dict[str, dict[int, str]] = (
    {name: {0: "integer or variable"} for name in _ARITHMETIC}
    | {name: {0: "rtt unit"} for name in _RTT}
    | {name: {2: "name format"} for name in _NAMES}
    | {name: {1: "delimiter", 2: "case flag"} for name in _PARAMETERS}
    | {name: {0: name, 1: "default address"} for name, (_, values) in MAPS.items() if values == "addresses"}
    | {name: {0: name} for name, (_, values) in MAPS.items() if values != "addresses"}
    | {
        "acl": {-1: "ACL name"},
        "var": {0: "variable"},
        "dump_all_vars": {0: "variables' scope"},
        "has_ctl": {0: "nothing"},
        "ssl_c_policies": {0: "nothing"},
        "set-var": {0: "variable", -1: "set-var condition"},
        "unset-var": {0: "variable"},
        "concat": {1: "optional variable"},
        "jwt_verify": {0: "JWS algorithm"},
        "jwt_verify_cert": {0: "JWS public algorithm", 1: "JWT certificate"},
        "jwt_decrypt_cert": {0: "JWT certificate"},
        "jwt_decrypt_jwk": {0: "JWK"},
        "jwt_decrypt_secret": {0: "token secret"},
        "strcmp": {0: "variable"},
        "secure_memcmp": {0: "variable"},
        "bytes": {0: "integer or variable", 1: "integer or variable"},
        "bool": {0: "boolean"},
        "bin": {0: "hexadecimal"},
        "date": {1: "time unit"},
        "accept_date": {0: "time unit"},
        "request_date": {0: "time unit"},
        "http_date": {1: "time unit"},
        "regsub": {2: "regex flags"},
        "query": {0: "query option"},
        "req.body_param": {1: "case flag"},
        "distcc_body": {0: "distcc token"},
        "distcc_param": {0: "distcc token"},
        "protobuf": {1: "protobuf type"},
        "ungrpc": {1: "protobuf type"},
        "fix_tag_value": {0: "FIX tag"},
        "mqtt_field_value": {0: "MQTT packet"},
        "rfc7239_field": {0: "Forwarded field"},
        "when": {0: "when condition"},
    }
)
"""By function and position (-1: every other one), the type of an argument registered as a string."""
