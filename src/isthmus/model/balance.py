"""How a backend chooses a server."""

from __future__ import annotations

from enum import StrEnum

from isthmus.config import Span
from isthmus.model.expression import Expression
from isthmus.records import dataclass, field


class Algorithm(StrEnum):
    """The algorithms of `balance`."""

    ROUNDROBIN = "roundrobin"
    STATIC_RR = "static-rr"
    LEASTCONN = "leastconn"
    FIRST = "first"
    SOURCE = "source"
    RANDOM = "random"
    HASH = "hash"
    URI = "uri"
    URL_PARAM = "url_param"
    HEADER = "hdr"
    RDP_COOKIE = "rdp-cookie"


@dataclass(frozen=True, slots=True)
class HashType:
    """`hash-type`: `map-based` or `consistent`, a function, and whether its result is mixed once more."""

    consistent: bool = False
    function: str = "sdbm"
    avalanche: bool = False


@dataclass(frozen=True, slots=True)
class HashedPart:
    """What `uri`, `url_param`, `hdr` and `rdp-cookie` hash.

    `name` is that of the parameter, header or cookie; `length` bytes and `depth` directories of the URI
    count, 0 for all, with its query if `whole`; `flag` is `path-only`, `check_post` or `use_domain_only`.
    """

    name: str = ""
    length: int = 0
    depth: int = 0
    whole: bool = False
    flag: bool = False


@dataclass(frozen=True, slots=True)
class Balance:
    """`balance`, `hash-type` and `hash-balance-factor` (percent of the average load, 0 for no bound).

    `draws` belongs to `random`, `expression` to `hash`, `part` to what hashes a part of the request. `span`
    is the `balance` line's, if there is one.
    """

    algorithm: Algorithm = Algorithm.ROUNDROBIN
    draws: int = 2
    expression: Expression | None = None
    part: HashedPart = field(default_factory=HashedPart)
    hash: HashType = field(default_factory=HashType)
    factor: int = 0
    span: Span | None = None
