"""table: the keys of services and of `proxy`, and the model's parts made of them."""

from __future__ import annotations

from isthmus.network.document.kinds import (
    TEMPLATE,
    Either,
    Json,
    Many,
    Meant,
    Named,
    Reader,
    Row,
    Table,
    Values,
    wrong_shape,
)
from isthmus.network.document.nodes import Mapping, Node, Sequence
from isthmus.network.document.places import FilePath
from isthmus.network.document.words import (
    COMMAND_LINE,
    DURATION,
    FILE_NAME,
    READY_PORT,
    TEXT,
    USER,
    VARIABLE,
    choice,
)
from isthmus.network.model import OUTSIDE, Hook, HookPlace, Phase, Proxy, Readiness, Restart, Service
from isthmus.records import replace


class _Command:
    """A vector, or a text that is split as a shell would; there is no shell."""

    words = "a command: a text, or a list of its words"

    def read(self, node: Node, reader: Reader) -> Meant:
        if isinstance(node, Sequence) and node.items:
            words = Many(TEXT).read(node, reader)
            return (
                words if len(words) == len(node.items) and words[0] else wrong_shape(node, self.words, reader)
            )
        if isinstance(node, Sequence | Mapping):
            return wrong_shape(node, self.words, reader)
        return COMMAND_LINE.read(node, reader)

    def schema(self, definitions: Json) -> Json:
        vector = {"type": "array", "items": TEXT.schema(definitions), "minItems": 1}
        return {"anyOf": [COMMAND_LINE.json, vector, TEMPLATE]}


COMMAND = _Command()


class _HookLine:
    """A hook that is a text alone."""

    words = "a command"

    def read(self, node: Node, reader: Reader) -> Meant:
        words = COMMAND_LINE.read(node, reader)
        return Hook(Phase.PRE_START, words, span=node.span) if isinstance(words, tuple) else words

    def schema(self, definitions: Json) -> Json:
        return COMMAND_LINE.schema(definitions)


HOOK = Table(
    "hook",
    "A command at one point of a service's life.",
    (
        Row("command", COMMAND, "What is run.", required=True),
        Row("in", choice("service", "host"), "Whose namespaces it runs in.", default="service"),
        Row("timeout", DURATION, "How long it may take.", default=30.0, shown="30s"),
    ),
    lambda values, _: Hook(
        Phase.PRE_START, values["command"], HookPlace(values["in"]), values["timeout"], values.span
    ),
)
_HOOKS = Many(Either(_HookLine(), HOOK), single=True)

READY = Table(
    "ready",
    "When the service counts as started: one of `tcp` and `command`.",
    (
        Row("tcp", READY_PORT, "When this port accepts: PORT (of 127.0.0.1), or ADDRESS:PORT."),
        Row("command", COMMAND, "When this command succeeds, in the service's namespace."),
        Row("timeout", DURATION, "How long it may take.", default=30.0, shown="30s"),
    ),
    lambda values, _: Readiness(values["tcp"], values["command"] or (), values["timeout"]),
    exclusive=(("tcp", "command"),),
)


def _service(values: Values, reader: Reader) -> Service:
    hooks = tuple(replace(hook, phase=phase) for phase in Phase for hook in values[phase.value])
    return Service(
        name="",
        namespace=values["in"],
        command=values["command"],
        hooks=hooks,
        readiness=values["ready"],
        needs=values["needs"],
        restart=Restart(values["restart"]),
        restart_delay=values["restart-delay"],
        environment=values["environment"],
        user=values["user"],
        folder=values["folder"],
        stop_timeout=values["stop-timeout"],
        span=values.at("in"),
    )


SERVICE = Table(
    "service",
    "A command that runs in a namespace, and what happens around it.",
    (
        Row("in", FILE_NAME, "The namespace that it runs in.", default=OUTSIDE),
        Row("command", COMMAND, "What is run, without a shell.", required=True),
        Row("initialize", _HOOKS, "Run once, before the first start since the network was made.", default=()),
        Row("pre-start", _HOOKS, "Run before each start.", default=()),
        Row("post-start", _HOOKS, "Run when it has started.", default=()),
        Row("pre-stop", _HOOKS, "Run before it is stopped.", default=()),
        Row("post-stop", _HOOKS, "Run when it has stopped.", default=()),
        Row("ready", READY, "When it counts as started.", shown="when its process runs"),
        Row("needs", Many(FILE_NAME, single=True), "Services that are started before it.", default=()),
        Row("restart", choice("no", "on-failure", "always"), "Whether it is started again.", default="no"),
        Row("restart-delay", DURATION, "How long that waits.", default=1.0, shown="1s"),
        Row("environment", Named(VARIABLE, TEXT), "Variables of its environment.", default=()),
        Row("user", USER, "The user that it runs as.", shown="whoever runs `isthmus net`"),
        Row("folder", FilePath(), "Its working directory, relative to the file."),
        Row("stop-timeout", DURATION, "How long it has to end itself.", default=10.0, shown="10s"),
    ),
    _service,
)

PROXY = Table(
    "proxy",
    "The proxy in front of the network.",
    (
        Row("in", FILE_NAME, "The namespace that it is started in.", default=OUTSIDE),
        Row(
            "files", Many(FilePath(), single=True), "Its configuration, relative to the file.", required=True
        ),
    ),
    lambda values, _: Proxy(values["in"], values["files"], values.span),
)


class _ProxyFile:
    """A proxy that is one file alone."""

    words = "a configuration file"

    def read(self, node: Node, reader: Reader) -> Meant:
        files = Many(FilePath(), single=True).read(node, reader)
        return Proxy(OUTSIDE, files, node.span) if isinstance(files, tuple) else files

    def schema(self, definitions: Json) -> Json:
        return Many(FilePath(), single=True).schema(definitions)


PROXY_LINE = Either(_ProxyFile(), PROXY)
