"""table: the keys of a whole document, and the model's network made of them."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.network.document.codes import RESERVED
from isthmus.network.document.kinds import BAD, Bad, Json, Many, Meant, Named, Reader, Row, Table, Values
from isthmus.network.document.link_rows import LINK
from isthmus.network.document.namespace_rows import NAMESPACE
from isthmus.network.document.nodes import Node
from isthmus.network.document.places import NETWORKS
from isthmus.network.document.sentences import Sentence
from isthmus.network.document.service_rows import PROXY_LINE, SERVICE
from isthmus.network.document.words import FILE_NAME, NETWORK_NAME, PATH
from isthmus.network.model import OUTSIDE, Namespace, Network, Service
from isthmus.records import replace


class _Variables:
    """Values of any kind, by name. `gathering` has used them up before anything is read."""

    words = "a mapping from names to values"

    def read(self, node: Node, reader: Reader) -> Meant:
        return BAD

    def schema(self, definitions: Json) -> Json:
        return {"type": ["object", "null"]}


class _Each:
    words = "for every variable a range (1..500) or a list"

    def read(self, node: Node, reader: Reader) -> Meant:
        return BAD

    def schema(self, definitions: Json) -> Json:
        return {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": ["string", "array"]},
        }


class _Blocks:
    words = "a block, or a list of blocks"

    def read(self, node: Node, reader: Reader) -> Meant:
        return BAD

    def schema(self, definitions: Json) -> Json:
        return Many(BLOCK, single=True).schema(definitions)


class _Networks:
    """Reads `networks`, and keeps them for the sections behind it."""

    words = NETWORKS.words

    def read(self, node: Node, reader: Reader) -> Meant:
        found = NETWORKS.read(node, reader)
        if found is not BAD:
            reader.networks.update(found)
        return found

    def schema(self, definitions: Json) -> Json:
        return NETWORKS.schema(definitions)


def _namespace(name: str, namespace: Namespace, span: Span, reader: Reader) -> Namespace | Bad:
    if name == OUTSIDE:
        reader.report.alert(
            RESERVED, "`outside` is where the command was started: nothing can be set in it", span
        )
        return BAD
    return replace(namespace, name=name, span=span)


def _service(name: str, service: Service, span: Span, reader: Reader) -> Service:
    return replace(service, name=name)


def _network(values: Values, reader: Reader) -> Network:
    return Network(
        values["network"] or "",
        values["namespaces"],
        values["links"],
        values["services"],
        values["expect"],
        values["proxy"],
    )


_SECTIONS = (
    Row(
        "networks", _Networks(), "Prefixes by name, for firewalls and translation.", default=(), section=True
    ),
    Row(
        "namespaces",
        Named(FILE_NAME, NAMESPACE, _namespace),
        "The namespaces by name.",
        default=(),
        section=True,
    ),
    Row("links", Many(LINK), "The links.", default=(), section=True),
    Row("services", Named(FILE_NAME, SERVICE, _service), "The services by name.", default=(), section=True),
    Row("expect", Many(Sentence()), "Sentences that `check` verifies.", default=(), section=True),
    Row("for", _Blocks(), "Templates: parts of a document, expanded once for every value."),
)

BLOCK = Table(
    "block",
    "A part of a document that is expanded once for every value of its variables.",
    (Row("each", _Each(), "The variables and their values.", required=True), *_SECTIONS),
    lambda values, _: None,
)

DOCUMENT = Table(
    "network file",
    "What a network should be.",
    (
        Row("network", NETWORK_NAME, "The network's name: it marks what belongs to it.", shown="the file's"),
        Row("include", Many(PATH, single=True), "Files whose sections are joined to this one's."),
        Row("variables", _Variables(), "Values for the expressions of templates."),
        *_SECTIONS,
        Row("proxy", PROXY_LINE, "The HAProxy-style configuration that is started with the network."),
    ),
    _network,
)
