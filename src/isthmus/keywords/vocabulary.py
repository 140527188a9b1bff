"""The fetches, converters and ACL keywords that the engine knows, as its sample registry lists them.

The engine exports its registry as JSON; what stands there works, and nothing else does. Names of HAProxy that
are missing there are told apart from misspelt ones by `isthmus.keywords.known_samples`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Flag, auto
from typing import TypeVar

import msgspec

from isthmus.model.expression import MatchMethod, SampleType
from isthmus.records import dataclass


class Place(Flag):
    """Where in the language an expression stands, in the order of the columns of `-dKall`'s fetch list.

    A rule of a `listen` section stands in two places at once: `FRONTEND_CONTENT | BACKEND_CONTENT`.
    """

    FRONTEND_CONNECTION = auto()
    FRONTEND_SESSION = auto()
    FRONTEND_CONTENT = auto()
    FRONTEND_HTTP_REQUEST = auto()
    FRONTEND_HTTP_BODY = auto()
    USE_BACKEND = auto()
    BACKEND_CONTENT = auto()
    BACKEND_HTTP_REQUEST = auto()
    BACKEND_HTTP_BODY = auto()
    SERVER_CHOICE = auto()
    SERVER_SOURCE = auto()
    BACKEND_RESPONSE_CONTENT = auto()
    BACKEND_HTTP_RESPONSE = auto()
    BACKEND_HTTP_RESPONSE_BODY = auto()
    STICK_STORE = auto()
    FRONTEND_RESPONSE_CONTENT = auto()
    FRONTEND_HTTP_RESPONSE = auto()
    FRONTEND_HTTP_RESPONSE_BODY = auto()
    LOG = auto()
    TCP_CHECK = auto()
    CONFIGURATION = auto()
    CLI = auto()

    @property
    def in_response(self) -> bool:
        """Whether an HTTP response is at hand there."""
        return bool(self & (Place.FRONTEND_HTTP_RESPONSE | Place.BACKEND_HTTP_RESPONSE))

    @property
    def wording(self) -> str:
        """The names of the places, as messages write them."""
        return " and ".join(_WORDING[place] for place in self)


_WORDING = {
    Place.FRONTEND_CONNECTION: "frontend tcp-request connection rule",
    Place.FRONTEND_SESSION: "frontend tcp-request session rule",
    Place.FRONTEND_CONTENT: "frontend tcp-request content rule",
    Place.FRONTEND_HTTP_REQUEST: "frontend http-request header rule",
    Place.FRONTEND_HTTP_BODY: "frontend http-request body rule",
    Place.USE_BACKEND: "frontend use-backend rule",
    Place.BACKEND_CONTENT: "backend tcp-request content rule",
    Place.BACKEND_HTTP_REQUEST: "backend http-request header rule",
    Place.BACKEND_HTTP_BODY: "backend http-request body rule",
    Place.SERVER_CHOICE: "backend use-server, balance or stick-match rule",
    Place.SERVER_SOURCE: "server source selection",
    Place.BACKEND_RESPONSE_CONTENT: "backend tcp-response content rule",
    Place.BACKEND_HTTP_RESPONSE: "backend http-response header rule",
    Place.BACKEND_HTTP_RESPONSE_BODY: "backend http-response body rule",
    Place.STICK_STORE: "backend stick-store rule",
    Place.FRONTEND_RESPONSE_CONTENT: "frontend tcp-response content rule",
    Place.FRONTEND_HTTP_RESPONSE: "frontend http-response header rule",
    Place.FRONTEND_HTTP_RESPONSE_BODY: "frontend http-response body rule",
    Place.LOG: "logs",
    Place.TCP_CHECK: "backend tcp-check rule",
    Place.CONFIGURATION: "configuration parser",
    Place.CLI: "CLI parser",
}


class Parameter(msgspec.Struct, frozen=True):
    """One argument of a signature: the name of its type and whether it may be left out."""

    type: str
    optional: bool = False


class Fetch(msgspec.Struct, frozen=True):
    """A sample fetch. `valid` has a `Y` for each place where it may stand."""

    name: str
    args: tuple[Parameter, ...] = ()
    output: SampleType = SampleType.ANY
    signature: str = ""
    """The arguments as HAProxy's `-dK` writes them."""
    valid: str = "Y" * len(Place)

    def valid_in(self, place: Place) -> bool:
        """Whether the fetch has a value in this place, or in one of several."""
        places = zip(Place, self.valid, strict=False)
        return any(here in place for here, mark in places if mark == "Y")


class Converter(msgspec.Struct, frozen=True):
    """A converter. An output of SAME is the type that went in."""

    name: str
    args: tuple[Parameter, ...] = ()
    input: SampleType = SampleType.ANY
    output: SampleType = SampleType.ANY
    signature: str = ""
    """The arguments as HAProxy's `-dK` writes them."""


class AclKeyword(msgspec.Struct, frozen=True):
    """An ACL's own name for a fetch with a matching method, for instance `path_beg`."""

    name: str
    fetch: str
    method: MatchMethod


class FormatAlias(msgspec.Struct, frozen=True):
    """An alias that log formats may use, without its percent sign."""

    name: str


class _Document(msgspec.Struct, frozen=True):
    fetches: tuple[Fetch, ...]
    converters: tuple[Converter, ...]
    aliases: tuple[FormatAlias, ...] = ()
    acls: tuple[AclKeyword, ...] = ()


_Row = TypeVar("_Row", Fetch, Converter, AclKeyword)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What expressions, ACLs and log formats may be made of, by name."""

    fetches: Mapping[str, Fetch]
    converters: Mapping[str, Converter]
    acls: Mapping[str, AclKeyword]
    aliases: frozenset[str]

    @classmethod
    def read(cls, document: bytes | str) -> Vocabulary:
        """Read the JSON that the engine exports.

        Raises msgspec.ValidationError if it is not of the shape that this version speaks.
        """
        parsed = msgspec.json.decode(document, type=_Document)
        return cls(
            _by_name(parsed.fetches),
            _by_name(parsed.converters),
            _by_name(parsed.acls),
            frozenset(alias.name for alias in parsed.aliases),
        )


def _by_name(rows: Iterable[_Row]) -> Mapping[str, _Row]:
    return {row.name: row for row in rows}
