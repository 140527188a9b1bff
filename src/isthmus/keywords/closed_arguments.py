"""Arguments that are one of a few words, or of a few numbers, whatever type their function registers.

Each names a kind of argument of its own, which `arguments` asks for by function and position.
"""

from __future__ import annotations

from collections.abc import Mapping

_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
_CONNECT_FIELDS = (
    *("flags", "protocol_name", "protocol_version", "client_identifier", "will_topic", "will_payload"),
    *("username", "password", "keepalive"),
)
_CONNACK_FIELDS = ("flags", "protocol_version", "reason_code")
# Identifiers of properties (MQTT 5.0, section 2.2.2.2).
_CONNECT_PROPERTIES = (17, 33, 39, 34, 25, 23, 38, 21, 22, 24, 1, 2, 3, 8, 9)
_CONNACK_PROPERTIES = (17, 33, 36, 37, 39, 18, 34, 31, 38, 40, 41, 42, 19, 26, 28, 21, 22)

WORDS: Mapping[str, tuple[str, ...]] = {
    "digest algorithm": _DIGESTS,
    "JSON input code": ("ascii", "utf8", "utf8s", "utf8p", "utf8ps"),
    "URL encoding": ("query",),
    "JSON output type": ("int",),
    "MQTT CONNECT field": _CONNECT_FIELDS,
    "MQTT CONNACK field": _CONNACK_FIELDS,
}
"""By kind, the words that an argument may be."""

OTHERS: Mapping[str, frozenset[str]] = {
    "digest algorithm": frozenset(
        f"{form}{bits}" for form in ("sha-", "sha2-") for bits in (224, 256, 384, 512)
    )
    | {"sha-1"},
    "JSON input code": frozenset({""}),
    "URL encoding": frozenset({""}),
    "JSON output type": frozenset({""}),
    "MQTT CONNECT field": frozenset(map(str, _CONNECT_PROPERTIES)),
    "MQTT CONNACK field": frozenset(map(str, _CONNACK_PROPERTIES)),
}
"""By kind, what else it may be: other spellings, numbers for names, or nothing at all."""

ANY_CASE = frozenset({"digest algorithm", "MQTT CONNECT field", "MQTT CONNACK field"})
"""Kinds whose words may be written in any case."""

NUMBERS: Mapping[str, tuple[frozenset[int], str]] = {
    "SHA-2 bits": (frozenset({224, 256, 384, 512}), "a number of bits: 224, 256, 384 or 512"),
    "AES bits": (frozenset({128, 192, 256}), "a number of bits: 128, 192 or 256"),
    "GREASE filter": (frozenset({0, 1}), "0 for all values, or 1 for all but GREASE (RFC 8701)"),
}
"""By kind, the numbers that an argument may be, and how messages write them."""

_CIPHERS = ("aes_cbc_dec", "aes_cbc_enc", "aes_gcm_dec", "aes_gcm_enc")
_LISTS = (
    *("cipherlist_bin", "cipherlist_hex", "cipherlist_str"),
    *("eclist_bin", "extlist_bin", "sigalgs_bin", "supported_versions_bin"),
)

POSITIONS: Mapping[str, Mapping[int, str]] = {
    "digest": {0: "digest algorithm"},
    "hmac": {0: "digest algorithm", 1: "base64 or variable"},
    "sha2": {0: "SHA-2 bits"},
    "json": {0: "JSON input code"},
    "json_query": {1: "JSON output type"},
    "jwt_header_query": {1: "JSON output type"},
    "jwt_payload_query": {1: "JSON output type"},
    "url_enc": {0: "URL encoding"},
    "word": {0: "index"},
    "field": {0: "index"},
    **{name: {0: "AES bits", -1: "base64 or variable"} for name in _CIPHERS},
    **{f"ssl_fc_{name}": {0: "GREASE filter"} for name in _LISTS},
}
"""By function and position (-1: every other one), the kind of its argument."""


def mqtt_field(packet: str) -> str:
    """Return the kind of a field's name in a packet of MQTT."""
    return "MQTT CONNACK field" if packet.lower() in ("connack", "2") else "MQTT CONNECT field"
